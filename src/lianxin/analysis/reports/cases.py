"""The cases behind one number: the expression that counted it, asked for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import ibis
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ibis.expr.types import Table

from lianxin.cases import policy
from lianxin.cases.models import Case
from lianxin.cases.queries import cursor_of, read_cursor, rows
from lianxin.kernel.errors import NotFound
from lianxin.organisations.actors import Actor
from lianxin.places.models import Area

from .. import assemble, counting, facts
from ..counting import Narrowed, Shape
from ..engines import Blank, Value, answer, engine
from ..figures import Period
from .document import Cases
from .source import guarded

PAGE: Final = 50
NONE: Final = "-"  # narrowed to what has no unit, county, town or category
REGISTERED, CLOSED, DECLINED = "registered", "closed", "declined"

# What a number counts, said before its list.
MEASURES: Final[dict[str, str | Promise]] = {
    REGISTERED: gettext_lazy("登记的工单"), CLOSED: gettext_lazy("归档的工单"), DECLINED: gettext_lazy("不予受理的工单"),
    "due": gettext_lazy("应回访的"), "contacted_in_time": gettext_lazy("在首次联系期限内联系到诉求人的"),
    "reached": gettext_lazy("联系上诉求人的"), "solved": gettext_lazy("诉求人说已解决的"),
    "rated": gettext_lazy("诉求人作了评价的"), "satisfied": gettext_lazy("评价为满意或基本满意的"),
    "unreached": gettext_lazy("回访未联系上的"),
    "sign_for_owed": gettext_lazy("应签收的"), "sign_for_in_time": gettext_lazy("按时签收的"),
    "first_contact_owed": gettext_lazy("应首次联系的"), "first_contact_in_time": gettext_lazy("首次联系没有超时的"),
    "resolve_owed": gettext_lazy("应办结的"), "resolve_in_time": gettext_lazy("按时办结的"),
    "callback_in_time": gettext_lazy("按时回访的"),
    "rulings_owed": gettext_lazy("有退单要裁定的"), "rulings_in_time": gettext_lazy("退单按时裁定的"),
    "first_dispatched": gettext_lazy("派过单的第一轮"), "first_dispatch_stood": gettext_lazy("第一次就派对的"),
    "reopened": gettext_lazy("之后又重办的"), "returns": gettext_lazy("退过单的"), "reworks": gettext_lazy("返过工的"),
    "against_catalogue": gettext_lazy("没有按派单目录派的"), "pauses": gettext_lazy("挂起过的"),
    "extensions": gettext_lazy("延过期的"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One page. `total` is the number itself and `cases` how many cases make it up: one case may count more than once.
    `hidden` counts cases of this page that are not this reader's to see."""

    rows: list[Case]
    total: int
    cases: int
    hidden: int
    after: str


def _within(asked: Cases) -> tuple[Narrowed, int | None]:
    """Narrowing by codes, to a town too. Raises NotFound for a code there is none of."""
    narrowed = assemble.narrowed(assemble.scope_of(
        **{name: code for name in ("unit", "county", "category") if (code := getattr(asked, name)) not in ("", NONE)}))
    if asked.town in ("", NONE):
        return narrowed, None
    town = Area.objects.filter(code=asked.town, level="town").values_list("pk", flat=True).first()
    if town is None:
        raise NotFound(_("没有这个乡镇街道：%(code)s") % {"code": asked.town})
    return narrowed, int(town)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the statement of a list hangs on; `empty` are the columns of ids that hold nothing."""

    measure: str
    within: Shape
    town: bool
    empty: tuple[str, ...]

    def of(self, e: Table) -> Table:
        e = self.within.of(e)
        if self.town:
            e = e.filter(e.town_id == counting.number(Blank("town")))
        for column in self.empty:
            e = e.filter(e[column].isnull())
        return e


def _episodes(shape: _Shape) -> Table:
    """Case and how often it counts, for each case that does."""
    if shape.measure in (REGISTERED, CLOSED, DECLINED):
        if shape.measure == REGISTERED:
            e = counting.registered_in()
        else:
            e = counting.ended_in()
            e = e.filter(e.ended_as == shape.measure)
        e = shape.of(e)
        return e.group_by("case_id").aggregate(times=e.count())
    e = shape.of(counting.fell_due())
    made = e.group_by("case_id").aggregate(times=counting.measures(e)[shape.measure])
    return made.filter(made.times > 0)


def _totals(shape: _Shape) -> Table:
    made = _episodes(shape)
    return made.aggregate(total=made.times.sum().fill_null(0), cases=made.count())


def _listed(shape: _Shape, after: bool, limit: int) -> Table:
    made = _episodes(shape)
    if after:
        made = made.filter(made.case_id < ibis.literal(Blank("after").text).cast("uuid"))
    return made.order_by(ibis.desc("case_id")).limit(limit).select("case_id")


def behind(actor: Actor, asked: Cases, *, after: str = "", limit: int = PAGE) -> Found:
    """The cases of one number, newest first, those that the actor may see. Raises NotFound for a number or code there is
    none of, Invalid for a period that is none, FiguresFailed."""
    if asked.measure not in MEASURES:
        raise NotFound(_("没有这个统计数。"))
    return guarded(lambda: _behind(actor, asked, after, limit))


def _behind(actor: Actor, asked: Cases, after: str, limit: int) -> Found:
    if facts.standing_at() is None:  # a list opened by its address, before any report was made
        facts.refresh()
    with engine("postgresql") as source:
        (within, town), position = _within(asked), _position(after)
        shape = _Shape(asked.measure, within.shape, town is not None, tuple(
            f"{name}_id" for name in ("unit", "county", "town", "category") if getattr(asked, name) == NONE))
        given: dict[str, Value] = {**counting.moments(source, Period.of(asked.period)), **within.ids}
        if town is not None:
            given["town"] = town
        [(total, cases)] = answer(source, _totals, shape, **given)
        ids = [UUID(str(row[0])) for row in answer(
            source, _listed, shape, position is not None, limit + 1, **given, **({} if position is None else {"after": position}))]
    more, ids = len(ids) > limit, ids[:limit]
    seen = list(rows(Case.objects.filter(policy.visible_to(actor), pk__in=ids)).order_by("-id"))
    return Found(seen, int(total), int(cases), len(ids) - len(seen), cursor_of(ids[-1]) if more else "")


def _position(after: str) -> UUID | None:
    held = read_cursor(after) if after else None
    try:
        return UUID(held[0]) if held and len(held) == 1 else None
    except ValueError:
        return None
