"""Exactly one holder: every world within small bounds, and what is found when the rules are broken on purpose."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from lianxin.linkage.protocol import IN, OUT, RULES, THEM, US, Message, NotNow, OutOfOrder, Wrong
from lianxin.linkage.states import TABLE, HandoverState, Who
from lianxin.linkage.wire import Kind, Mode, Status
from tests.docs.prose import ROOT

from .model import BROKEN, Bounds, Desk, explore, start

# What docs/explanation/exactly-one-holder.md says was seen.
WHOLE = {
    "two offers, both kinds": (Bounds(steps=5, offers=2), 22_455, 245_166, 1_571),
    "there and back and there": (Bounds(steps=5, offers=3, modes=(Mode.TRANSFER.value,)), 7_592, 81_992, 492),
    "the other desk was first": (Bounds(steps=4, offers=2, first=THEM), 3_335, 33_746, 271),
    "nobody waits for answers": (Bounds(steps=3, offers=2, ahead=True), 2_047, 19_358, 155),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_world_within_the_bounds_has_one_holder(name: str) -> None:
    bounds, worlds, moves, quiet = WHOLE[name]
    seen = explore(Desk(), bounds)
    assert not seen.fault, (seen.fault, seen.way)
    assert (seen.worlds, seen.moves, seen.quiet) == (worlds, moves, quiet)


# How many steps the shortest way to each fault has, as the page says.
FAULTS = {
    "ReleasesAtSend": 1, "AcceptsBlindly": 5, "WithdrawsAlone": 4, "DefaultsAlone": 4, "AppliesAgain": 3, "TakesAnyOrder": 5,
    "ForgetsOutbox": 2, "AnswersFirst": 4, "ClosesByHalf": 15,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_in_the_rules_is_found(name: str) -> None:
    ahead = name == "TakesAnyOrder"  # matters only where messages overtake each other
    seen = explore(BROKEN[name], Bounds(steps=3 if ahead else 5, offers=2, ahead=ahead))
    assert seen.fault
    assert len(seen.way) == FAULTS[name], seen.way


def test_the_page_says_what_was_seen() -> None:
    page = (ROOT / "docs/explanation/exactly-one-holder.md").read_text(encoding="utf-8")
    for _bounds, *counts in WHOLE.values():
        assert " | ".join(f"{count:,}" for count in counts) in page
    told = [int(found) for found in re.findall(r"^\| .* \| (\d+) steps?\b", page, flags=re.M)]
    assert sorted(told) == sorted(FAULTS.values())


def test_the_way_to_a_fault_is_the_shortest() -> None:
    seen = explore(BROKEN["WithdrawsAlone"], Bounds(steps=4, offers=1))
    assert seen.fault == "both hold the matter"
    assert seen.way == ("a offers (transfer)", "a: withdraw 1", "offer 1 of a arrives", "b: accept 1")


def test_the_small_world_reaches_every_row_of_the_table() -> None:
    """What the exploration proves, it proves of the whole table: no row is left out of it."""
    reached: set[tuple[str, str]] = set()

    class Watching(type(RULES)):  # type: ignore[misc]
        def receive(self, record, message):  # type: ignore[no-untyped-def]
            taken = super().receive(record, message)
            if taken.status is Status.APPLIED:
                reached.add((message.kind, taken.state))
            return taken

    desk = Desk()
    desk.rules = Watching()
    explore(desk, Bounds(steps=5, offers=1))
    wanted = {(row.kind.value, row.target.value) for row in TABLE if row.target is not None and row.kind is not Kind.WITHDRAW}
    assert wanted | {("refuse", "defaulted"), ("withdraw", "withdrawn"), ("offer", "offered")} <= reached


# ── Single rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE, TWO = UUID(int=1), UUID(int=2)


def offered(mode: str = Mode.TRANSFER.value):  # type: ignore[no-untyped-def]
    """Both sides, the offer of one at the other."""
    ours = RULES.decide(RULES.begin(), Kind.OFFER, ONE, mode=mode)
    return ours, RULES.receive(None, ours.outgoing[0]).record


def test_only_the_holder_offers_and_only_once() -> None:
    ours, theirs = offered()
    with pytest.raises(NotNow, match="one_open"):
        RULES.decide(ours, Kind.OFFER, TWO)
    with pytest.raises(NotNow, match="not_holder"):
        RULES.decide(theirs, Kind.OFFER, TWO)


def test_who_offered_holds_until_accepted_but_not_without_condition() -> None:
    ours, theirs = offered()
    assert ours.holds
    assert not ours.unconditional
    theirs = RULES.decide(theirs, Kind.ACCEPT, ONE)
    assert (theirs.holder, theirs.term, theirs.unconditional) == (US, 2, True)
    ours = RULES.receive(ours, theirs.outgoing[-1]).record
    assert (ours.holder, ours.term) == (THEM, 2)


def test_help_that_is_asked_for_leaves_the_holder() -> None:
    ours, theirs = offered(Mode.JOINT.value)
    assert ours.unconditional
    theirs = RULES.decide(theirs, Kind.ACCEPT, ONE)
    ours = RULES.receive(ours, theirs.outgoing[-1]).record
    assert (ours.holder, ours.term, theirs.holder) == (US, 1, THEM)


def test_a_withdrawal_that_the_acceptance_overtook_is_noted_and_changes_nothing() -> None:
    ours, theirs = offered()
    ours = RULES.decide(ours, Kind.WITHDRAW, ONE)
    theirs = RULES.decide(theirs, Kind.ACCEPT, ONE)
    late = RULES.receive(theirs, ours.outgoing[-1])
    assert (late.status, late.state) == (Status.NOTED, HandoverState.ACCEPTED)
    ours = RULES.receive(ours, theirs.outgoing[-1]).record
    assert ours.find(ONE).state == HandoverState.ACCEPTED


def test_an_acceptance_after_the_withdrawal_was_confirmed_is_refused_for_good() -> None:
    ours, theirs = offered()
    ours = RULES.decide(ours, Kind.WITHDRAW, ONE)
    confirmed = RULES.receive(theirs, ours.outgoing[-1]).record
    assert confirmed.outgoing[-1].kind == Kind.WITHDRAWN
    ours = RULES.receive(ours, confirmed.outgoing[-1]).record
    with pytest.raises(Wrong, match="not_in_this_state"):
        RULES.receive(ours, Message("accept", ONE, ours.received_seq + 1, 2))
    with pytest.raises(NotNow, match="not_in_this_state"):
        RULES.decide(confirmed, Kind.ACCEPT, ONE)


@pytest.mark.parametrize("term", [1, 3])
def test_an_acceptance_names_the_term_it_makes(term: int) -> None:
    ours, _theirs = offered()
    with pytest.raises(Wrong, match="stale_term"):
        RULES.receive(ours, Message("accept", ONE, 1, term))


def test_an_offer_by_who_does_not_hold_is_refused_by_the_rules() -> None:
    ours, _theirs = offered()
    taken = RULES.receive(ours, Message("offer", TWO, 1, 1))
    assert (taken.state, taken.refusal) == (HandoverState.REFUSED, "stale_term")
    assert taken.record.outgoing[-1].kind == Kind.REFUSE


def test_a_message_comes_in_its_turn_once() -> None:
    _ours, theirs = offered()
    again = RULES.receive(theirs, Message("offer", ONE, 1, 1))
    assert (again.status, again.record) == (Status.DUPLICATE, theirs)
    with pytest.raises(OutOfOrder) as gap:
        RULES.receive(theirs, Message("negotiate", ONE, 3, 1))
    assert gap.value.expected == 2
    with pytest.raises(OutOfOrder):
        RULES.receive(None, Message("offer", ONE, 2, 1))


@pytest.mark.parametrize("kind", ["accept", "refuse", "acknowledge", "withdrawn", "progress", "outcome"])
def test_what_the_asked_desk_says_is_not_taken_from_the_other(kind: str) -> None:
    _ours, theirs = offered()
    with pytest.raises(Wrong, match="wrong_side"):
        RULES.receive(theirs, Message(kind, ONE, 2, 2 if kind == "accept" else 1))


def test_only_the_asked_desk_decides_when_the_time_is_up() -> None:
    ours, theirs = offered()
    with pytest.raises(NotNow):
        RULES.by_clock(ours, ONE)
    assert RULES.by_clock(theirs, ONE).find(ONE).state == HandoverState.DEFAULTED  # the caller had turned to the other desk
    first = RULES.by_clock(theirs._replace(first_receiver=US), ONE)
    assert (first.find(ONE).state, first.holder) == (HandoverState.ACCEPTED, US)


def test_taking_a_matter_back_closes_the_handover_it_went_over_with_on_both_sides() -> None:
    ours, theirs = offered()
    theirs = RULES.decide(theirs, Kind.ACCEPT, ONE)
    ours = RULES.receive(ours, theirs.outgoing[-1]).record
    theirs = RULES.decide(theirs, Kind.OFFER, TWO, follows=ONE)
    ours = RULES.receive(ours, theirs.outgoing[-1]).record
    ours = RULES.decide(ours, Kind.ACCEPT, TWO)
    taken = RULES.receive(theirs, ours.outgoing[-1])
    assert taken.also_closed == ONE
    assert taken.record.find(ONE).state == ours.find(ONE).state == HandoverState.CLOSED
    assert (ours.holder, ours.term, taken.record.holder) == (US, 3, THEM)


def test_what_goes_back_names_a_handover_that_was_taken() -> None:
    with pytest.raises(NotNow, match="unknown_follows"):
        RULES.decide(RULES.begin(), Kind.OFFER, TWO, follows=ONE)


def test_the_world_begins_with_one_desk_that_knows() -> None:
    first = start()
    assert first.sides[0].record is not None
    assert first.sides[1].record is None
    assert {Who.OFFEROR, Who.RECEIVER, Who.EITHER} == {row.who for row in TABLE}
    assert OUT != IN
