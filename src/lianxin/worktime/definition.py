"""A calendar as plain data: what a city writes down, checked, and what the database keeps.

    {"base": "legal", "week": {"sat": [["09:00", "12:00"]]},
     "periods": [{"from": "2026-06-01", "to": "2026-10-01", "day": [["08:00", "12:00"], ["15:00", "18:00"]]}],
     "dates": [{"date": "2026-12-05", "spans": [], "reason": "…"}],
     "years": [{"year": 2027, "holidays": ["2027-01-01", …], "worked": [], "basis": "…"}]}

`day` are the spans of a whole working day, `week` weekdays with spans of their own (`[]`: off). `years` are legal calendars
that the package does not hold yet, each with every exception from the plain week.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import lru_cache
from typing import Any

from .around import AROUND_THE_CLOCK, AroundTheClock
from .calendar import Calendar
from .days import Day, DayRule, legal_day, legal_fingerprint, plain_day
from .hours import OFFICE, WHOLE_DAY, Hours, Period, Spans

LEGAL, PLAIN, ALWAYS = "legal", "plain", "around_the_clock"
BASES = (LEGAL, PLAIN, ALWAYS)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AnyCalendar = Calendar | AroundTheClock


def spans_of(written: Sequence[Sequence[str]]) -> Spans:
    """`[["09:00", "12:00"]]` as spans; `24:00` is midnight at the end of a day. Raises ValueError for other texts."""
    return tuple((time.fromisoformat(start), time.fromisoformat("00:00" if end == "24:00" else end)) for start, end in written)


def _hours(base: str, written: Mapping[str, Any], above: Hours | None = None) -> Hours:
    """Hours as written, over those of the calendar itself where they belong to a period."""
    always = base == ALWAYS
    if above is None:
        above = Hours.of(WHOLE_DAY, days=7) if always else Hours.of(OFFICE)
    own = written.get("day")
    full = spans_of(own) if own else above.full
    week = [full if own and spans == above.full else spans for spans in above.week]
    for name, spans in written.get("week", {}).items():
        week[WEEKDAYS.index(name)] = spans_of(spans)
    return Hours(full, tuple(week))


def told_years(years: Sequence[Mapping[str, Any]]) -> dict[date, Day]:
    """Every day that published years decide otherwise than the plain week."""
    told: dict[date, Day] = {}
    for year in years:
        told |= {date.fromisoformat(day): Day.OFF for day in year.get("holidays", ())}
        told |= {date.fromisoformat(day): Day.WORKED for day in year.get("worked", ())}
    return told


def _legal(years: Sequence[Mapping[str, Any]]) -> DayRule:
    """The legal calendar with the years that a city has entered itself."""
    if not years:
        return legal_day
    told, known = told_years(years), frozenset(int(year["year"]) for year in years)

    def rule(day: date) -> Day | None:
        if day in told:
            return told[day]
        found = legal_day(day)
        return Day.ORDINARY if found is None and day.year in known else found

    return rule


def canonical(definition: Mapping[str, Any]) -> str:
    """The same text for the same definition."""
    return json.dumps(definition, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(definition: Mapping[str, Any]) -> str:
    """Another text when the calendar may count otherwise: its definition, or the legal calendar beneath it, changed."""
    beneath = legal_fingerprint() if definition.get("base", LEGAL) == LEGAL else ""
    return hashlib.sha256(f"{canonical(definition)}\0{beneath}".encode()).hexdigest()


@lru_cache(maxsize=256)
def _built(text: str) -> AnyCalendar:
    definition = json.loads(text)
    base = definition.get("base", LEGAL)
    if base not in BASES:
        raise ValueError(f"no such base of a calendar: {base}")
    own = {key: definition[key] for key in ("day", "week", "periods", "dates") if definition.get(key)}
    if base == ALWAYS and not own:
        return AROUND_THE_CLOCK
    hours = _hours(base, own)
    periods = sorted(
        (Period(date.fromisoformat(one["from"]), date.fromisoformat(one["to"]) if one.get("to") else None,
                _hours(base, one, hours)) for one in own.get("periods", ())),
        key=lambda period: period.start,
    )
    dates = {date.fromisoformat(one["date"]): spans_of(one["spans"]) for one in own.get("dates", ())}
    rule = _legal(definition.get("years", ())) if base == LEGAL else plain_day
    return Calendar(hours, rule, periods=tuple(periods), dates=dates)


def calendar_of(definition: Mapping[str, Any]) -> AnyCalendar:
    """The calendar that a definition describes; the same one for the same definition, with its tables warm.

    Raises ValueError for impossible spans, overlapping periods and unknown bases, KeyError for missing keys.
    """
    return _built(canonical(definition))
