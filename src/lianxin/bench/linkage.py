"""Two desks: thousands of handovers over a bad line with crashes on both sides, every one looked for afterwards; and how long it
takes from the emergency key to the other desk's screen."""

from __future__ import annotations

from lianxin.organisations.models import Staff

from . import fill
from .parts import Run
from .results import Row, percentile
from .screens import browser
from .twodesks import harness, latency
from .twodesks.compare import KINDS

HANDOVERS, QUICK_HANDOVERS = 10_000, 16
CRASHES, QUICK_CRASHES = 40, 2
PRESSES, QUICK_PRESSES = 200, 2
KEY_BAR, POP_BAR = 1_000.0, 300.0  # milliseconds
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
    rows = rows_of(harness.run(handovers=wanted, seed=SEED, crashes=QUICK_CRASHES if run.quick else CRASHES, workers=run.workers,
                               tell=run.tell), wanted)
    for row in rows:  # what took so long to know is said before anything else can go wrong
        run.tell(f"{row.what}: {row.ours}; {row.against}")
    run.tell("emergency keys and ringing telephones, to the screen")
    return rows + screens(run.city.staff["operator"], QUICK_PRESSES if run.quick else PRESSES, workers=run.workers)


def screens(operator: Staff, count: int, *, workers: int = 2) -> list[Row]:
    """The lines about what people see, and when."""
    with harness.stage(lossy=False, workers=workers) as desks, browser() as running:
        page = latency.open_page(running) if running is not None else None
        waits = latency.emergencies(desks, desks.our_url, operator, count, page)
        there = "on 110's screen" if page is not None else "in 110's database; no browser here"
        rows = [_row(f"{count} emergency keys, from the press until it is {there}", waits, KEY_BAR if page is not None else None)]
        if running is not None:
            own = latency.open_page(running)
            waits = latency.pops(desks.our_url, operator, count, own, own.wait_for_timeout)
            rows.append(_row(f"{count} calls, from ringing to the number and open cases on the screen", waits, POP_BAR))
    return rows


def _row(what: str, waits: list[float], bar: float | None) -> Row:
    p50, p95, p99 = (percentile(waits, share) for share in (0.5, 0.95, 0.99))
    limit = f"p99 ≤ {bar:,.0f} ms" if bar is not None else ""
    return Row("linkage", what, f"p50 {p50:.0f} · p95 {p95:.0f} · p99 {p99:.0f} ms", "", "", limit, p99 <= bar if bar is not None else None)
