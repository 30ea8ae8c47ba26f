"""On-time status computed again from a file's own times, against the flag the city put beside them.

The file is that of the City of Boston's 311 (`OPEN_DT`, `TARGET_DT`, `CLOSED_DT`, `OnTime_Status`, `CASE_STATUS`), wall
clock of Boston. The rule is the one this program uses for its own clocks: met in time when ended not after the due time,
compared to the second; one still open is late once the due time has passed; without a due time nothing was promised, and
it is neither on time nor late.

When the file was drawn it does not say. The latest closing in it is taken, which needs no flag; what hangs on the hours
between that and the real moment is a class of its own.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.kernel.errors import Invalid

BOSTON: Final = ZoneInfo("America/New_York")
COLUMNS: Final = ("case_enquiry_id", "open_dt", "target_dt", "closed_dt", "ontime_status", "case_status")
_FORMATS: Final = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


class Class(StrEnum):
    """What the flag and the times say of one row. Every row is in exactly one."""

    BOTH_ON_TIME = "both_on_time"
    BOTH_OVERDUE = "both_overdue"
    NO_TARGET_CLOSED = "no_target_closed"
    NO_TARGET_OPEN = "no_target_open"
    NO_FLAG_OVERDUE = "no_flag_overdue"
    NO_FLAG_OTHER = "no_flag_other"
    DRAWN_LATER = "drawn_later"
    FLAG_ON_TIME_ONLY = "flag_on_time_only"
    FLAG_OVERDUE_ONLY = "flag_overdue_only"
    UNREADABLE = "unreadable"


WORDS: Final = {
    Class.BOTH_ON_TIME: gettext_lazy("一致：按时"),
    Class.BOTH_OVERDUE: gettext_lazy("一致：超时"),
    Class.NO_TARGET_CLOSED: gettext_lazy("没有期限，已办结：城市标按时；没有承诺，就无所谓按时，这里两边都不算"),
    Class.NO_TARGET_OPEN: gettext_lazy("没有期限，还没办结：城市标按时；同上"),
    Class.NO_FLAG_OVERDUE: gettext_lazy("城市没有标记，按时间算超时"),
    Class.NO_FLAG_OTHER: gettext_lazy("城市没有标记，按时间算没有超时"),
    Class.DRAWN_LATER: gettext_lazy("没办结，期限在文件最后一次办结之后、标的是超时：文件实际抽取得更晚"),
    Class.FLAG_ON_TIME_ONLY: gettext_lazy("城市标按时，按时间算超时"),
    Class.FLAG_OVERDUE_ONLY: gettext_lazy("城市标超时，按时间算按时"),
    Class.UNREADABLE: gettext_lazy("时间或标记无法识别"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One request; times are Boston's wall clock, without a zone. `flag` is "ONTIME", "OVERDUE" or ""."""

    id: str
    opened: datetime
    target: datetime | None
    closed: datetime | None
    flag: str


@dataclass(slots=True)
class Compared:
    """Counts by class, and how much each peculiarity of the times could have mattered.

    `doubts` counts rows, of those with a target: `tie` ended at the target's very second, `same_minute` within the
    minute of it, `day_rule` would be judged otherwise if only days were compared, `dst_span` have a change of clocks
    between opening and end or target, `dst_hour` have a time in an hour that comes twice or not at all, `dst_verdict`
    would be judged otherwise on the UTC time line, `closed_before_open` cannot be true.
    """

    rows: int = 0
    drawn: datetime | None = None
    drawn_between: tuple[datetime | None, datetime | None] = (None, None)
    classes: dict[str, int] = field(default_factory=lambda: {one.value: 0 for one in Class})
    examples: dict[str, list[str]] = field(default_factory=dict)
    doubts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(
        ("tie", "same_minute", "day_rule", "dst_span", "dst_hour", "dst_verdict", "closed_before_open"), 0))
    city: tuple[int, int] = (0, 0)
    recomputed: tuple[int, int] = (0, 0)


def _read_time(said: str) -> datetime | None:
    if not said:
        return None
    for form in _FORMATS:
        try:
            return datetime.strptime(said, form)  # noqa: DTZ007 - the wall clock of Boston, as it is written
        except ValueError:
            continue
    raise ValueError(said)


def _rows(path: Path) -> Iterator[tuple[str, Row | None]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as source:
            yield from _parsed(csv.DictReader(source))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise Invalid(_("这个文件读不了：%s") % error, code="unreadable") from error


def _parsed(reader: csv.DictReader[str]) -> Iterator[tuple[str, Row | None]]:
    names = {name.strip().lower(): name for name in reader.fieldnames or ()}
    if missing := [name for name in COLUMNS if name not in names]:
        raise Invalid(_("文件里没有这些列：%(missing)s。文件的列是：%(columns)s。")
                      % {"missing": ", ".join(missing), "columns": ", ".join(reader.fieldnames or ())})
    for raw in reader:
        held: Mapping[str, str] = {name: (raw[names[name]] or "").strip() for name in COLUMNS}
        try:
            opened = _read_time(held["open_dt"])
            if opened is None or held["ontime_status"] not in ("ONTIME", "OVERDUE", ""):
                raise ValueError(held["ontime_status"])
            yield held["case_enquiry_id"], Row(
                held["case_enquiry_id"], opened, _read_time(held["target_dt"]), _read_time(held["closed_dt"]),
                held["ontime_status"])
        except ValueError:
            yield held["case_enquiry_id"], None


def on_time(row: Row, drawn: datetime) -> bool | None:
    """The rule; None where nothing was promised."""
    if row.target is None:
        return None
    return (row.closed or drawn) <= row.target


def class_of(row: Row, drawn: datetime) -> Class:
    ours = on_time(row, drawn)
    if ours is None and row.flag == "ONTIME":
        return Class.NO_TARGET_OPEN if row.closed is None else Class.NO_TARGET_CLOSED
    if not row.flag:
        return Class.NO_FLAG_OVERDUE if ours is False else Class.NO_FLAG_OTHER
    flagged = row.flag == "ONTIME"
    if ours is None or ours == flagged:
        if ours is None:
            return Class.FLAG_OVERDUE_ONLY
        return Class.BOTH_ON_TIME if flagged else Class.BOTH_OVERDUE
    if ours and row.closed is None:
        return Class.DRAWN_LATER
    return Class.FLAG_OVERDUE_ONLY if ours else Class.FLAG_ON_TIME_ONLY


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=BOSTON).astimezone(UTC)


def _odd_hour(at: datetime) -> bool:
    """Whether the wall clock showed this twice, or never."""
    return at.replace(tzinfo=BOSTON, fold=0).utcoffset() != at.replace(tzinfo=BOSTON, fold=1).utcoffset()


def _doubt(row: Row, drawn: datetime, found: dict[str, int]) -> None:
    found["closed_before_open"] += row.closed is not None and row.closed < row.opened
    if row.target is None:
        return
    end = row.closed or drawn
    found["tie"] += end == row.target
    found["same_minute"] += abs(end - row.target) < timedelta(minutes=1)
    found["day_rule"] += (end.date() <= row.target.date()) != (end <= row.target)
    offsets = {at.replace(tzinfo=BOSTON).utcoffset() for at in (row.opened, end, row.target)}
    found["dst_span"] += len(offsets) > 1
    found["dst_hour"] += any(_odd_hour(at) for at in (row.opened, end, row.target))
    found["dst_verdict"] += (_utc(end) <= _utc(row.target)) != (end <= row.target)


def compare(path: Path, *, examples: int = 3) -> Compared:
    """Read the file twice: for the latest closing, then row by row. Raises Invalid for a file that is not of this kind."""
    drawn = max((row.closed for _id, row in _rows(path) if row and row.closed), default=None)
    found = Compared(drawn=drawn)
    late: datetime | None = None
    early: datetime | None = None
    for row_id, row in _rows(path):
        found.rows += 1
        kind = Class.UNREADABLE if row is None else class_of(row, drawn or row.opened)
        found.classes[kind.value] += 1
        if kind not in (Class.BOTH_ON_TIME, Class.BOTH_OVERDUE):
            shown = found.examples.setdefault(kind.value, [])
            if len(shown) < examples:
                shown.append(row_id)
        if row is None:
            continue
        _doubt(row, drawn or row.opened, found.doubts)
        ours = on_time(row, drawn or row.opened)
        found.recomputed = _more(found.recomputed, ours)
        found.city = _more(found.city, None if not row.flag else row.flag == "ONTIME")
        if row.closed is None and row.target is not None:
            if row.flag == "OVERDUE":
                late = max(late or row.target, row.target)
            elif row.flag == "ONTIME":
                early = min(early or row.target, row.target)
    found.drawn_between = (late, early)
    return found


def _more(held: tuple[int, int], on: bool | None) -> tuple[int, int]:
    return held if on is None else (held[0] + on, held[1] + 1)


def as_json(found: Compared) -> str:
    return json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str)


def _share(part: tuple[int, int]) -> str:
    return f"{part[0]}/{part[1]}" + (f" = {part[0] / part[1]:.1%}" if part[1] else "")


def as_text(found: Compared) -> str:
    lines = [_("%(rows)d 行；文件里最晚的办结：%(drawn)s") % {"rows": found.rows, "drawn": found.drawn or "–"}]
    late, early = found.drawn_between
    if late and early:
        lines.append(_("按没办结各行的标记，文件抽取于 %(late)s 与 %(early)s 之间。") % {"late": late, "early": early})
    for kind, count in found.classes.items():
        if count:
            shown = ", ".join(found.examples.get(kind, ()))
            lines.append(f"{count:>8}  {WORDS[Class(kind)]}" + (f" [{shown}]" if shown else ""))
    lines += [
        _("城市的按时率 %(city)s；有期限的按时间重算 %(ours)s") % {
            "city": _share(found.city), "ours": _share(found.recomputed)},
        _("有疑问的时间：与期限同秒 %(tie)d，相差不到一分钟 %(same_minute)d，只比日期会改判 %(day_rule)d，跨夏令时 %(dst_span)d，"
          "落在调钟的那一小时 %(dst_hour)d，按世界时会改判 %(dst_verdict)d，办结早于提出 %(closed_before_open)d") % found.doubts,
    ]
    return "\n".join(lines)
