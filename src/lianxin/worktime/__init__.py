"""Working calendars and arithmetic in working minutes. Pure: no database, no settings, no clock."""

from .around import AROUND_THE_CLOCK, AroundTheClock
from .calendar import Calendar, Due, Interval
from .days import Day, legal_day, legal_years, plain_day
from .definition import AnyCalendar, calendar_of, digest_of
from .hours import OFFICE, WHOLE_DAY, Hours, Period, Spans

__all__ = [
    "AROUND_THE_CLOCK", "OFFICE", "WHOLE_DAY", "AnyCalendar", "AroundTheClock", "Calendar", "Day", "Due", "Hours",
    "Interval", "Period", "Spans", "calendar_of", "digest_of", "legal_day", "legal_years", "plain_day",
]
