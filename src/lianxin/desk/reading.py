"""What a case page shows first: the buttons in order, the clocks that matter, what the next person has to judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.cases import duplicates, families, policy, returns
from lianxin.cases.models import Assignment, AssignmentRole, Attachment, Case, Clock, ClockKind, State
from lianxin.cases.narrative import day_and_time
from lianxin.cases.queries import CaseFile
from lianxin.cases.queries_clocks import not_now
from lianxin.cases.reference import reference, today_of
from lianxin.cases.states import Transition, transitions_from
from lianxin.kernel.clock import now
from lianxin.organisations.actors import Actor
from lianxin.quality.campaigns import draw_of
from lianxin.quality.queries import tries_of
from lianxin.supervision import actions as supervising

from .calls import tried
from .forms import FORMS, Nothing
from .queries import last_of
from .templatetags.desk import event_detail

SHORT_ANSWER = 20  # characters below which an answer deserves a second look
# Moves that end or turn a case aside: never the first button.
RARE = frozenset({"withdraw", "decline", "raise_return"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: the action, whether it is open to this person now, and why not."""

    action: str
    label: str | Promise
    key: str
    allowed: bool
    reason: str | Promise
    at_once: bool = False
    moves: bool = False


def _worth_showing(row: Transition, actor: Actor) -> bool:
    return row.action in FORMS and bool(row.roles & actor.roles)


def likely_first(case: Case, file: CaseFile) -> str:
    """In callback the next step follows from the last call: try, close what is solved, reopen what is not."""
    if case.state != State.CALLBACK:
        return ""
    last = last_of(file.timeline, "record_callback_attempt", "reopen", "reopen_unsolved", "contest", "rate")
    if last is None or last.event.data.get("solved") is None:
        return "record_callback_attempt"
    return "close" if last.event.data["solved"] else "reopen"


def choices_for(actor: Actor, case: Case, assignments: list[Assignment], *, likely: str = "",
                waiting: bool | None = None) -> list[Choice]:
    """The buttons of a case page, from the table: what moves the case first, what is closed to this person last. `waiting`
    says whether a request for more time waits; it is looked up when not said."""
    found = []
    lead = policy.own_assignment(actor, assignments, "raise_return")
    barred = returns.barred(case, lead.unit_id if lead is not None else None)
    idle = not_now(case, waiting=waiting) | supervising.not_now(case)
    held = policy.known(actor, case)
    for row in transitions_from(case.state):
        if not _worth_showing(row, actor) or row.action in idle:
            continue
        mine = policy.own_assignment(actor, assignments, row.action)
        decision = policy.can(actor, row.action, case, assignment=mine, held=held)
        if decision.allowed and row.action in barred:
            decision = policy.Decision(False, barred[row.action])
        if row.action in ("assist_sign", "assist_reply") and mine is not None and decision.allowed and (
            (mine.signed_at is None) != (row.action == "assist_sign")
        ):
            continue
        if row.action in ("clear_publication", "refuse_publication") and case.publication not in ("requested", "public"):
            continue
        if row.action == "request_publication" and case.publication == "public":
            continue
        if row.action == "add_reporter" and case.reporter_id is not None:
            continue
        found.append(Choice(row.action, row.label, row.key, decision.allowed, decision.reason,
                            FORMS[row.action] is Nothing, bool(row.targets) or row.action == likely))
    return sorted(found, key=lambda choice: (
        not choice.allowed, choice.action != likely, not choice.moves or choice.action in RARE))


def clocks_shown(file: CaseFile) -> list[tuple[Clock, str]]:
    """The clocks that run, else the last two; an assisting unit's with its name."""
    helpers = {a.pk: a.unit for a in file.assignments if a.role == AssignmentRole.ASSIST}
    chosen = [c for c in file.clocks if c.met_at is None and c.stopped_at is None] or file.clocks[-2:]
    return [(clock, f"{clock.get_kind_display()} · {helpers[clock.assignment_id].said}"
             if clock.assignment_id in helpers else "") for clock in chosen]


def focus_of(case: Case, file: CaseFile) -> dict[str, Any]:
    """What the next person has to judge, taken from the timeline: a return, an answer, the callbacks so far."""
    if case.state == State.OBJECTED:
        held = reference()
        says = held.responsible(category_id=case.category_id, area_id=case.area_id, on=today_of(now()))
        return {"returned": last_of(file.timeline, "raise_return"), "catalogue": says,
                "jointly": returns.why_jointly(case)}
    if case.state == State.REPLIED:
        return {"answered": last_of(file.timeline, "reply"), "checks": checks_of(case, file)}
    if case.state == State.CALLBACK:
        attempts = [entry for entry in file.timeline
                    if entry.event.action == "record_callback_attempt" and entry.event.at >= _round_began(file)]
        last = last_of(file.timeline, "contest", "approve", "answer_with_master")
        return {"answered": last_of(file.timeline, "reply"), "attempts": attempts,
                "wanted": settings.LIANXIN_CALLBACK_ATTEMPTS, "tried": tried(tries_of([case])[case.pk]),
                "contested": last if last and last.event.action == "contest" else None,
                "undrawn": draw if (draw := draw_of(case)) is not None and not draw.drawn else None}
    return {}


def family_of(actor: Actor, case: Case, assignments: list[Assignment]) -> dict[str, Any]:
    """The cases about the same matter: the master this one lies under, those under it, and those that may be."""
    master = case.master if case.master_id is not None else None
    members = families.members_of(case, actor)
    dues = [(one.case.due_at, one.case.number, one.case) for one in members if one.merged and one.case.due_at is not None]
    first = min(dues)[2] if dues else None
    return {
        "master": master, "master_seen": master is not None and policy.can_see(actor, master), "members": members,
        "may_contact": bool(members) and bool(policy.can(
            actor, "record_contact", case, assignment=policy.own_assignment(actor, assignments, "record_contact"))),
        "earliest": first if first is not None and first.due_at == case.due_at else None,
        "alike": duplicates.alike(actor, case) if policy.can(actor, "merge", case) else [],
    }


def _round_began(file: CaseFile) -> datetime:
    again = last_of(file.timeline, "reopen", "reopen_unsolved", "register")
    return again.event.at if again else file.case.registered_at


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the reviewer's checklist: what the record says, and whether it is as it should be."""

    label: str
    found: str
    good: bool


def checks_of(case: Case, file: CaseFile) -> list[Check]:
    """What a reviewer looks at, as far as the record knows it. The rest is reading."""
    answer, contact = last_of(file.timeline, "reply"), last_of(file.timeline, "record_contact")
    if answer is None:
        return []
    since = max((a.assigned_at for a in file.assignments if a.role == AssignmentRole.LEAD), default=case.registered_at)
    photos = sum(a.kind == Attachment.MediaKind.PHOTO and a.created_at >= since for a in file.attachments)
    resolve = next((c for c in reversed(file.clocks) if c.kind == ClockKind.RESOLVE and c.assignment_id is None), None)
    late = bool(resolve and answer.event.at > resolve.due_at)
    length = len(answer.texts.get("public_answer", ""))
    field = bool(case.category and case.category.field_matter)
    found = [
        Check(_("联系诉求人"), f"{day_and_time(contact.event.at)} · {event_detail(contact)}" if contact
              else _("答复时一并登记"), True),
        Check(_("是否解决"), _("已解决") if answer.event.data.get("solved") else _("未解决，须说明原因"),
              bool(answer.event.data.get("solved"))),
        Check(_("现场照片"), ngettext("%d 张", "%d 张", photos) % photos if photos else
              _("没有") if field else _("没有（不是现场类事项）"), bool(photos) or not field),
        Check(_("答复长短"), ngettext("%d 字", "%d 字", length) % length, length >= SHORT_ANSWER),
        Check(_("按时答复"), _("超过期限") if late else _("是"), not late),
    ]
    looked = last_of(file.timeline, "answer_check")
    if looked is not None and looked.event.at >= answer.event.at:
        good = bool(looked.event.data.get("handled"))
        found.append(Check(_("现场核查"), _("已办好") if good else _("没有办好"), good))
    return found
