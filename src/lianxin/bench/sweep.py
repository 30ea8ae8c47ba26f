"""The sweep of due clocks: a hundred due among ever more that are open.

So many cases get one more open clock whose next moment is weeks away; a hundred cases made by the real actions
then fall due, and the sweep writes their notices and events. The same hundred cost the same, however many are open.
"""

from __future__ import annotations

import time
from statistics import median

from django.db import connection

from lianxin.cases import reference
from lianxin.cases.actions import Intake, register
from lianxin.cases.models import Notice, NoticeRule
from lianxin.cases.sweep import sweep
from lianxin.organisations.actors import SYSTEM

from .city import EPOCH, BenchCity
from .parts import Run
from .results import Row

PART = "sweep"
DUE = 100
BAR = 3.0
TIMES = 5

_OPEN = """
    INSERT INTO cases_clock (id, case_id, kind, round, calendar, limit_minutes, started_at, due_at, provisional, paused_minutes,
                             extended_minutes, next_at)
    SELECT gen_random_uuid(), kase.id, 'supervision', 1, 'around_the_clock', 129600, now(), now() + interval '90 days', false, 0, 0,
           now() + interval '20 days' + random() * interval '50 days'
    FROM cases_case AS kase
    WHERE NOT EXISTS (SELECT 1 FROM cases_clock AS other WHERE other.case_id = kase.id AND other.kind = 'supervision')
    LIMIT greatest(0, %s - (SELECT count(*) FROM cases_clock WHERE kind = 'supervision'))
"""
# It fell due a minute ago. The others of its case wait for nothing.
_FALL_DUE = """
    UPDATE cases_clock SET calendar = 'around_the_clock', started_at = now() - interval '61 minutes', limit_minutes = 60,
           due_at = now() - interval '1 minute',
           next_at = CASE WHEN kind = 'resolve' THEN now() - interval '1 minute' END
    WHERE case_id = ANY(%s) AND met_at IS NULL AND stopped_at IS NULL
"""


def _open_clocks(many: int) -> int:
    """Give so many cases one that is due in weeks; how many run now. The table may have grown far beyond them before."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [many])
        # What was filled in may be due by now: that is another bench's business.
        cursor.execute("UPDATE cases_clock SET next_at = NULL WHERE next_at IS NOT NULL AND kind <> 'supervision'")
        cursor.execute("VACUUM (ANALYZE) cases_clock")
        cursor.execute("SELECT count(*) FROM cases_clock WHERE met_at IS NULL AND stopped_at IS NULL AND next_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def _due(city: BenchCity) -> None:
    codes = city.category_codes
    cases = [
        register(intake=Intake(words=f"第 {number} 件事到期了。", category=codes[number % len(codes)], accept=True),
                 by=SYSTEM).case_id
        for number in range(DUE)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FALL_DUE, [cases])


def _timed() -> tuple[float, int]:
    """Milliseconds of one sweep and how many cases spoke."""
    begun = time.perf_counter()
    done = sweep()
    return (time.perf_counter() - begun) * 1000, done.cases


def measure(city: BenchCity, *, times: int) -> tuple[float, float]:
    """Milliseconds of a sweep with nothing due and of one with a hundred, the middle of some runs."""
    for code, level, after, to in (("escalation", "escalation", 0, ["unit_head", "supervisor"]),
                                   ("circular", "circular", 2100, ["supervisor", "leader"])):
        NoticeRule.objects.get_or_create(code=code, valid_from=EPOCH, defaults={
            "level": level, "minutes_after": after, "to": to, "armed": True})
    reference.forget()
    _timed()
    idle = median(_timed()[0] for _time in range(times))
    found = []
    for _time in range(times):
        _due(city)
        took, spoke = _timed()
        assert spoke == DUE, f"{spoke} of {DUE} spoke"
        found.append(took)
    return idle, median(found)


def bench(run: Run) -> list[Row]:
    """The lines of this part, at the largest number of open clocks against the smallest."""
    readings = []
    for size in run.sizes:
        run.grow(size)
        count = _open_clocks(size)
        idle, busy = measure(run.city, times=1 if run.quick else TIMES)
        readings.append((count, idle, busy))
    with connection.cursor() as cursor:  # the other parts know nothing of these
        cursor.execute("DELETE FROM cases_clock WHERE kind = 'supervision'")
    told = Notice.objects.count()
    (few, first_idle, first), (many, last_idle, last) = readings[0], readings[-1]
    met = last / first <= BAR if len(readings) > 1 else None
    return [
        Row(PART, f"{DUE} due among {many:,} open clocks: notices and events written", f"{last:.0f} ms ({told:,} notices in all)",
            f"{DUE} due among {few:,}: {first:.0f} ms", f"{last / first:.2f} ×", f"≤ {BAR:.0f} ×", met),
        Row(PART, f"nothing due among {many:,} open clocks", f"{last_idle:.1f} ms", f"among {few:,}: {first_idle:.1f} ms",
            f"{last_idle / first_idle:.2f} ×"),
    ]
