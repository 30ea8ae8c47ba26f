"""Two desks: thousands of handovers over a bad line with crashes on both sides, every one looked for afterwards; and how long it
takes from the emergency key to the other desk's screen."""

from __future__ import annotations

from . import fill
from .parts import Run
from .results import Row
from .twodesks import harness
from .twodesks.compare import KINDS

HANDOVERS, QUICK_HANDOVERS = 10_000, 150
CRASHES, QUICK_CRASHES = 40, 4
SEED = 20_261


def rows_of(done: harness.Done, wanted: int) -> list[Row]:
    """The lines of the table. Raises RuntimeError when one handover is lost, doubled or held by other than one desk: a bar that can
    be missed is no place for that."""
    verdict = done.verdict
    if not verdict.good:
        raise RuntimeError(f"the two desks do not agree: {dict(verdict.faults)}\n" + "\n".join(verdict.examples))
    line = done.messages
    lost = line.get("lost_before", 0) + line.get("lost_after", 0)
    states = verdict.states
    taken = sum(states[state] for state in ("accepted", "in_progress", "outcome_returned", "closed"))
    return [
        Row("linkage", f"{wanted:,} offers over a bad line", f"{verdict.handovers:,} handovers in {done.seconds:,.0f} s",
            f"{line.get('messages', 0):,} messages, {lost:,} lost, {line.get('doubled', 0):,} doubled, {line.get('delayed', 0):,} late; "
            f"killed: {', '.join(f'{name} {n}' for name, n in done.killed.items())}"),
        Row("linkage", "every handover looked for on both sides", " · ".join(f"0 {kind}" for kind in KINDS),
            f"{taken:,} taken, {states['refused'] + states['defaulted']:,} refused, {states['withdrawn']:,} withdrawn",
            "", "none", True),
    ]


def bench(run: Run) -> list[Row]:
    fill.empty()
    run.have = 0
    wanted = QUICK_HANDOVERS if run.quick else HANDOVERS
    run.tell("two desks, a bad line, crashes")
    return rows_of(harness.run(handovers=wanted, seed=SEED, crashes=QUICK_CRASHES if run.quick else CRASHES, tell=run.tell), wanted)
