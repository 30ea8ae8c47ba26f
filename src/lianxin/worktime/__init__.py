"""Working calendars and arithmetic in working minutes. Pure: no database, no settings, no clock."""

from .calendar import AROUND_THE_CLOCK, AroundTheClock, Calendar, Due

__all__ = ["AROUND_THE_CLOCK", "AroundTheClock", "Calendar", "Due"]
