"""Who may see and do what: role × unit × area, one rule for lists and for single cases.

`visible_to(actor)` gives the filter of a list, `can_see(actor, case)` the check of one case. Both come from the
same `Scope`, and a property test shows that they agree.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.organisations.actors import Actor, Grant, Kind
from lianxin.organisations.models import Role, UnitKind
from lianxin.organisations.scopes import named

from .models import Assignment, AssignmentRole, Case, Check, Linkage, State
from .models.checks import OPEN as OPEN_CHECK
from .states import BY_ACTION, TABLE, Holder, Transition

HOTLINE_ROLES = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.REVIEWER, Role.CALLBACK, Role.SUPERVISOR})


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, or not and why: the sentence a disabled button shows."""

    allowed: bool
    reason: str | Promise = ""

    def __bool__(self) -> bool:
        return self.allowed


YES = Decision(True)
for _row in TABLE:
    named(_row.action, _row.label if _row.roles else "")


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases an actor may see: the union of its parts. Empty parts mean none."""

    everything: bool = False
    unit_ids: frozenset[int] = frozenset()
    county_ids: frozenset[int] = frozenset()
    worker_id: int | None = None
    case_id: uuid.UUID | None = None

    def q(self) -> Q:
        """The filter."""
        if self.everything:
            return Q()
        query = Q(pk__in=[])
        if self.unit_ids:
            query |= Q(unit_ids__overlap=sorted(self.unit_ids))
        if self.county_ids:
            query |= Q(county_id__in=sorted(self.county_ids))
        if self.worker_id is not None:
            query |= Q(registered_by_id=self.worker_id) | Q(pk__in=_asked_to_look(self.worker_id)) | Q(
                pk__in=_working_on(self.worker_id))
        if self.case_id is not None:
            query |= Q(pk=self.case_id)
        return query

    def holds(self, case: Case) -> bool:
        return (
            self.everything
            or not self.unit_ids.isdisjoint(case.unit_ids)
            or case.county_id in self.county_ids
            or (self.worker_id is not None and self._workers(case))
            or (self.case_id is not None and case.pk == self.case_id)
        )

    def _workers(self, case: Case) -> bool:
        assert self.worker_id is not None
        return (case.registered_by_id == self.worker_id or _asked_to_look(self.worker_id).filter(case=case).exists()
                or _working_on(self.worker_id).filter(case=case).exists())


def _asked_to_look(staff_id: int) -> QuerySet[Check, uuid.UUID]:
    """Cases a grid worker is asked to look at and has not answered for yet."""
    return Check.objects.filter(OPEN_CHECK, worker_id=staff_id).values_list("case_id", flat=True)


def _working_on(staff_id: int) -> QuerySet[Assignment, uuid.UUID]:
    """Cases whose part of a unit a grid worker was given by name."""
    return Assignment.objects.filter(officer_id=staff_id, ended_at__isnull=True).values_list("case_id", flat=True)


def _county_of(grant: Grant) -> int | None:
    return grant.area_id or grant.county_id


def scope_of(actor: Actor) -> Scope:
    """Hotline roles at the hotline see the city, or the county their grant names; a county government and a county's
    supervisor see their county; a unit's clerks, head and team lead see the cases it has or had a part in; the leading group sees the
    city, or the county its grant names; a grid worker what they reported, what they were given by name and what they are asked
    to look at; the desk of another service the one case it shares with the hotline."""
    if actor.kind is Kind.SYSTEM:
        return Scope(everything=True)
    if actor.kind in (Kind.REPORTER, Kind.PARTNER):
        return Scope(case_id=actor.case_id)
    unit_ids: set[int] = set()
    county_ids: set[int] = set()
    everything = False
    worker_id: int | None = None
    for grant in actor.grants:
        if grant.role in HOTLINE_ROLES:
            county = _county_of(grant)
            if county is not None:
                county_ids.add(county)
            elif grant.unit_kind is UnitKind.HOTLINE:
                everything = True
        elif grant.role is Role.LEADER:
            county = _county_of(grant)
            everything = everything or county is None
            county_ids |= {county} if county is not None else set()
        elif grant.role in (Role.CLERK, Role.HEAD, Role.TEAM_LEAD):
            unit_ids.add(grant.unit_id)
            if grant.role is not Role.TEAM_LEAD and grant.unit_kind is UnitKind.COUNTY_GOVERNMENT and grant.county_id is not None:
                county_ids.add(grant.county_id)
        elif grant.role is Role.GRID_WORKER:
            worker_id = actor.staff_id
    return Scope(everything, frozenset(unit_ids), frozenset(county_ids), worker_id)


def sees_some(actor: Actor) -> bool:
    """Whether there is any case that `actor` may see: administrators see none."""
    return scope_of(actor) != Scope()


def visible_to(actor: Actor) -> Q:
    return scope_of(actor).q()


def can_see(actor: Actor, case: Case) -> bool:
    return scope_of(actor).holds(case)


@dataclass(frozen=True, slots=True)
class Known:
    """What has to be asked of the database about one person and one case, for many actions at once: whether they see it, and whether
    they are asked to look at it."""

    seen: bool
    asked: bool


def known(actor: Actor, case: Case) -> Known:
    """At most three queries for a grid worker, none for anybody else."""
    seen = can_see(actor, case)
    is_worker = actor.staff_id is not None and any(grant.role is Role.GRID_WORKER for grant in actor.grants)
    return Known(seen, bool(seen and is_worker and _is_asked(actor, case)))


def _is_asked(actor: Actor, case: Case) -> bool:
    return actor.staff_id is not None and _asked_to_look(actor.staff_id).filter(case=case).exists()


def covers(grant: Grant, case: Case) -> bool:
    """Whether a hotline grant reaches this case: the whole city, or the county it is narrowed to."""
    county = _county_of(grant)
    if county is not None:
        return case.county_id == county
    return grant.unit_kind is UnitKind.HOTLINE


def can_register(actor: Actor) -> Decision:
    if actor.kind in (Kind.REPORTER, Kind.SYSTEM):
        return YES
    return YES if actor.has(*BY_ACTION["register"].roles) else Decision(False, _("您的岗位不能登记工单。"))


def can_accept_at_once(actor: Actor) -> Decision:
    """May `actor` accept a case in the same breath as registering it? Only who may accept one that is there."""
    row = BY_ACTION["accept"]
    if not actor.scoped("accept"):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    if actor.kind is Kind.SYSTEM or (actor.kind is Kind.STAFF and actor.has(*row.roles)):
        return YES
    return Decision(False, _("受理由热线办理。"))


def _had_part(actor: Actor, case: Case) -> bool:
    """Whether any unit of this person's has, or had, a part in the case: nobody checks their own unit's work."""
    return actor.unit_id in case.unit_ids or any(grant.unit_id in case.unit_ids for grant in actor.grants)


def own_assignment(actor: Actor, assignments: Sequence[Assignment], action: str) -> Assignment | None:
    """The open assignment a clerk acts with: the assisting one for an assisting unit's actions, else the lead's. A grid worker
    acts with one that they were given by name."""
    roles = {Role.CLERK} | (BY_ACTION[action].roles & {Role.HEAD, Role.TEAM_LEAD})
    units = {grant.unit_id for grant in actor.grants if grant.role in roles}
    own = [a for a in assignments if a.ended_at is None and (a.unit_id in units or _given(actor, a))]
    wanted = AssignmentRole.ASSIST if action.startswith("assist_") else AssignmentRole.LEAD
    return next((a for a in own if a.role == wanted), own[0] if own else None)


def _given(actor: Actor, part: Assignment) -> bool:
    """Whether a unit's part was given by name to this person, who is a grid worker of that unit."""
    return part.officer_id == actor.staff_id and any(
        grant.role is Role.GRID_WORKER and grant.unit_id == part.unit_id for grant in actor.grants)


def _of_the_grid(actor: Actor, row: Transition, case: Case, held: Known | None) -> Decision:
    """A grid worker's own: what they reported, or what they are asked to look at."""
    if row.action == "answer_check":
        if held.asked if held is not None else _is_asked(actor, case):
            return YES
        return Decision(False, _("没有请您核查这件工单。"))
    if case.registered_by_id == actor.staff_id:
        return YES
    return Decision(False, _("这不是您上报的工单。"))


def _not_to_decide(actor: Actor, grant: Grant, row: Transition, case: Case) -> str | Promise:
    """Why it is not this role's to say how a case ends that was redone in vain: a supervisor decides it, and nothing else."""
    if row.action == "close" and grant.role is Role.SUPERVISOR:
        if not case.for_supervisor:
            return _("由回访员归档；重办后仍未解决的才由督办员决定。")
        return _("本单位经办的工单须由其他单位的人员决定。") if _had_part(actor, case) else ""
    if row.action in ("grant_extension", "refuse_extension") and _had_part(actor, case):
        return _("本单位经办的工单，延期须由其他单位的人员决定。")
    if row.action in ("accept_supervision_answer", "refuse_supervision_answer") and _had_part(actor, case):
        return _("本单位经办的工单，督办答复须由其他单位的人员认定。")
    if row.action in ("close", "reopen") and grant.role is Role.CALLBACK and case.for_supervisor:
        return _("重办后诉求人仍说没有解决，由督办员决定下一步。")
    return ""


def may_hear_code(actor: Actor) -> bool:
    """Whether whoever registers a case is told its tracking code. It opens what only the reporter may do, such as rating:
    the hotline, which handles nothing itself, reads it out; a unit's staff and a grid worker never learn it."""
    if actor.kind is not Kind.STAFF:
        return True
    return any(grant.role in HOTLINE_ROLES and grant.unit_kind is UnitKind.HOTLINE for grant in actor.grants)


def _holder_decision(actor: Actor, row: Transition, case: Case, assignment: Assignment | None, held: Known | None) -> Decision:
    reason: str | Promise = _("这一步由其他岗位办理。")
    for grant in actor.grants:
        if grant.role not in row.roles:
            continue
        if Holder.HOTLINE in row.holders and grant.role in HOTLINE_ROLES:
            if not covers(grant, case):
                reason = _("这件工单不在您负责的区域。")
            elif grant.role in (Role.REVIEWER, Role.CALLBACK) and _had_part(actor, case):
                reason = _("本单位经办的工单须由其他单位的人员审核和回访。")
            elif fault := _not_to_decide(actor, grant, row, case):
                reason = fault
            else:
                return YES
        if grant.role is Role.GRID_WORKER and Holder.GRID in row.holders:
            decision = _of_the_grid(actor, row, case, held)
            if decision:
                return YES
            reason = decision.reason
        if assignment is not None and grant.unit_id == assignment.unit_id and (
            grant.role in (Role.CLERK, Role.HEAD, Role.TEAM_LEAD) or (grant.role is Role.GRID_WORKER and _given(actor, assignment))
        ):
            wanted = Holder.LEAD if assignment.role == AssignmentRole.LEAD else Holder.ASSIST
            if wanted in row.holders:
                return YES
            reason = _("这一步由主办单位办理。") if wanted is Holder.ASSIST else _("这一步由协办单位办理。")
    return Decision(False, reason)


def held_by_an_offer(row: Transition, case: Case) -> bool:
    """Whether a step has to wait until the desk of another service has said whether it takes the case."""
    return case.linkage == Linkage.OFFERED and row.settles


def can(actor: Actor, action: str, case: Case, *, assignment: Assignment | None = None, held: Known | None = None) -> Decision:
    """May `actor` take `action` on `case` now? For a unit's action, `assignment` is the unit's open one. `held` is what `known` told a
    moment ago, where many actions are asked about."""
    row = BY_ACTION[action]
    if not row.leads_from(case.state):
        return Decision(False, _("工单现在的状态不能做这一步。"))
    if not actor.scoped(action):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    if not (held.seen if held is not None else can_see(actor, case)):
        return Decision(False, _("这件工单不在您的查看范围内。"))
    if case.anonymised_at is not None and action != "refuse_publication":
        return Decision(False, _("这件工单保存期已满，内容已经删除，不能再办。"))
    if held_by_an_offer(row, case):
        return Decision(False, _("这件事正在转给别的单位，还没有定下由谁办，现在不能这样做。急的话请拨 12345。")
                        if actor.kind is Kind.REPORTER else _("正在移交，对方还没有答复：先撤回移交，再做这一步。"))
    if actor.kind is Kind.SYSTEM:
        return YES if Holder.SYSTEM in row.holders else Decision(False, _("这一步须由人来做。"))
    if actor.kind is Kind.PARTNER:
        return YES if Holder.PARTNER in row.holders else Decision(False, _("这一步由 12345 热线办理。"))
    if actor.kind is Kind.REPORTER:
        return YES if Holder.REPORTER in row.holders else Decision(False, _("这一步由工作人员办理。"))
    return _holder_decision(actor, row, case, assignment, held)


READ_IDENTITY = named("read_identity", _("查看诉求人信息，每次都要写明原因"))


def can_read_identity(actor: Actor, case: Case, assignments: list[Assignment]) -> Decision:
    """Only those handling the case now: its open units' clerks, the desk that has the next step.

    A confidential case's identity is not shown to the units at all: the hotline speaks with the reporter.
    """
    refused = Decision(False, _("只有正在办理这件工单的人可以查看诉求人信息。"))
    if actor.kind is not Kind.STAFF or not can_see(actor, case):
        return Decision(False, _("您不能查看诉求人信息。"))
    if not actor.scoped(READ_IDENTITY):
        return Decision(False, _("这个接口令牌没有这一步的权限。"))
    open_units = {a.unit_id for a in assignments if a.ended_at is None}
    # A merged case is handled by those who handle its master; `assignments` are the master's then.
    state = case.master.state if case.state == State.MERGED and case.master is not None else case.state
    stages = {
        Role.OPERATOR: ("registered", "accepted", "handed_over"),
        Role.DISPATCHER: ("registered", "accepted", "objected", "handed_over"),
        Role.CALLBACK: ("callback",),
    }
    given = {a.unit_id for a in assignments if a.ended_at is None and _given(actor, a)}
    for grant in actor.grants:
        handles = grant.unit_id in open_units if grant.role is Role.CLERK else grant.unit_id in given
        if handles and state in ("dispatched", "in_hand"):
            if not case.confidential:
                return YES
            refused = Decision(False, _("诉求人要求保密，由热线代为联系。"))
        if grant.role in stages and state in stages[grant.role] and covers(grant, case) and not (
            grant.role is Role.CALLBACK and _had_part(actor, case)
        ):
            return YES
    return refused
