"""Calendars with hours of their own: half-days, seasons, single days, desks that never close, years entered by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianxin.worktime import (
    AROUND_THE_CLOCK,
    WHOLE_DAY,
    AnyCalendar,
    Calendar,
    Day,
    Due,
    Hours,
    Period,
    calendar_of,
    digest_of,
    legal_years,
)

CHINA = ZoneInfo("Asia/Shanghai")
MORNING = ((time(9), time(12)),)
DAY = 420
# A desk as there are some: open on Saturday mornings, closed on Wednesday afternoons, other hours in summer, one day off.
COUNTER: dict[str, Any] = {
    "base": "legal", "week": {"wed": [["09:00", "12:00"]], "sat": [["09:00", "12:00"]]},
    "periods": [{"from": "2026-06-01", "to": "2026-10-01", "day": [["08:00", "12:00"], ["15:00", "18:00"]]}],
    "dates": [{"date": "2026-11-24", "spans": [], "reason": "系统升级"},
              {"date": "2026-11-29", "spans": [["10:00", "11:30"]], "reason": "周日补办"}],
}
NIGHTS: dict[str, Any] = {"base": "around_the_clock", "week": {"mon": [["06:00", "24:00"]]}}
PLAIN: dict[str, Any] = {"base": "plain", "day": [["08:30", "12:00"], ["14:30", "17:30"]]}


def china(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[misc,arg-type]


def on_wall(definition: dict[str, Any], at: datetime) -> bool:
    """Whether a minute counts, looked up in the definition the slow way, by nothing of the library but the days."""
    local = at.astimezone(CHINA)
    clock, day = local.strftime("%H:%M"), local.date()
    told = [one["spans"] for one in definition.get("dates", ()) if one["date"] == day.isoformat()]
    if told:
        return any(start <= clock < end for start, end in told[0])
    base = definition["base"]
    hours = {"day": definition.get("day", [["00:00", "24:00"]] if base == "around_the_clock" else
                                   [["09:00", "12:00"], ["13:00", "17:00"]]), "week": definition.get("week", {})}
    for one in definition.get("periods", ()):
        if one["from"] <= day.isoformat() < one.get("to", "9999"):
            hours = {"day": one.get("day", hours["day"]), "week": {**hours["week"], **one.get("week", {})}}
    import chinese_calendar

    spans = hours["day"] if day.weekday() < (7 if base == "around_the_clock" else 5) else []
    spans = hours["week"].get(["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day.weekday()], spans)
    if base == "legal" and day.year in legal_years():
        if day in chinese_calendar.holidays:
            spans = []
        elif day in chinese_calendar.workdays:
            spans = hours["day"]
    return any(start <= clock < end for start, end in spans)


@pytest.mark.parametrize("definition", [{"base": "legal"}, COUNTER, NIGHTS, PLAIN], ids=["legal", "counter", "nights", "plain"])
@given(start=st.datetimes(datetime(2026, 5, 28), datetime(2026, 12, 30), timezones=st.just(CHINA)),  # noqa: DTZ001
       minutes=st.integers(0, 3 * DAY))
@settings(max_examples=40, deadline=None)
def test_both_ways_equal_counting_minutes_one_by_one(definition: dict[str, Any], start: datetime, minutes: int) -> None:
    calendar, minute = calendar_of(definition), timedelta(minutes=1)
    start = start.replace(second=0, microsecond=0)
    at, left = start, minutes
    while left:
        left -= on_wall(definition, at)
        at += minute
    assert calendar.add(start, minutes).at == at
    at, left = start, minutes
    while left:
        at -= minute
        left -= on_wall(definition, at)
    assert calendar.subtract(start, minutes).at == at


@pytest.mark.parametrize(("start", "minutes", "due"), [
    ((2026, 11, 25, 11, 30), 60, (2026, 11, 26, 9, 30)),  # Wednesday: the afternoon does not count
    ((2026, 11, 27, 16, 30), 60, (2026, 11, 28, 9, 30)),  # Saturday morning does
    ((2026, 11, 28, 11, 30), 60, (2026, 11, 29, 10, 30)),  # and a Sunday that was told
    ((2026, 11, 23, 16, 30), 60, (2026, 11, 25, 9, 30)),  # the 24th is off
    ((2026, 10, 10, 11, 30), 60, (2026, 10, 10, 13, 30)),  # a Saturday made up for a holiday is a whole day
    ((2026, 10, 3, 9, 0), 60, (2026, 10, 8, 10, 0)),  # a Saturday inside a holiday is none
    ((2026, 7, 1, 11, 30), 60, (2026, 7, 2, 8, 30)),  # Wednesday in summer: the half-day stays
    ((2026, 7, 2, 11, 30), 60, (2026, 7, 2, 15, 30)),  # and Thursday rests until three
])
def test_a_counter_with_hours_of_its_own(start: tuple[int, ...], minutes: int, due: tuple[int, ...]) -> None:
    assert calendar_of(COUNTER).add(china(*start), minutes) == Due(china(*due).astimezone(UTC))


def test_a_desk_that_never_closes() -> None:
    assert calendar_of({"base": "around_the_clock"}) is AROUND_THE_CLOCK
    friday = china(2026, 11, 27, 23, 30)
    assert AROUND_THE_CLOCK.add(friday, 240).at == china(2026, 11, 28, 3, 30)
    # Over a holiday, and into a year nobody has published: its minutes are not in doubt.
    assert AROUND_THE_CLOCK.add(china(2026, 12, 31, 23), 240) == Due(china(2027, 1, 1, 3).astimezone(UTC))
    assert calendar_of(NIGHTS).add(china(2026, 11, 29, 23, 0), 120) == Due(china(2026, 11, 30, 7).astimezone(UTC))
    assert not calendar_of(NIGHTS).add(china(2027, 6, 1), 5).provisional


def test_the_last_moment_to_begin() -> None:
    calendar = Calendar.chinese()
    assert calendar.subtract(china(2026, 11, 24, 10), 120).at == china(2026, 11, 23, 16)
    assert calendar.subtract(china(2026, 11, 24, 10), 60).at == china(2026, 11, 24, 9), "not 17:00 the day before"
    assert calendar.subtract(china(2026, 11, 22, 10), 60).at == china(2026, 11, 20, 16), "a Sunday is as Friday's close"
    assert calendar.subtract(china(2026, 10, 8, 9, 30), 60).at == china(2026, 9, 30, 16, 30)
    assert calendar.subtract(china(2027, 1, 4, 10), 0) == Due(china(2027, 1, 4, 10).astimezone(UTC))
    assert calendar.subtract(china(2027, 1, 4, 10), 60).provisional
    assert not calendar.subtract(china(2026, 12, 31, 10), 600).provisional
    with pytest.raises(ValueError, match="zero or more"):
        calendar.subtract(china(2026, 1, 4), -1)
    with pytest.raises(ValueError, match="years"):
        calendar.subtract(china(2026, 1, 4), 10**10)
    with pytest.raises(ValueError, match="without working days"):
        Calendar(days=lambda _day: Day.OFF).subtract(china(2026, 1, 4), 1)


def test_a_pause_counts_only_where_work_was_lost() -> None:
    calendar = Calendar.chinese()
    limit = (china(2026, 11, 23, 9), china(2026, 11, 25, 17))
    assert calendar.overlap(limit, (china(2026, 11, 23, 16), china(2026, 11, 24, 10))) == 120
    assert calendar.overlap(limit, (china(2026, 11, 20, 9), china(2026, 11, 23, 10))) == 60
    assert calendar.overlap(limit, (china(2026, 11, 26, 9), china(2026, 11, 27, 10))) == 0
    assert calendar.overlap(limit, (china(2026, 11, 23, 12), china(2026, 11, 23, 13))) == 0
    with pytest.raises(ValueError, match="ends no earlier"):
        calendar.overlap(limit, (limit[1], limit[0]))
    with pytest.raises(ValueError, match="zone"):
        calendar.overlap(limit, (datetime(2026, 11, 23), datetime(2026, 11, 24)))  # noqa: DTZ001 - what is refused


CALENDARS: list[AnyCalendar] = [
    Calendar.chinese(), calendar_of(COUNTER), calendar_of(NIGHTS), calendar_of(PLAIN), AROUND_THE_CLOCK,
]
ANY = st.sampled_from(CALENDARS)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.sampled_from([UTC, CHINA]))  # noqa: DTZ001
INTERVALS = st.tuples(INSTANTS, INSTANTS).map(lambda pair: (min(pair), max(pair)))
MINUTES = st.integers(0, 60 * DAY)


@given(ANY, INSTANTS, MINUTES)
def test_subtracting_is_the_inverse(calendar: AnyCalendar, at: datetime, minutes: int) -> None:
    begun = calendar.subtract(at, minutes).at
    assert begun <= at
    assert begun.tzinfo is UTC
    assert calendar.between(begun, at) == minutes
    assert calendar.add(begun, minutes).at <= at, "the earliest moment by which they have passed"
    due = calendar.add(at, minutes).at
    assert calendar.subtract(due, minutes).at >= at, "the latest moment from which they lead there"
    if minutes:
        assert calendar.add(calendar.subtract(due, minutes).at, minutes).at == due
        assert calendar.subtract(calendar.add(begun, minutes).at, minutes).at == begun


@given(ANY, INSTANTS, st.integers(1, 60 * DAY))
def test_it_is_the_latest_moment(calendar: AnyCalendar, at: datetime, minutes: int) -> None:
    begun = calendar.subtract(at, minutes).at
    assert calendar.between(begun + timedelta(microseconds=1), at) == minutes - 1


@given(ANY, INSTANTS, MINUTES, MINUTES, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_subtracting_is_monotone_and_additive(
    calendar: AnyCalendar, at: datetime, first: int, second: int, later: timedelta
) -> None:
    assert calendar.subtract(at + later, first).at >= calendar.subtract(at, first).at
    assert calendar.subtract(at, first + second).at <= calendar.subtract(at, first).at
    if second or not first:
        assert calendar.subtract(calendar.subtract(at, first).at, second).at == calendar.subtract(at, first + second).at


@given(ANY, INTERVALS, INTERVALS)
def test_overlap_is_symmetric_and_bounded(calendar: AnyCalendar, one: Any, other: Any) -> None:
    both = calendar.overlap(one, other)
    assert both == calendar.overlap(other, one)
    assert 0 <= both <= min(calendar.between(*one), calendar.between(*other))
    assert calendar.overlap(one, one) == calendar.between(*one)
    inside = calendar.overlap(one, (one[0], max(one[0], min(one[1], other[0]))))
    assert inside == calendar.between(one[0], max(one[0], min(one[1], other[0])))


@given(ANY, INTERVALS, INSTANTS)
def test_the_parts_of_an_interval_make_the_whole(calendar: AnyCalendar, one: Any, cut: datetime) -> None:
    early, late = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    parts = calendar.overlap(one, (early, cut)) + calendar.overlap(one, (cut, late))
    assert parts <= calendar.between(*one) <= parts + 1


@given(ANY, st.lists(st.tuples(INSTANTS, MINUTES), max_size=20))
def test_many_at_once_are_as_one_by_one(calendar: AnyCalendar, asked: list[tuple[datetime, int]]) -> None:
    starts, minutes = [at for at, _minutes in asked], [wanted for _at, wanted in asked]
    assert calendar.add_many(starts, minutes) == [calendar.add(*one) for one in asked]
    assert calendar.add_many(starts, 421) == [calendar.add(at, 421) for at in starts]


def test_many_at_once_refuse_what_one_refuses() -> None:
    for calendar in CALENDARS:
        with pytest.raises(ValueError, match="as many"):
            calendar.add_many([china(2026, 1, 4)], [1, 2])
        with pytest.raises(ValueError):
            calendar.add_many([china(2026, 1, 4)], [-1])
        with pytest.raises(ValueError):
            calendar.add_many([datetime(2026, 1, 4)], 1)  # noqa: DTZ001 - what is refused


YEAR = {"year": 2027, "holidays": ["2027-01-01", "2027-02-05"], "worked": ["2027-01-30", "2026-12-26"], "basis": "试验"}


def test_a_year_that_a_city_entered_itself() -> None:
    told = calendar_of({"base": "legal", "years": [YEAR]})
    assert isinstance(told, Calendar)
    assert told.is_published(2027)
    assert not told.is_published(2028)
    assert told.is_working_day(date(2027, 1, 30)), "a Saturday worked"
    assert told.is_working_day(date(2026, 12, 26)), "a notice may reach back into the December before"
    assert not told.is_working_day(date(2027, 2, 5))
    assert told.add(china(2026, 12, 31, 16), 61) == Due(china(2027, 1, 4, 9, 1).astimezone(UTC))
    assert not calendar_of({"base": "legal"}).add(china(2026, 12, 31, 16), 60).provisional
    saturdays = calendar_of({**COUNTER, "years": [YEAR]})
    assert [len(saturdays.spans_on(day)) for day in (date(2027, 1, 23), date(2027, 1, 30))] == [1, 2]


def test_another_text_for_another_calendar() -> None:
    digests = {digest_of(one) for one in ({"base": "legal"}, COUNTER, NIGHTS, PLAIN, {"base": "legal", "years": [YEAR]})}
    assert len(digests) == 5
    assert digest_of(dict(reversed(COUNTER.items()))) == digest_of(COUNTER)
    assert calendar_of(dict(reversed(COUNTER.items()))) is calendar_of(COUNTER), "its tables are built once"


@pytest.mark.parametrize("broken", [
    {"base": "lunar"}, {"base": "legal", "day": [["12:00", "09:00"]]}, {"base": "legal", "day": [["nine", "ten"]]},
    {"base": "legal", "periods": [{"from": "2026-06-01", "to": "2026-06-01"}]},
    {"base": "legal", "periods": [{"from": "2026-06-01"}, {"from": "2026-07-01"}]},
    {"base": "legal", "dates": [{"date": "2026-06-01", "spans": [["10:00", "12:00"], ["11:00", "13:00"]]}]},
])
def test_impossible_definitions_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        calendar_of(broken)


def test_days_told_keep_the_hours_of_their_season() -> None:
    summer = Hours.of(((time(8), time(12)), (time(15), time(18))))
    calendar = Calendar(periods=(Period(date(2026, 6, 1), date(2026, 10, 1), summer),))
    told = calendar.with_days({date(2026, 7, 4): True, date(2026, 11, 28): True, date(2026, 7, 6): False, date(2026, 7, 7): MORNING})
    assert told.spans_on(date(2026, 7, 4)) == summer.full
    assert told.spans_on(date(2026, 11, 28)) == calendar.hours.full
    assert told.spans_on(date(2026, 7, 6)) == ()
    assert told.spans_on(date(2026, 7, 7)) == MORNING
    with pytest.raises(ValueError, match="seven"):
        Hours(MORNING, (MORNING,))
    assert Hours.of(WHOLE_DAY, days=7).minutes_a_day == AROUND_THE_CLOCK.minutes_a_day
