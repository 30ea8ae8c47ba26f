"""The figures of a city's report: facts made from the tables, exported, and counted by both engines.

The bench's cases have no callbacks, so facts made from them would leave most figures empty. Once they have been made,
and timed, chance gives each ended episode a callback, an answer and a few returns, straight in the facts' table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from django.db import connection
from django.utils.timezone import localdate

from lianxin.analysis import export, facts
from lianxin.analysis.assemble import ALL_BREAKDOWNS, report
from lianxin.analysis.engines import ENGINES
from lianxin.analysis.models import Episode
from lianxin.analysis.periods import Period, PeriodKind
from lianxin.analysis.reports.compose import compose
from lianxin.analysis.reports.docx_file import as_docx
from lianxin.analysis.reports.source import Asked, gather, last_of
from lianxin.kernel.clock import now

from .parts import Run
from .results import Row

PART: Final = "reports"
BAR: Final = 10.0  # seconds for any report at a million cases
KINDS: Final = (PeriodKind.WEEK, PeriodKind.MONTH, PeriodKind.QUARTER, PeriodKind.YEAR)
QUICK_KINDS: Final = (PeriodKind.WEEK,)

_ANSWERED: Final = """
UPDATE analysis_episode SET
  ended_at = closed_at, ended_as = state,
  callback_due_at = closed_at + random() * interval '3 days',
  callback_ended_at = closed_at + random() * interval '3 days',
  first_contact_due_at = coalesce(first_contact_due_at, registered_at + interval '1 day'),
  first_contact_met_at = registered_at + random() * interval '27 hours',
  first_contact_ended_at = registered_at + random() * interval '27 hours',
  returns = floor(random() * random() * 3), sent_back = floor(random() * random() * 2), attempts = 1,
  dispatches = greatest(dispatches, 1), reached = random() < 0.8, solved = random() < 0.85,
  satisfaction = (ARRAY['satisfied', 'basically', 'dissatisfied', ''])[1 + floor(random() * 4)::int],
  revision = revision + 1
WHERE closed_at IS NOT NULL
"""


def _timed(body: Callable[[], object]) -> float:
    began = time.monotonic()
    body()
    return time.monotonic() - began


def _answer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_ANSWERED)
        cursor.execute("VACUUM ANALYZE analysis_episode")
        cursor.execute("RESET statement_timeout")


def _periods(kinds: Sequence[PeriodKind]) -> dict[str, Period]:
    """The last whole period of each kind before now: each with what it is compared with."""
    return {kind.value: last_of(kind, localdate(now())) for kind in kinds}


def bench(run: Run) -> list[Row]:
    """On the most cases there are: the bar is for a million."""
    size = run.sizes[-1]
    run.grow(size)
    run.tell(f"facts and reports at {size:,}")
    return measure(size, whole=size >= 1_000_000, kinds=QUICK_KINDS if run.quick else KINDS)


def measure(size: int, *, whole: bool = False, kinds: Sequence[PeriodKind] = KINDS) -> list[Row]:
    """On a database filled with `size` cases. `whole` says that the bar holds for this size."""
    seconds = _timed(lambda: facts.refresh(whole=True))
    rows = [Row(PART, f"facts of {size:,} cases, first time", f"{seconds:.1f} s", ratio=f"{size / seconds:,.0f}/s")]
    again = _timed(facts.refresh)
    rows.append(Row(PART, f"facts again at {size:,}, what the last hour changed", f"{again:.2f} s"))
    _answer()
    first = _timed(export.export)
    kept = _timed(export.export)
    megabytes = sum(path.stat().st_size for path in export.directory().glob("*.parquet")) / 1e6
    rows += [
        Row(PART, f"export of {Episode.objects.count():,} episodes", f"{first:.1f} s", against=f"{megabytes:.0f} MB"),
        Row(PART, f"export again at {size:,}", f"{kept:.2f} s"),
    ]
    for name, period in _periods(kinds).items():
        for engine in ENGINES:
            seconds = _timed(lambda engine=engine, period=period: report(  # type: ignore[misc]
                period, using=engine, refresh=False, breakdowns=ALL_BREAKDOWNS))
            rows.append(_row(f"report of a {name} at {size:,}, {engine}", seconds, whole=whole))
            rows.append(_row(f"page of a {name} at {size:,}, {engine}",
                             _timed(lambda engine=engine, period=period: compose(gather(Asked(period), using=engine))),  # type: ignore[misc]
                             whole=whole))
    long = PeriodKind.MONTH if PeriodKind.MONTH in kinds else kinds[-1]
    document = compose(gather(Asked(last_of(long, localdate(now())))))
    rows.append(_row(f"a {long.value} at {size:,} as DOCX, once counted", _timed(lambda: as_docx(document)), whole=whole))
    return rows


def _row(what: str, seconds: float, *, whole: bool) -> Row:
    return Row(PART, what, f"{seconds:.2f} s", bar=f"≤ {BAR:.0f} s" if whole else "", met=seconds <= BAR if whole else None)
