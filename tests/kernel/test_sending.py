"""What every outbox shares, without a table: how long to wait, what an answer means, which destination is left alone, what a fault of
ours holds up."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from lianxin.kernel.clock import now
from lianxin.kernel.sending import (
    LONGEST_WAIT,
    SILENT,
    Fate,
    Lines,
    Outcome,
    Queue,
    Result,
    drain,
    meaning,
    pause,
    wait_of,
)


@pytest.mark.parametrize(("status", "fate", "reached"), [
    (200, Fate.SENT, True), (204, Fate.SENT, True), (301, Fate.LATER, False), (400, Fate.DEAD, True), (401, Fate.DEAD, True),
    (404, Fate.DEAD, True), (408, Fate.LATER, True), (429, Fate.LATER, True), (500, Fate.LATER, False), (503, Fate.LATER, False)])
def test_what_a_status_means(status: int, fate: Fate, reached: bool) -> None:
    found = meaning(status, "why", retry_after="30")
    assert (found.fate, found.reached) == (fate, reached)
    assert found.wait == (30.0 if fate is Fate.LATER else None)


def test_retry_after_in_seconds_and_as_a_date_and_nonsense() -> None:
    assert wait_of("12") == 12.0
    assert wait_of("999999999") == LONGEST_WAIT
    soon = wait_of(format_datetime(now() + timedelta(seconds=90), usegmt=True))
    assert soon is not None
    assert 85 < soon <= 90
    assert wait_of(format_datetime(now() - timedelta(days=1), usegmt=True)) == 0.0
    for nonsense in (None, "", "soon", "-3", "١٢", "99999999999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
                     "Mon, 01 Jan 2026 00:00:00 -0000", "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"):
        assert wait_of(nonsense) is None


def test_waits_grow_to_their_limit() -> None:
    for attempts, most in ((1, 2), (3, 8), (50, 60)):
        assert most * 0.7 <= pause(attempts, first=2.0, longest=60.0) <= most


def test_a_destination_that_is_silent_is_left_to_one_thread_and_comes_back_with_its_first_answer() -> None:
    lines = Lines(lambda: 0.0)
    silence = Outcome(Fate.LATER, reached=False)
    for said in range(SILENT):
        with lines.asking(7) as line:
            assert lines.note(line, silence) == said
    with lines.asking(7) as line:
        assert lines.closed() == [7]
        lines.note(line, Outcome(Fate.SENT))
    assert lines.closed() == []


def test_a_destination_that_asks_for_time_gets_it() -> None:
    lines = Lines(lambda: 0.0)
    with lines.asking(7) as line:
        lines.note(line, Outcome(Fate.LATER, wait=60.0))
    assert lines.closed() == [7]
    with lines.asking(7) as line:
        lines.note(line, Outcome(Fate.SENT))  # what was on its way came through
    assert lines.closed() == []


class Numbers(Queue[int]):
    """An outbox of numbers, of which 2 meets a fault of ours at `spoilt`."""

    name = "numbers"

    def __init__(self, spoilt: str) -> None:
        self.spoilt, self.waiting, self.written = spoilt, [1, 2, 3], dict[int, Any]()

    def first(self) -> float:
        return 0.0

    def claim(self, *, urgent: bool, closed: list[Any], after: Any) -> int | None:
        return next((row for row in self.waiting if row not in self.written), None)

    def destination(self, row: int) -> int:
        return row

    def prepare(self, row: int) -> int:
        if (row, self.spoilt) == (2, "prepare"):
            raise KeyError("a key that is missing")
        return row

    def send(self, row: int, prepared: int) -> Result:
        if (row, self.spoilt) == (2, "send"):
            raise OverflowError("a head of the answer that nobody thought of")
        return Outcome(Fate.SENT)

    def write_down(self, row: int, result: Result | None) -> None:
        self.written[row] = result and result.fate


@pytest.mark.django_db
@pytest.mark.parametrize("spoilt", ["prepare", "send"])
def test_a_row_that_meets_a_fault_of_ours_is_put_off_and_holds_up_no_other(spoilt: str) -> None:
    queue = Numbers(spoilt)
    assert drain(queue, Lines(lambda: 0.0), most=10) == 3
    assert queue.written == {1: Fate.SENT, 2: None, 3: Fate.SENT}
