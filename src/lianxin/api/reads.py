"""Reading cases: lists in keyset pages, one case, its timeline and files, a clerk's tasks – and who reported it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.cases import families, narrative, policy, returns
from lianxin.cases import queries as case_queries
from lianxin.cases import standings as standing
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.engine import On
from lianxin.cases.models import OPEN_STATES, Assignment, Case, State
from lianxin.cases.queries import access_case
from lianxin.cases.queries_clocks import not_now
from lianxin.cases.reference import reference
from lianxin.cases.states import transitions_from
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role
from lianxin.supervision import actions as supervising

from . import shapes
from .actions import ROWS
from .choices import ChannelName, KindName, StateName, UrgencyName
from .queries import attachments_of, parts_of
from .register import CaseMade, Code, NewCase, create
from .requests import read
from .service import ApiRequest, answer, api, page, takes
from .shapes import Named
from .tokens import READ

Text = Annotated[str, StringConstraints(max_length=60)]
Cursor = Annotated[str, StringConstraints(max_length=400)]
TASK_STATES = ("assigned", "in_hand", "objected")


class Narrow(Schema):
    """What a list may be narrowed by."""

    category: Code = Field("", description="Code of a category or of one above it.")
    county: Code = Field("", description="Code of a county.")
    unit: Code = Field("", description="Code of the lead unit.")
    channel: ChannelName | None = None
    kind: KindName | None = None
    urgency: UrgencyName | None = None
    overdue: bool = Field(False, description="Only those whose answer is owed and overdue.")
    due_before: AwareDatetime | None = None
    since: AwareDatetime | None = Field(None, description="Registered at this time or later.")
    returned: bool = Field(False, description="Only those that were returned at least once.")
    reopened: bool = Field(False, description="Only those in a second round or later.")
    q: Text = Field("", description="Words in title, text or place; or a case number.")
    after: Cursor = Field("", description="From a page's `next`.")
    limit: int = Field(50, ge=1, le=200)

    def filters(self, states: tuple[str, ...] = ()) -> case_queries.Filters:
        return case_queries.Filters(
            states=states, category=self.category, county=self.county, unit=self.unit, channel=self.channel or "",
            urgency=self.urgency or "", kind=self.kind or "", overdue_at=now() if self.overdue else None,
            due_before=self.due_before, returned=self.returned, reopened=self.reopened, text=self.q.strip(),
            since=self.since,
        )


class CaseQuery(Narrow):
    order: Literal["recent", "due"] = Field(
        "recent", description="`recent`: newest first, any state. `due`: open cases, due first.")
    state: list[StateName] = Field(
        default_factory=list, description="May be given more than once.")


class TaskQuery(Narrow):
    officer: Literal["me"] | None = Field(None, description="Mine, and those nobody has yet.")


def checked_cursor(after: str, *, due: bool) -> str:
    """Raises Invalid for a position that this API did not give."""
    if not after:
        return after
    position = case_queries.read_cursor(after)
    try:
        if position is None or len(position) != (2 if due else 1):
            raise ValueError
        UUID(position[-1])
        if due and datetime.fromisoformat(position[0]).tzinfo is None:
            raise ValueError
    except ValueError:
        raise Invalid(_("页码标记不对：请用上一页给出的 next。"), fields={"after": str(_("格式不对。"))}) from None
    return after


def actions_for(actor: Actor, case: Case, open_ones: list[Assignment]) -> list[dict[str, Any]]:
    """Every action of the table from here that concerns the caller's roles, with the policy's word on it."""
    found = []
    lead = policy.own_assignment(actor, open_ones, "raise_return")
    barred = returns.barred(case, lead.unit_id if lead is not None else None)
    idle = not_now(case) | supervising.not_now(case)
    held = policy.known(actor, case)
    for row in transitions_from(case.state):
        if row.action not in ROWS or not row.roles & actor.roles:
            continue
        decision = policy.can(actor, row.action, case, assignment=policy.own_assignment(actor, open_ones, row.action), held=held)
        if decision.allowed and row.action in barred:
            decision = policy.Decision(False, barred[row.action])
        elif decision.allowed and row.action in idle:
            decision = policy.Decision(False, _("现在没有要办的这一步。"))
        found.append({"action": row.action, "label": str(row.label), "allowed": decision.allowed,
                      "reason": str(decision.reason)})
    return found


@api.get("/cases", response=shapes.CasePage, operation_id="list_cases", summary="列出工单 list cases", tags=["cases"])
def list_cases(request: ApiRequest, query: Query[CaseQuery]) -> HttpResponse:
    """The cases the caller may see, in keyset pages: complete and without doubles while rows are added."""
    request.auth.need(READ)
    due = query.order == "due"
    after = checked_cursor(query.after, due=due)
    states = tuple(query.state)
    if due:
        found = case_queries.by_due(request.auth.actor, states=states or [s.value for s in OPEN_STATES],
                               filters=query.filters(states), after=after, limit=query.limit)
    else:
        found = case_queries.recent(request.auth.actor, filters=query.filters(states), after=after, limit=query.limit)
    return page(request, shapes.case_rows(found.rows), found.after)


@api.post("/cases", response={201: CaseMade}, operation_id="register", summary="登记 register", tags=["cases"],
          openapi_extra=takes(NewCase))
def register_case(request: ApiRequest) -> HttpResponse:
    """登记: one case. Coordinates come with their system; WGS-84 when silent. Scope: `register`."""
    return create(request, request.auth)


@api.get("/cases/{uuid:case_id}", response=shapes.CaseOut, operation_id="read_case", summary="查看工单 read one case",
         tags=["cases"])
def read_case(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """State, clocks, assignments, and what the caller may do now with the reason where not. ETag: the version."""
    request.auth.need(READ)
    actor = request.auth.actor
    case = access_case(actor, case_id, "registered_by")
    file = parts_of(case)
    open_ones = list(families.acting(case, file.open_ones))
    held = reference()
    place = held.places.get(case.area_id) if case.area_id is not None else None
    may = policy.can_read_identity(actor, case, open_ones)
    body = shapes.case_row(case, held, now()) | {
        "language": case.language, "lon": case.lon, "lat": case.lat, "coordinate_system": "wgs84",
        "registered_by": case.registered_by.name if case.registered_by else None,
        "area_path": [shapes.named(held.places[pk]) for pk in reversed(place.lineage)] if place else [],
        "has_reporter": case.reporter_id is not None,
        "identity": {"action": "read_identity", "label": str(_("查看诉求人")), "allowed": may.allowed,
                     "reason": str(may.reason)},
        "assignments": [shapes.assignment(a) for a in file.assignments],
        "clocks": [shapes.clock(c) for c in file.clocks],
        "actions": actions_for(actor, case, open_ones),
    }
    return answer(body, headers={"ETag": f'"{case.version}"'})


@api.get("/cases/{uuid:case_id}/timeline", response=shapes.Timeline, operation_id="read_timeline",
         summary="办理过程 timeline", tags=["cases"])
def read_timeline(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """Every event of a case, newest first, with its words and one sentence that says it."""
    request.auth.need(READ)
    case = access_case(request.auth.actor, case_id)
    return answer({"items": [
        shapes.event(entry, narrative.said(entry.event, internal=True)) for entry in case_queries.timeline(case)
    ]})


@api.get("/cases/{uuid:case_id}/attachments", response=shapes.AttachmentList, operation_id="list_attachments",
         summary="附件列表 list attachments", tags=["attachments"])
def list_attachments(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """The files of a case, oldest first."""
    request.auth.need(READ)
    case = access_case(request.auth.actor, case_id)
    return answer({"items": [shapes.attachment(row) for row in attachments_of(case)]})


class Why(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "联系诉求人核对地点"}]})

    why: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(description="Written into the ledger.")


class IdentityOut(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [
        {"name": "王小明", "phone": "13812342201", "address": "", "email": ""}]})

    name: str
    phone: str
    address: str
    email: str


@api.post("/cases/{uuid:case_id}/identity", response=IdentityOut, operation_id="read_identity",
          summary="查看诉求人 read who reported", tags=["cases"], openapi_extra=takes(Why))
def identity(request: ApiRequest, case_id: UUID) -> HttpResponse:
    """Who reported, for those handling the case now. Each reading is written down with who, when and why: sent again,
    it is another reading. Scope: `read_identity`."""
    request.auth.need(policy.READ_IDENTITY)
    person = read_identity(On(case_id, request.auth.actor), why=read(request, Why).why)
    return answer({"name": person.name, "phone": person.phone, "address": person.address, "email": person.email})


@api.get("/tasks", response=shapes.TaskPage, operation_id="list_tasks", summary="本单位办件 my unit's tasks",
         tags=["cases"])
def list_tasks(request: ApiRequest, query: Query[TaskQuery]) -> HttpResponse:
    """The open assignments of the units the caller is a clerk of, due first. Empty for everyone else."""
    request.auth.need(READ)
    actor = request.auth.actor
    units = {grant.unit_id for grant in actor.grants if grant.role is Role.CLERK}
    tasks, after = case_queries.tasks_of(
        units, states=TASK_STATES, filters=query.filters(), after=checked_cursor(query.after, due=True),
        officer_id=actor.staff_id if query.officer else None, limit=query.limit,
    )
    held, at = reference(), now()
    return page(request, [{"assignment": shapes.assignment(task.assignment),
                           "case": shapes.case_row(task.case, held, at)} for task in tasks], after)


class StandingOut(Schema):
    state: str
    label: str
    total: int
    overdue: int
    soon: int = Field(description="Due within a day.")


class Counted(Schema):
    """What the board counts of open cases; `unreached` of those closed in the last 30 days."""

    total: int
    overdue: int
    soon: int = Field(description="Due within a day.")
    returned: int
    redone: int = Field(description="Sent back by a review.")
    reopened: int
    paused: int
    for_supervisor: int
    supervised: int = Field(description="Under written or listed supervision.")
    unreached: int = Field(description="Closed with nobody reached.")


class CountedBy(Counted):
    key: Named = Field(description="The unit or the county.")


class Standings(Schema):
    items: list[StandingOut] = Field(description="By state.")
    totals: Counted
    rows: list[CountedBy] = Field(description="By unit or county, most overdue first, at most twenty; empty without `by`.")


class StandingsQuery(Schema):
    by: Literal["unit", "county"] | None = None


@api.get("/standings", response=Standings, operation_id="read_standings", summary="在办总览 where everything stands",
         tags=["cases"])
def standings(request: ApiRequest, query: Query[StandingsQuery]) -> HttpResponse:
    """Open cases the caller may see: by state, all together, and by lead unit or county."""
    request.auth.need(READ)
    at, actor = now(), request.auth.actor
    names = tuple(Counted.model_fields)
    column = {"unit": "lead_unit", "county": "county"}.get(query.by or "")
    listed = standing.standings_by(actor, column, at=at) if column else []
    order = [state.value for state in State]
    found = sorted(standing.standings(actor, at=at), key=lambda row: order.index(row.state))
    return answer({"items": [{"state": row.state, "label": str(State(row.state).label), "total": row.total,
                              "overdue": row.overdue, "soon": row.soon} for row in found],
                   "totals": standing.totals(actor, at=at),
                   "rows": [{"key": {"code": row[f"{column}__code"], "name": row[f"{column}__name"]},
                             **{name: row[name] for name in names}} for row in listed]})


