"""The lists of the desk: which cases, in what order, for which roles. One definition serves page, bulk and live."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.cases.ledger import to_rule
from lianxin.cases.models import OPEN_STATES, Channel, Kind, Outcome, State, Urgency
from lianxin.cases.queries import MARKS, PAGE, Filters, Page, recent, tasks_of
from lianxin.cases.queries_clocks import extensions_waiting
from lianxin.cases.standings import UNREACHED_DAYS
from lianxin.kernel.clock import now
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role
from lianxin.quality.queries import call_list, to_decide

from .queries import WITH_THE_UNIT, end_of_day, urgent_first, waiting_publication

WHOLE = 100  # of the lists that have one page only
FILTER_KEYS = ("q", "state", "category", "county", "unit", "channel", "urgency", "kind", "due", "returned", "reopened",
               "came", "task", "officer", "open", "tried", "mark", "outcome", "closed")


@dataclass(frozen=True, slots=True)
class Board:
    """`states` are read in the order of what is due. `bulk` names the actions that can be done to many at once."""

    code: str
    title: str | Promise
    empty: str | Promise
    roles: frozenset[Role]
    states: tuple[str, ...] = ()
    bulk: tuple[str, ...] = ()
    by_unit: bool = False

    @property
    def filter_states(self) -> tuple[str, ...]:
        """The states worth choosing between on this list."""
        if self.by_unit:
            return ()
        if self.states:
            return self.states if len(self.states) > 1 else ()
        return tuple(State.values)


ALL = Board(
    "all", _("全部工单"), _("没有符合条件的工单。换个条件，或清除筛选。"),
    frozenset(Role) - {Role.ADMINISTRATOR, Role.TEAM_LEAD, Role.CARE_KEEPER, Role.OUTSIDE_APP},
)
BOARDS: tuple[Board, ...] = (
    Board("queue", _("待受理与派单"), _("都派出去了。有新件会在这里提示。"), frozenset({Role.OPERATOR, Role.DISPATCHER}),
          (State.REGISTERED, State.ACCEPTED), ("accept", "dispatch")),
    Board("returns", _("退单裁定"), _("没有待裁定的退单。"), frozenset({Role.DISPATCHER}), (State.OBJECTED,)),
    Board("extensions", _("延期待批"), _("没有等答复的延期申请。"), frozenset({Role.DISPATCHER, Role.SUPERVISOR})),
    Board("mine", _("本单位办件"), _("没有在办的工单。新派来的会在这里提示。"), frozenset({Role.CLERK}),
          ("assigned", "in_hand", "objected"), ("sign",), by_unit=True),
    Board("review", _("待审核"), _("没有待审核的答复。"), frozenset({Role.REVIEWER}), (State.REPLIED,)),
    Board("callback", _("待回访"), _("没有待回访的工单。"), frozenset({Role.CALLBACK}), (State.CALLBACK,)),
    Board("decide", _("交督办决定"), _("没有等您决定的工单。"), frozenset({Role.SUPERVISOR}), (State.CALLBACK,)),
    Board("publication", _("公开审核"), _("没有待审核的公开申请。"), frozenset({Role.REVIEWER, Role.DISPATCHER})),
    Board("reported", _("我上报的"), _("您还没有上报过工单。"), frozenset({Role.GRID_WORKER})),
    ALL,
)
BY_CODE = {board.code: board for board in BOARDS}


def boards_for(actor: Actor) -> list[Board]:
    return [board for board in BOARDS if actor.has(*board.roles)]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on, and the query string without it."""

    label: str
    without: str


def filters_from(query: QueryDict) -> Filters:
    """Filters of a query string; unknown values are left out rather than refused."""

    def one_of(name: str, values: list[str]) -> str:
        value = query.get(name, "")
        return value if value in values else ""

    at = now()
    due = query.get("due", "")
    states = tuple(state for state in query.getlist("state") if state in State.values)
    if not states and query.get("open") == "1":
        states = tuple(state.value for state in OPEN_STATES if state != State.MERGED)  # as standings count them
    return Filters(
        states=states,
        category=query.get("category", "")[:12],
        county=query.get("county", "")[:24],
        unit=query.get("unit", "")[:24],
        channel=one_of("channel", Channel.values),
        urgency=one_of("urgency", Urgency.values),
        kind=one_of("kind", Kind.values),
        overdue_at=at if due == "overdue" else None,
        due_before=end_of_day(at) if due == "today" else at + timedelta(days=1) if due == "soon" else None,
        due_from=at if due == "soon" else None,
        returned=query.get("returned") == "1",
        reopened=query.get("reopened") == "1",
        came_back=query.get("came") == "back",
        mark=one_of("mark", list(MARKS)),
        outcome=one_of("outcome", Outcome.values),
        closed_since=at - timedelta(days=UNREACHED_DAYS) if query.get("closed") == "30d" else None,
        text=query.get("q", "").strip()[:60],
    )


def chips_of(query: QueryDict, names: dict[str, dict[str, str]]) -> list[Chip]:
    """The filters that are on, each with the address that takes it off."""
    chips: list[Chip] = []
    for key in FILTER_KEYS:
        for value in query.getlist(key):
            if not value:
                continue
            rest = query.copy()
            rest.setlist(key, [other for other in query.getlist(key) if other != value])
            rest.pop("after", None)
            label = names.get(key, {}).get(value, value)
            chips.append(Chip(label, rest.urlencode()))
    return chips


def page_of(board: Board, actor: Actor, *, filters: Filters, after: str = "", officer: bool = False,
            states: tuple[str, ...] = (), everybody: bool = False, limit: int = PAGE) -> Page:
    """One page of a board. `states` narrows a unit's list to assignments in these states; `officer` to what is this
    person's or nobody's yet; `everybody` shows callers also who was tried a short while ago."""
    if board.by_unit:
        narrowed = replace(filters, states=WITH_THE_UNIT)
        tasks, cursor = tasks_of(units_of(actor), states=states or board.states, filters=narrowed, after=after, limit=limit,
                                 officer_id=actor.staff_id if officer else None)
        for task in tasks:
            task.case.task = task.assignment
        return Page([task.case for task in tasks], cursor)
    if board.code == "callback":
        return call_list(actor, filters=filters, after=after, at=now(), everybody=everybody, limit=limit)
    if board.code == "decide":
        return to_decide(actor, filters=filters, after=after, limit=limit)
    if board.code == "returns":
        return to_rule(actor, filters=filters, after=after, limit=limit)
    if board.states:
        return urgent_first(actor, states=board.states, filters=filters, after=after, limit=limit)
    if board.code == "extensions":
        return Page(extensions_waiting(actor, filters=filters, limit=max(limit, WHOLE)))
    if board.code == "publication":
        return Page(waiting_publication(actor, filters=filters, limit=max(limit, WHOLE)))
    return recent(actor, filters=filters, after=after, limit=limit)


def units_of(actor: Actor) -> set[int]:
    """The units a clerk works for."""
    return {grant.unit_id for grant in actor.grants if grant.role is Role.CLERK}
