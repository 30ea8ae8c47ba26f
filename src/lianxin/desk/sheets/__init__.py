"""导出表格: the lists of the desk as workbooks. The rows are those of the page, under the same rule, and no more of each than the page
says: never who a reporter is. A sheet is bounded, says so itself, and who took it is written down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from django.http import FileResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.kernel.clock import now
from lianxin.kernel.sheets import MEDIA, Head, Sheet, streamed
from lianxin.organisations.actors import Actor

from ..models import SheetTaken
from ..templatetags.desk import SHEET_ROWS

MOST: Final = SHEET_ROWS  # rows of one list
STEP: Final = 500  # rows that are read at a time
Row = Sequence[object]


@dataclass(slots=True)
class Part:
    """One list as a sheet. `count` and `cut` are known when it is written: how many rows, and whether there were more than MOST."""

    title: str
    heads: Sequence[Head]
    rows: Iterable[Row]
    count: int = field(default=0, init=False)
    cut: bool = field(default=False, init=False)

    def bounded(self) -> Iterator[Row]:
        for row in self.rows:
            if self.count == MOST:
                self.cut = True
                yield [said_cap()]
                return
            self.count += 1
            yield row


@dataclass(frozen=True, slots=True)
class Taken:
    """What a page offers to take away: its name in the ledger, what it is called, its lists, what they are narrowed to."""

    name: str
    title: str
    parts: Sequence[Part]
    narrowed: Sequence[str] = ()


def every(page: Callable[[str], Any], key: Callable[[Any], Hashable] = attrgetter("pk")) -> Iterator[Any]:
    """The rows of all pages that `page(after)` gives, each once by its `key`: what moves while it is read is not told twice."""
    seen: set[Hashable] = set()
    after = ""
    while True:
        found = page(after)
        fresh = [row for row in found.rows if key(row) not in seen]
        seen.update(map(key, fresh))
        yield from fresh
        if not found.after or not fresh:
            return
        after = found.after


def said_cap() -> str:
    """The last row of a list that was cut off."""
    return _("只含前 %d 行，后面还有。请缩小筛选，分几次导出。") % MOST


def head(title: str, width: int = 14) -> Head:
    return Head(title, width=width)


def _sheets(taken: Taken, by: Actor, at: datetime) -> Iterator[Sheet]:
    for part in taken.parts:
        yield Sheet(part.title, part.heads, part.bounded())
    told: list[Row] = [
        (_("列表"), taken.title), (_("导出时间"), at), (_("导出人"), by.name),
        *((_("筛选"), one) for one in taken.narrowed),
        *((part.title, ngettext("%d 行", "%d 行", part.count) % part.count + (f" · {said_cap()}" if part.cut else ""))
          for part in taken.parts),
        (_("上限"), _("每张表最多 %d 行") % MOST),
        (_("内容"), _("和页面上的列表一样，只有您能看到的工单；没有诉求人的姓名、电话和住址。时间是本地时间。")),
        (_("保管"), _("用完请删除，不要转发给不办理的人。谁在何时导出过，系统有记录。")),
    ]
    yield Sheet(_("说明"), (head(_("项目")), head(_("说明"), 80)), told)


def answered(taken: Taken, by: Actor) -> FileResponse:
    """The workbook, once it is written down who took it. It is made on disk, row by row; the file is gone when it is sent."""
    at = now()
    assert by.staff_id is not None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        streamed(_sheets(taken, by, at), file)
        SheetTaken.objects.create(
            staff_id=by.staff_id, unit_id=by.unit_id, at=at, name=taken.name, rows=sum(part.count for part in taken.parts),
            cut=any(part.cut for part in taken.parts), narrowed=" · ".join(taken.narrowed)[:300])
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return FileResponse(file, as_attachment=True, content_type=MEDIA,
                        filename=f"{taken.title}-{localtime(at):%Y-%m-%d-%H%M}.xlsx".replace("/", "-"))
