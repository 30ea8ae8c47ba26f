"""The state machine of a call, as a table, and as a function of its events in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.telephony.calls import ENDS, NEXT, TABLE, Happened, picture
from lianxin.telephony.models import LIVE, OVER, WAITING, CallState, EventKind

K, S = EventKind, CallState
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

events = st.builds(
    Happened, key=st.integers(0, 30).map(str), kind=st.sampled_from(EventKind),
    at=st.integers(0, 20).map(lambda second: START + timedelta(seconds=second)), line=st.sampled_from(["", "12345", "96"]),
    agent_id=st.sampled_from([None, 1, 2]), to_agent_id=st.sampled_from([None, 3]), recording=st.sampled_from(["", "a.wav", "b.wav"]))
told_of = st.lists(events, min_size=1, max_size=12, unique_by=lambda event: event.key)


def happened(*kinds: tuple[EventKind, float], agent: int | None = 1) -> list[Happened]:
    return [Happened(str(index), kind, START + timedelta(seconds=second), agent_id=agent) for index, (kind, second) in enumerate(kinds)]


def test_every_state_is_reached_and_every_kind_has_a_row() -> None:
    reached: set[CallState | None] = {None}
    while True:
        more = {after for (before, _kind), after in NEXT.items() if before in reached}
        if more <= reached:
            break
        reached |= more
    assert reached == {None, *S}
    assert {row.kind for row in TABLE} == set(K)
    assert set(S) == {*WAITING, *LIVE, *OVER, S.TRANSFERRED}


def test_nothing_goes_on_after_an_end() -> None:
    assert all(after in OVER for (before, _kind), after in NEXT.items() if before in OVER)
    assert all(row.after in OVER for row in TABLE if row.kind in ENDS)


@given(told_of, st.randoms(use_true_random=False), st.lists(st.integers(0, 11), max_size=8))
def test_any_order_and_any_doubling_gives_the_same_call(told: list[Happened], chance: object, again: list[int]) -> None:
    seen = picture(told)
    shuffled = [*told, *(told[index % len(told)] for index in again)]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert picture(shuffled) == seen


@given(told_of)
def test_a_call_holds_together_whatever_is_told(told: list[Happened]) -> None:
    seen = picture(told)
    assert (seen.state in OVER) == (seen.ended_at is not None) == any(event.kind in ENDS for event in told)
    assert not (seen.unanswered and seen.answered_at)
    assert not (seen.unanswered and seen.agent_id), "nobody is named for a call that nobody took"
    assert seen.began_at == min(event.at for event in told)
    assert seen.answered_at is None or seen.ended_at is None or seen.answered_at <= seen.ended_at
    assert seen.rings_at == frozenset() or seen.state is S.RINGING


@pytest.mark.parametrize(("kinds", "state"), [
    ([(K.QUEUED, 0)], S.QUEUED),
    ([(K.QUEUED, 0), (K.RINGING, 2)], S.RINGING),
    ([(K.RINGING, 0), (K.QUEUED, 9)], S.QUEUED),  # back into the queue
    ([(K.RINGING, 0), (K.ANSWERED, 3)], S.TALKING),
    ([(K.ANSWERED, 3), (K.HELD, 5)], S.HELD),
    ([(K.ANSWERED, 3), (K.HELD, 5), (K.RESUMED, 7)], S.TALKING),
    ([(K.HELD, 5)], S.HELD),  # what answered it was lost
    ([(K.ANSWERED, 3), (K.CONFERENCED, 5)], S.CONFERENCE),
    ([(K.ANSWERED, 3), (K.RINGING, 4)], S.TALKING),  # a third telephone
    ([(K.ANSWERED, 3), (K.TRANSFERRED, 5)], S.TRANSFERRED),
    ([(K.ANSWERED, 3), (K.TRANSFERRED, 5), (K.RINGING, 6)], S.RINGING),
    ([(K.ANSWERED, 3), (K.TRANSFERRED, 5), (K.RINGING, 6), (K.ABANDONED, 9)], S.ENDED),  # it had been answered
    ([(K.QUEUED, 0), (K.ENDED, 9)], S.ABANDONED),  # hung up without a word
    ([(K.QUEUED, 0), (K.MISSED, 9), (K.ENDED, 8)], S.MISSED),
    ([(K.QUEUED, 0), (K.ENDED, 8), (K.ABANDONED, 9)], S.ABANDONED),
    ([(K.ENDED, 9), (K.RECORDING, 11)], S.ABANDONED),
    ([(K.ANSWERED, 3), (K.ENDED, 9), (K.RECORDING, 30)], S.ENDED),
    ([(K.ANSWERED, 9), (K.ENDED, 3)], S.ENDED),  # clocks that disagree
])
def test_what_is_told_leads_to(kinds: list[tuple[EventKind, float]], state: CallState) -> None:
    assert picture(happened(*kinds)).state is state


def test_who_has_the_caller() -> None:
    first = Happened("1", K.ANSWERED, START, agent_id=1)
    handed = Happened("2", K.TRANSFERRED, START + timedelta(seconds=5), agent_id=1, to_agent_id=2)
    outside = Happened("3", K.TRANSFERRED, START + timedelta(seconds=9), agent_id=2)
    assert (picture([first]).agent_id, picture([handed, first]).agent_id, picture([outside, first, handed]).agent_id) == (1, 2, 2)


def test_telephones_that_ring_together_ring_for_one_caller() -> None:
    both = [Happened("1", K.RINGING, START, agent_id=1), Happened("2", K.RINGING, START + timedelta(seconds=1), agent_id=2)]
    assert picture(both).rings_at == {1, 2}
    after = [both[0], Happened("2", K.RINGING, START + timedelta(seconds=15), agent_id=2)]
    assert picture(after).rings_at == {2}, "the first did not pick up"
