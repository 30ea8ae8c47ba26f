"""Cases as rows: what a line of the desk's lists says, each thing in a column of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.utils.translation import gettext as _

from lianxin.cases.models import Case
from lianxin.cases.queries import Page
from lianxin.faces.templatetags.lianxin import said_name
from lianxin.kernel.language import listed
from lianxin.kernel.sheets import Head

from ..calls import with_tries
from ..rows import due_of, lines
from ..templatetags.desk import EXCERPT, opening
from . import STEP, Part, Row, every, head


def case_heads() -> list[Head]:
    return [
        head(_("编号"), 18), head(_("诉求"), 60), head(_("事项"), 20), head(_("地点"), 20), head(_("县市区")), head(_("渠道"), 10),
        head(_("类型"), 10), head(_("紧急程度"), 10), head(_("状态"), 12), head(_("谁在办"), 18), head(_("登记时间"), 17),
        head(_("期限"), 17), head(_("超时"), 10), head(_("标注"), 30), head(_("归档时间"), 17), head(_("结果"), 16),
    ]


def case_rows(cases: Iterable[Case], *, tries: bool = False) -> Iterator[Row]:
    """Rows of cases that come as the lists read them, some hundred at a time. `tries` adds what is known of callbacks."""
    held: list[Case] = []
    for case in cases:
        held.append(case)
        if len(held) == STEP:
            yield from _rows(held, tries)
            held = []
    yield from _rows(held, tries)


def _rows(cases: list[Case], tries: bool) -> Iterator[Row]:
    made = with_tries(lines(cases), cases) if tries else lines(cases)
    for case, line in zip(cases, made, strict=True):
        marks = [badge.words for badge in (*line.badges, *([line.provisional] if line.provisional else ()))]
        yield (
            case.number, opening(case, EXCERPT), said_name(case.category) if case.category else "",
            said_name(case.area) if case.area else case.place_text, said_name(case.county) if case.county else "",
            case.get_channel_display(), case.get_kind_display() if case.kind else "",
            case.get_urgency_display() if case.urgency else "", line.state.words, line.who, case.registered_at, due_of(case),
            line.late.words if line.late and not line.quiet and not line.closed else "", listed(marks), case.closed_at, line.outcome,
        )


def _key(case: Case) -> UUID:
    """A unit may hold two parts of one case."""
    return case.task.pk if case.task else case.pk


def cases_part(title: str, cases: Iterable[Case], *, tries: bool = False) -> Part:
    return Part(title, case_heads(), case_rows(cases, tries=tries))


def cases_of(page: Callable[[str], Page]) -> Iterator[Case]:
    """The cases of all pages, each once."""
    return every(page, _key)
