"""The spans of time figures are made for: civil days of the city, half open."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.worktime.calendar import CHINA

# What is compared with lies years before: a period that a person asks for lies well within what a date can hold.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100


class PeriodKind(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    CUSTOM = "custom"


def _add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, or the last one where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


_MONTHS: Final = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3, PeriodKind.YEAR: 12}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From the midnight that begins `start` to the midnight that begins `end`, Asia/Shanghai; `end` is not in it."""

    start: date
    end: date
    kind: PeriodKind = PeriodKind.CUSTOM

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise Invalid(_("统计期的结束日期应在开始日期之后。"), code="period_empty")

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.start, time(), CHINA)

    @property
    def ends_at(self) -> datetime:
        return datetime.combine(self.end, time(), CHINA)

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def code(self) -> str:
        """As `of` reads it: `2026-W48`, `2026-11`, `2026-Q4`, `2026`, or `2026-11-01..2026-11-15`, both days in it."""
        if self.kind is PeriodKind.WEEK:
            year, week, _day = self.start.isocalendar()
            return f"{year}-W{week:02}"
        if self.kind is PeriodKind.MONTH:
            return f"{self.start:%Y-%m}"
        if self.kind is PeriodKind.QUARTER:
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        if self.kind is PeriodKind.YEAR:
            return str(self.start.year)
        return f"{self.start}..{self.last_day}"

    @classmethod
    def week(cls, day: date) -> Period:
        """The week, Monday to Sunday, that a day lies in."""
        start = day - timedelta(days=day.weekday())
        return cls(start, start + timedelta(days=7), PeriodKind.WEEK)

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        start = date(year, month, 1)
        return cls(start, _add_months(start, 1), PeriodKind.MONTH)

    @classmethod
    def of(cls, said: str) -> Period:
        """What a person typed, as `code` writes it; raises Invalid for anything else."""
        try:
            made = cls._read(said.strip())
        except (ValueError, OverflowError):
            raise Invalid(
                _("看不懂这个统计期。请写成 2026-11、2026-W48、2026-Q4、2026 或 2026-11-01..2026-11-15。"), code="period_unknown"
            ) from None
        if made.start.year < FIRST_YEAR or made.last_day.year > LAST_YEAR:
            raise Invalid(_("统计期应在 %(first)d 年到 %(last)d 年之间。") % {"first": FIRST_YEAR, "last": LAST_YEAR},
                          code="period_out_of_range")
        return made

    @classmethod
    def _read(cls, said: str) -> Period:
        if found := re.fullmatch(r"(\d{4})-[Ww](\d{1,2})", said):
            return cls.week(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})", said):
            return cls.month(int(found[1]), int(found[2]))
        if found := re.fullmatch(r"(\d{4})-[Qq]([1-4])", said):
            start = date(int(found[1]), int(found[2]) * 3 - 2, 1)
            return cls(start, _add_months(start, 3), PeriodKind.QUARTER)
        if found := re.fullmatch(r"\d{4}", said):
            return cls(date(int(said), 1, 1), date(int(said) + 1, 1, 1), PeriodKind.YEAR)
        first, dots, last = said.partition("..")
        if not dots:
            raise ValueError(said)
        return cls(date.fromisoformat(first.strip()), date.fromisoformat(last.strip()) + timedelta(days=1))

    def previous(self) -> Period:
        """The period of the same kind before this one; for a custom one as many days before it."""
        return self.back(1)

    def back(self, count: int) -> Period:
        """`count` periods earlier."""
        if months := _MONTHS.get(self.kind):
            return Period(_add_months(self.start, -months * count), _add_months(self.end, -months * count), self.kind)
        span = timedelta(days=self.days * count)
        return Period(self.start - span, self.end - span, self.kind)

    def year_before(self) -> Period:
        """The same period last year. A week: the one of the same number (or the year's last); a custom one: the same
        dates."""
        if self.kind is PeriodKind.WEEK:
            year, week, _day = self.start.isocalendar()
            last = date(year - 1, 12, 28).isocalendar().week
            return Period.week(date.fromisocalendar(year - 1, min(week, last), 1))
        start = _add_months(self.start, -12)
        return Period(start, max(_add_months(self.end, -12), start + timedelta(days=1)), self.kind)
