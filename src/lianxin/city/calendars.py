"""Reading calendars.yaml: hours and days that a city decides, and years whose notice the program does not hold yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from lianxin.cases.calendars import BUILT_IN, NAMES, definitions
from lianxin.kernel.language import listed
from lianxin.organisations.models import AROUND_THE_CLOCK, WORKING
from lianxin.worktime import Calendar, Day, calendar_of, legal_day, legal_years
from lianxin.worktime.definition import ALWAYS, BASES, LEGAL, WEEKDAYS

from .faults import Faults
from .files import CALENDAR, CALENDAR_NEEDED, CALENDARS, DATE, PERIOD, PUBLISHED_YEAR, PUBLISHED_YEAR_NEEDED
from .files import CALENDARS_FILE as FILE
from .mappings import LINE, parsed
from .tables import Row, code

_SPAN = re.compile(r"([0-2][0-9]:[0-5][0-9])-([0-2][0-9]:[0-5][0-9])")
# Days off in every year, whatever its notice: 《全国年节及纪念日放假办法》 (国务院令第795号), article 2.
FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_LONGEST_RUN = 60


class _Reader:
    """Collects faults while one file is read; every method answers with what could be read."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def fault(self, line: int, reason: str) -> None:
        self.faults.add(FILE, line, reason)

    def mappings(self, value: Any, line: int, name: str) -> list[dict[str, Any]]:
        """A list of mappings; none when there is nothing."""
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(line, _("%s 应是一列，每项是“键: 值”的形式") % name)
            return []
        return value

    def keys(self, entry: Mapping[str, Any], known: Iterable[str], needed: Iterable[str] = ()) -> None:
        for key in entry.keys() - set(known) - {LINE}:
            self.fault(entry[LINE], _("不认识的键：%s") % key)
        for key in needed:
            if entry.get(key) in (None, ""):
                self.fault(entry[LINE], _("%s 不能为空") % key)

    def text(self, entry: Mapping[str, Any], key: str, limit: int) -> str:
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            self.fault(entry[LINE], _("%s 应是文字（数字请加引号）") % key)
        elif value and len(value) > limit:
            self.fault(entry[LINE], _("%(key)s 太长：最多 %(limit)s 个字") % {"key": key, "limit": limit})
        else:
            return value or ""
        return ""

    def day(self, entry: Mapping[str, Any], key: str) -> date | None:
        value = entry.get(key)
        if value is None or type(value) is date:
            return value
        self.fault(entry[LINE], _("%s 不是日期，应写成 2026-01-31") % key)
        return None

    def spans(self, value: Any, line: int, name: str) -> list[list[str]]:
        """`[09:00-12:00, 13:00-17:00]` as pairs of text, in order and apart."""
        found: list[list[str]] = []
        if not isinstance(value, list):
            self.fault(line, _("%s 应是一列时段，如 [09:00-12:00, 13:00-17:00]") % name)
            return found
        for one in value:
            match = _SPAN.fullmatch(one) if isinstance(one, str) else None
            if match is None or match[2] > "24:00" or match[1] >= match[2]:
                self.fault(line, _("%(name)s：“%(span)s”不是时段，应写成 09:00-12:00") % {"name": name, "span": one})
            elif found and match[1] < found[-1][1]:
                self.fault(line, _("%(name)s：%(span)s 与前一个时段重叠或次序颠倒") % {"name": name, "span": one})
            else:
                found.append([match[1], match[2]])
        return found

    def hours(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """`day` and `week` of a calendar or a period, as far as they are given."""
        found: dict[str, Any] = {}
        if entry.get("day") is not None:
            found["day"] = self.spans(entry["day"], entry[LINE], "day")
            if not entry["day"]:
                self.fault(entry[LINE], _("day 不能为空：一个工作日总有工作时间"))
        week = entry.get("week")
        if week is not None and not isinstance(week, dict):
            self.fault(entry[LINE], _("week 应是“星期: 时段”的形式，如 wed: [09:00-12:00]"))
        elif week:
            self.keys(week, WEEKDAYS)
            found["week"] = {name: self.spans(week[name], week[LINE], name) for name in WEEKDAYS if name in week}
        return found

    def days(self, entry: Mapping[str, Any], key: str) -> set[date]:
        """Days and runs of days, `2027-02-05/2027-02-11`."""
        written, found = entry.get(key), set[date]()
        if written is not None and not isinstance(written, list):
            self.fault(entry[LINE], _("%s 应是一列日期") % key)
            return found
        for one in written or ():
            try:
                ends = [one, one] if type(one) is date else [date.fromisoformat(part) for part in str(one).split("/")]
                first, last = ends if len(ends) == 2 else (ends[0], ends[0])
                if len(ends) > 2 or not first <= last <= first + timedelta(_LONGEST_RUN):
                    raise ValueError
            except ValueError:
                self.fault(entry[LINE], _("%(key)s：“%(day)s”不是日期，应写成 2027-01-01 或 2027-02-05/2027-02-11")
                           % {"key": key, "day": one})
                continue
            found |= {first + timedelta(step) for step in range((last - first).days + 1)}
        return found


def read(directory: Path, faults: Faults) -> list[Row]:
    """Every calendar with its definition, the two built-in ones among them. The file may be absent."""
    reader, path = _Reader(faults), directory / FILE
    before = len(faults)
    found = parsed(path, faults) if path.is_file() else {LINE: 0}
    if not isinstance(found, dict):
        if len(faults) == before:
            reader.fault(0, _("应是“键: 值”的形式"))
        found = {LINE: 0}
    reader.keys(found, CALENDARS)
    rows = [row for entry in reader.mappings(found.get("calendars"), found[LINE], "calendars")
            if (row := _calendar(reader, entry)) is not None]
    years = _years(reader, reader.mappings(found.get("published_years"), found[LINE], "published_years"))
    named = {row["code"] for row in rows}
    rows += [Row(FILE, 0, {"code": key, "name": NAMES[key][0], "name_en": NAMES[key][1], "definition": dict(definition)})
             for key, definition in BUILT_IN.items() if key not in named]
    for row in rows:
        if years and row["definition"]["base"] == LEGAL:
            row["definition"]["years"] = years
    return rows


def _calendar(reader: _Reader, entry: dict[str, Any]) -> Row | None:
    line, before = entry[LINE], len(reader.faults)
    reader.keys(entry, CALENDAR, CALENDAR_NEEDED)
    cells: dict[str, Any] = {"code": reader.text(entry, "code", 20), "name": reader.text(entry, "name", 60),
                             "name_en": reader.text(entry, "name_en", 120)}
    try:
        code(20)(cells["code"])
    except ValueError as error:
        reader.fault(line, f"code: {error}")
    base = entry.get("base")
    if base is not None and base not in BASES:
        reader.fault(line, _("“%(cell)s”不在可选项内：%(known)s") % {"cell": base, "known": listed(BASES)})
    definition: dict[str, Any] = {"base": base, **reader.hours(entry)}
    periods = [_period(reader, one) for one in reader.mappings(entry.get("periods"), line, "periods")]
    dates = [_date(reader, one) for one in reader.mappings(entry.get("dates"), line, "dates")]
    definition |= {key: value for key, value in (("periods", periods), ("dates", dates)) if value}
    _built_in_stays(reader, line, cells["code"], definition)
    told = [one["date"] for one in dates]
    for twice in sorted({day for day in told if day and told.count(day) > 1}):
        reader.fault(line, _("%s 写了两次") % twice)
    if len(reader.faults) == before:
        try:
            calendar_of(definition)
        except ValueError:  # all else was read: only periods can still collide
            reader.fault(line, _("periods 有重叠，或 to 不晚于 from"))
    cells["definition"] = definition
    return Row(FILE, line, cells) if len(reader.faults) == before else None


def _built_in_stays(reader: _Reader, line: int, key: str, definition: Mapping[str, Any]) -> None:
    if key == AROUND_THE_CLOCK and definition != BUILT_IN[AROUND_THE_CLOCK]:
        reader.fault(line, _("around_the_clock 总是全天候，只能改名称"))
    if key == WORKING and definition["base"] == ALWAYS:
        reader.fault(line, _("working 是工作时间，base 只能是 legal 或 plain"))


def _period(reader: _Reader, entry: dict[str, Any]) -> dict[str, Any]:
    reader.keys(entry, PERIOD, ("from",))
    start, end = reader.day(entry, "from"), reader.day(entry, "to")
    found: dict[str, Any] = {"from": start.isoformat() if start else "", **reader.hours(entry)}
    if "day" not in found and "week" not in found:
        reader.fault(entry[LINE], _("periods 里要写 day 或 week"))
    return found | ({"to": end.isoformat()} if end else {})


def _date(reader: _Reader, entry: dict[str, Any]) -> dict[str, Any]:
    reader.keys(entry, DATE, ("date", "reason"))
    day = reader.day(entry, "date")
    return {"date": day.isoformat() if day else "", "spans": reader.spans(entry.get("spans"), entry[LINE], "spans"),
            "reason": reader.text(entry, "reason", 100)}


def _years(reader: _Reader, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The years that the program does not know itself, in order. Those it knows must agree with what it knows."""
    made: dict[int, dict[str, Any]] = {}
    for entry in entries:
        before = len(reader.faults)
        reader.keys(entry, PUBLISHED_YEAR, PUBLISHED_YEAR_NEEDED)
        year, line = entry.get("year"), entry[LINE]
        if type(year) is not int or not 2000 <= year <= 2100:
            reader.fault(line, _("year 应是年份，如 2027"))
            continue
        holidays, worked = reader.days(entry, "holidays"), reader.days(entry, "worked")
        basis = reader.text(entry, "basis", 200)
        if len(reader.faults) == before:
            _check_year(reader, line, year, holidays, worked)
        if year in made:
            reader.fault(line, _("%s 写了两次") % year)
        made[year] = {"year": year, "basis": basis, "holidays": [day.isoformat() for day in sorted(holidays)],
                      "worked": [day.isoformat() for day in sorted(worked)]}
    return [made[year] for year in sorted(made) if year not in legal_years()]


def _check_year(reader: _Reader, line: int, year: int, holidays: set[date], worked: set[date]) -> None:
    def told(words: str, days: Iterable[date]) -> None:
        if shown := sorted(days):
            reader.fault(line, words % listed(day.isoformat() for day in shown[:5]))

    said = holidays | worked
    # A notice for a year may reach back into the December before: New Year's holiday of 2019 did.
    told(_("不属于这一年：%s"), (day for day in said if day.year != year and (day.year, day.month) != (year - 1, 12)))
    told(_("既放假又上班：%s"), holidays & worked)
    told(_("不是周末，不用写调休上班：%s"), (day for day in worked if day.weekday() < 5))
    told(_("这一年不完整，缺法定节日：%s"), {date(year, *day) for day in FIXED_HOLIDAYS} - holidays)
    if year in legal_years():
        first = date(year, 1, 1)
        days = {first + timedelta(step) for step in range(366)}
        told(_("与国务院公布的放假安排不一致：%s"), (
            day for day in days if day.year == year and legal_day(day) is not (
                Day.OFF if day in holidays else Day.WORKED if day in worked else Day.ORDINARY)))


def keep_the_past(rows: Iterable[Row], *, counted: Iterable[str], today: date, faults: Faults) -> None:
    """Days up to today stay what they were for calendars in which clocks were `counted`: what was late stays late.

    A day of a year that was not published may still become known.
    """
    before, start = definitions(), date(today.year - 1, 1, 1)
    for row in rows:
        if row["code"] not in before or row["code"] not in counted:
            continue
        was, now = calendar_of(before[row["code"]]), calendar_of(row["definition"])
        changed = [
            day for step in range((today - start).days + 1)
            if was.spans_on(day := start + timedelta(step)) != now.spans_on(day)
            and not (isinstance(was, Calendar) and was.days(day) is None)
        ]
        if changed:
            faults.add(FILE, row.line, _("%(code)s：今天和以前的日子不能改（%(day)s），请改明天以后的")
                       % {"code": row["code"], "day": changed[0].isoformat()})
