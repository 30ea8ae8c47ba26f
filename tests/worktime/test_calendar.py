"""Working time against the official holiday notices, against counting by hand, and by its laws."""

from __future__ import annotations

import threading
import time as stopwatch
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianxin.worktime import AROUND_THE_CLOCK, WHOLE_DAY, AroundTheClock, Calendar, Day, Due, Hours, plain_day

CHINA = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar.chinese()
DAY = 420


def china(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("day", [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)])
def test_make_up_days_of_2026_are_worked(day: tuple[int, int]) -> None:
    made_up = date(2026, *day)
    assert made_up.weekday() >= 5
    assert CALENDAR.is_working_day(made_up)
    assert CALENDAR.is_working(china(2026, *day, 9, 0))


@pytest.mark.parametrize("day", [(1, 1), (2, 16), (2, 23), (4, 6), (5, 1), (6, 19), (9, 25), (10, 1), (10, 7)])
def test_holidays_of_2026_are_not_worked(day: tuple[int, int]) -> None:
    assert date(2026, *day).weekday() < 5
    assert not CALENDAR.is_working_day(date(2026, *day))
    assert not CALENDAR.is_working(china(2026, *day, 10, 0))


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ((2026, 11, 23, 10, 0), 0, (2026, 11, 23, 10, 0)),
        ((2026, 11, 23, 10, 0), 60, (2026, 11, 23, 11, 0)),
        ((2026, 11, 23, 10, 0), 120, (2026, 11, 23, 12, 0)),  # the end of the morning, not 13:00
        ((2026, 11, 23, 10, 0), 121, (2026, 11, 23, 13, 1)),
        ((2026, 11, 23, 12, 30), 1, (2026, 11, 23, 13, 1)),  # over lunch nothing counts
        ((2026, 11, 23, 17, 0), 240, (2026, 11, 24, 14, 0)),
        ((2026, 11, 23, 23, 59), 240, (2026, 11, 24, 14, 0)),  # after hours is as at opening
        ((2026, 11, 24, 8, 0), 240, (2026, 11, 24, 14, 0)),
        ((2026, 11, 23, 9, 0), DAY, (2026, 11, 23, 17, 0)),
        ((2026, 11, 27, 16, 30), 60, (2026, 11, 30, 9, 30)),  # over a weekend
        ((2026, 9, 24, 16, 0), 2 * 60, (2026, 9, 28, 10, 0)),  # mid-autumn 25–27 September
        ((2026, 9, 30, 16, 0), 2 * 60, (2026, 10, 8, 10, 0)),  # the national holiday, seven days
        ((2026, 10, 9, 16, 0), 2 * 60, (2026, 10, 10, 10, 0)),  # a Saturday made up for it
        ((2026, 2, 13, 9, 0), 5 * DAY, (2026, 2, 26, 17, 0)),  # spring festival, 14 February worked
        ((2025, 12, 31, 16, 30), 60, (2026, 1, 4, 9, 30)),  # a Sunday made up for New Year
    ],
)
def test_due_times(start: tuple[int, ...], minutes: int, due: tuple[int, ...]) -> None:
    assert CALENDAR.add(china(*start), minutes) == Due(china(*due).astimezone(UTC), provisional=False)


def test_a_due_time_in_an_unpublished_year_says_so() -> None:
    late = china(2026, 12, 31, 16, 0)
    assert CALENDAR.add(late, 60) == Due(china(2026, 12, 31, 17, 0).astimezone(UTC), provisional=False)
    assert CALENDAR.add(late, 61) == Due(china(2027, 1, 1, 9, 1).astimezone(UTC), provisional=True)
    assert CALENDAR.add(china(2027, 3, 1, 9), 1).provisional
    assert not CALENDAR.add(china(2027, 3, 1, 9), 0).provisional
    assert CALENDAR.add(china(2003, 12, 31, 16), 120).provisional, "before the first published year as well"


def test_a_year_is_published_later() -> None:
    """The same promise, computed again once the notice for 2027 is out (here: its first three days off)."""
    notice = {date(2027, 1, 1): False}
    told = CALENDAR.with_days(notice, published=[2027])
    assert told.add(china(2026, 12, 31, 16, 0), 61) == Due(china(2027, 1, 4, 9, 1).astimezone(UTC), provisional=False)
    assert told.is_working_day(date(2026, 10, 10)), "the years before stay as they were"
    assert told.add(china(2027, 12, 31, 16, 0), 61).provisional, "2028 is still unknown"


def test_a_city_gives_a_day_off() -> None:
    festival = CALENDAR.with_days({date(2026, 11, 24): False})
    assert festival.add(china(2026, 11, 23, 16, 0), 61).at == china(2026, 11, 25, 9, 1)
    assert CALENDAR.add(china(2026, 11, 23, 16, 0), 61).at == china(2026, 11, 24, 9, 1)


def test_a_fraction_of_a_minute_is_kept() -> None:
    start = china(2026, 11, 23, 11, 59, 30, 123456)
    assert CALENDAR.add(start, 1).at == china(2026, 11, 23, 13, 0, 30, 123456)
    assert CALENDAR.between(start, china(2026, 11, 23, 13, 0, 30, 123455)) == 0
    assert CALENDAR.between(start, china(2026, 11, 23, 13, 0, 30, 123456)) == 1


def test_the_edges_of_a_span() -> None:
    assert not CALENDAR.is_working(china(2026, 11, 23, 8, 59, 59, 999999))
    assert CALENDAR.is_working(china(2026, 11, 23, 9))
    assert CALENDAR.is_working(china(2026, 11, 23, 11, 59, 59, 999999))
    assert not CALENDAR.is_working(china(2026, 11, 23, 12))


def test_other_hours() -> None:
    summer = Calendar.chinese(spans=((time(8, 30), time(12)), (time(14, 30), time(17, 30))))
    assert summer.minutes_a_day == 390
    assert summer.add(china(2026, 11, 23, 11, 30), 60).at == china(2026, 11, 23, 15, 0)
    night = Calendar(Hours.of(((time(0), time(6)), (time(18), time(0)))))
    assert night.minutes_a_day == 720
    assert night.add(china(2026, 11, 23, 23, 0), 120).at == china(2026, 11, 24, 1, 0)


def test_a_span_that_ends_with_the_year_belongs_to_it() -> None:
    always = Calendar(Hours.of(WHOLE_DAY))
    assert always.add(china(2026, 12, 31, 23, 0), 60) == Due(china(2027, 1, 1).astimezone(UTC), provisional=False)
    assert always.add(china(2026, 12, 31, 23, 0), 61).provisional


@pytest.mark.parametrize(
    "spans",
    [
        (),
        ((time(12), time(9)),),
        ((time(9), time(9)),),
        ((time(9), time(12)), (time(11), time(17))),
        ((time(13), time(17)), (time(9), time(12))),
        ((time(9), time(12, 0, 30)),),
        ((time(9, tzinfo=UTC), time(12)),),
    ],
)
def test_impossible_hours_are_refused(spans: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="work"):
        Hours.of(spans)
    with pytest.raises(ValueError, match="work"):
        Calendar(dates={date(2026, 11, 24): spans} if spans else {}, hours=Hours.of() if spans else Hours.of(spans))


@pytest.mark.parametrize("calendar", [CALENDAR, AROUND_THE_CLOCK])
def test_naive_instants_and_negative_minutes_are_refused(calendar: Calendar | AroundTheClock) -> None:
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError):
        calendar.add(naive, 1)
    with pytest.raises(ValueError):
        calendar.add(china(2026, 11, 23), -1)
    with pytest.raises(ValueError, match="zone"):
        CALENDAR.between(naive, naive)
    with pytest.raises(ValueError, match="zone"):
        CALENDAR.is_working(naive)


def test_a_calendar_without_working_days_says_so() -> None:
    with pytest.raises(ValueError, match="without working days"):
        Calendar(days=lambda _day: Day.OFF).add(china(2026, 11, 23), 1)
    ended = Calendar(days=lambda day: Day.ORDINARY if day.year < 2027 else Day.OFF)
    assert ended.add(china(2026, 12, 31, 16), 60).at == china(2026, 12, 31, 17)
    with pytest.raises(ValueError, match="without working days"):
        ended.add(china(2026, 12, 31, 16), 61)
    with pytest.raises(ValueError, match="years"):
        CALENDAR.add(china(2026, 11, 23), 10**10)


def test_where_clocks_are_put_forward_and_back() -> None:
    """Other cities, other zones: spans over the change are as long as the clock on the wall made them."""
    berlin = ZoneInfo("Europe/Berlin")
    always = Calendar(Hours.of(WHOLE_DAY, days=7), plain_day, berlin)
    start = datetime(2026, 1, 1, tzinfo=berlin)
    assert always.between(start, datetime(2027, 1, 1, tzinfo=berlin)) == 365 * 1440
    assert always.between(datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin)) == 23 * 60
    assert always.between(datetime(2026, 10, 25, tzinfo=berlin), datetime(2026, 10, 26, tzinfo=berlin)) == 25 * 60
    gap = Calendar(Hours.of(((time(1), time(2, 30)), (time(2, 45), time(4))), days=7), plain_day, berlin)
    assert gap.between(datetime(2026, 3, 29, tzinfo=berlin), datetime(2026, 3, 30, tzinfo=berlin)) <= 165
    opened = gap.add(datetime(2026, 3, 29, 0, 30, tzinfo=berlin), 90)
    assert opened.at <= gap.add(datetime(2026, 3, 29, 0, 30, tzinfo=berlin), 91).at


INSTANTS = st.datetimes(
    datetime(2003, 6, 1), datetime(2029, 6, 1), timezones=st.sampled_from([UTC, CHINA])  # noqa: DTZ001
)
MINUTES = st.integers(0, 60 * DAY)
CALENDARS = st.sampled_from([
    CALENDAR,
    Calendar.chinese(spans=((time(8, 30), time(12)), (time(14, 30), time(17, 30)))),
    Calendar(Hours.of(WHOLE_DAY)),
    Calendar(Hours.of(((time(9), time(12)), (time(12), time(17))))),
    AROUND_THE_CLOCK,
])
Either = Calendar | AroundTheClock


@given(CALENDARS, INSTANTS, MINUTES)
def test_between_undoes_add(calendar: Either, start: datetime, minutes: int) -> None:
    due = calendar.add(start, minutes).at
    assert due >= start
    assert due.tzinfo is UTC
    assert calendar.between(start, due) == minutes
    assert calendar.between(due, start) == -minutes


@given(CALENDARS, INSTANTS, st.integers(1, 60 * DAY))
def test_the_due_time_is_the_earliest(calendar: Either, start: datetime, minutes: int) -> None:
    due = calendar.add(start, minutes).at
    assert calendar.between(start, due - timedelta(microseconds=1)) == minutes - 1


@given(CALENDARS, INSTANTS, MINUTES, MINUTES)
def test_adding_twice_is_adding_the_sum(calendar: Either, start: datetime, first: int, second: int) -> None:
    step = calendar.add(start, first)
    twice, once = calendar.add(step.at, second), calendar.add(start, first + second)
    if second or not first:
        assert twice.at == once.at
    assert once.provisional >= step.provisional


@given(CALENDARS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)), MINUTES, MINUTES)
def test_later_starts_and_longer_limits_are_never_due_earlier(
    calendar: Either, start: datetime, delay: timedelta, minutes: int, more: int
) -> None:
    due = calendar.add(start, minutes).at
    assert calendar.add(start + delay, minutes).at >= due
    assert calendar.add(start, minutes + more).at >= due


@given(CALENDARS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)), st.timedeltas(timedelta(0), timedelta(30)))
def test_between_is_additive_to_the_minute(
    calendar: Either, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle, end = start + first, start + first + second
    parts = calendar.between(start, middle) + calendar.between(middle, end)
    assert parts <= calendar.between(start, end) <= parts + 1


@given(st.datetimes(datetime(2025, 12, 25), datetime(2027, 1, 10), timezones=st.just(CHINA)),  # noqa: DTZ001
       st.integers(0, 4 * DAY))
@settings(max_examples=60, deadline=None)
def test_it_equals_counting_minutes_one_by_one(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    at, left = start, minutes
    while left:
        if CALENDAR.is_working_day(at.date()) and (9 <= at.hour < 12 or 13 <= at.hour < 17):
            left -= 1
        at += timedelta(minutes=1)
    assert CALENDAR.add(start, minutes).at == at


@given(INSTANTS)
def test_is_working_is_what_add_counts(at: datetime) -> None:
    second = timedelta(seconds=1)
    at = at.replace(microsecond=0)
    moved = CALENDAR.add(at + second, 60).at - CALENDAR.add(at, 60).at
    assert CALENDAR.is_working(at) == (moved > timedelta(0))


def test_threads_share_a_calendar_that_grows() -> None:
    shared, alone, wrong = Calendar.chinese(), Calendar.chinese(), []

    def work(offset: int) -> None:
        for year in range(2005 + offset, 2040, 3):
            if shared.add(china(year, 6, 1, 10), 500 * DAY) != expected[year]:
                wrong.append(year)

    expected = {year: alone.add(china(year, 6, 1, 10), 500 * DAY) for year in range(2005, 2040)}
    threads = [threading.Thread(target=work, args=(offset,)) for offset in (0, 1, 2, 0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_hundred_thousand_due_times_take_a_moment() -> None:
    """The bar is 5 µs each on an idle machine (about 2 are needed); a busy one gets five times that."""
    start = china(2026, 9, 18, 11, 1)
    CALENDAR.add(start, 2100)
    begun = stopwatch.perf_counter()
    for minutes in range(100_000):
        CALENDAR.add(start, minutes % 6300)
    assert stopwatch.perf_counter() - begun < 2.5
