"""The unit's part: sign, contact, return, hand over, reply – and the assisting unit's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text
from lianxin.organisations.models import Role, RoleGrant, Staff, UnitKind

from ..engine import Step, action
from ..models import (
    Assignment,
    AssignmentRole,
    Attachment,
    ClockKind,
    Contact,
    ContactMeans,
    Event,
    Outcome,
    Reply,
    Reporter,
    State,
)
from ..reference import today_of
from .dispatching import claim, words


def own(step: Step) -> Assignment:
    """The acting unit's assignment: the policy has seen to it that there is one."""
    if step.mine is None:
        raise AssertionError("a unit's action needs its assignment")
    return step.mine


@action("sign")
def sign(step: Step) -> None:
    """签收: the unit takes the assignment; the person signing becomes its officer."""
    mine = own(step)
    step.meet(ClockKind.SIGN_FOR, mine)
    step.set_assignment(mine, state="in_hand", signed_at=step.at, officer_id=step.by.staff_id)
    step.to(State.IN_HAND)


@action("assist_sign")
def assist_sign(step: Step) -> None:
    """协办签收: an assisting unit takes its part; the lead unit's clocks are not touched."""
    mine = own(step)
    if mine.signed_at is not None:
        raise Invalid(_("本单位已经签收。"))
    step.meet(ClockKind.SIGN_FOR, mine)
    step.set_assignment(mine, state="in_hand", signed_at=step.at, officer_id=step.by.staff_id)


@action("assist_reply")
def assist_reply(step: Step, *, private_note: str) -> None:
    """协办意见: the assisting unit's result, for the lead unit's answer."""
    step.require(private_note=private_note)
    mine = own(step)
    if mine.signed_at is None:
        raise Invalid(_("请先签收，再提交协办意见。"))
    step.meet(ClockKind.RESOLVE, mine)
    step.set_assignment(mine, state="handled", handled_at=step.at)
    step.say("private_note", words(private_note, "private_note"), public=False)


def _has_phone(step: Step) -> bool:
    return Reporter.objects.filter(case=step.case, phone__isnull=False).exists()


def _contact(step: Step, *, means: str, contacted_at: datetime | None, reached: bool) -> Contact:
    at = contacted_at or step.at
    if at.tzinfo is None:  # as a clock on the wall says it
        at = make_aware(at)
    mine = own(step)
    if means not in ContactMeans.values:
        raise Invalid(_("请选择联系方式。"), fields={"means": str(_("请从列表中选择。"))})
    if means == ContactMeans.NOT_LEFT and _has_phone(step):
        raise Invalid(_("诉求人留了电话，请先联系。"), fields={"means": str(_("诉求人留了电话。"))})
    if at > step.at:
        raise Invalid(_("联系时间不能晚于现在。"), fields={"contacted_at": str(_("不能晚于现在。"))})
    if at < step.case.registered_at:
        raise Invalid(_("联系时间不能早于登记时间。"), fields={"contacted_at": str(_("不能早于登记时间。"))})
    if at < mine.assigned_at:
        raise Invalid(_("联系时间不能早于派单时间。"), fields={"contacted_at": str(_("不能早于派单时间。"))})
    contact = Contact.objects.create(
        case=step.case, assignment=mine, event_id=step.event_id, at=at, recorded_at=step.at, means=means,
        by_id=step.by.staff_id, reached=reached,
    )
    step.data.update(means=means, contacted_at=at.isoformat(), reached=reached)
    if reached:
        if mine.contacted_at is None and mine.case_id == step.case.pk:
            step.set_assignment(mine, contacted_at=at)
        step.meet(ClockKind.FIRST_CONTACT)
    return contact


@action("record_contact")
def record_contact(step: Step, *, means: str, reached: bool, contacted_at: datetime | None = None,
                   note: str = "", duplicates: Sequence[str] = ()) -> None:
    """记录联系: when, how, and whether the reporter was reached. The clock is met at the time of recording.

    `duplicates` names cases merged under this one whose reporters had the same contact, such as a message to all.
    """
    step.require(means=means, reached=reached)
    _contact(step, means=means, contacted_at=contacted_at, reached=reached)
    step.say("note", words(note, "note", required=False), public=False)
    if duplicates:
        from .merging import contact_too

        contact_too(step, duplicates, means=means, reached=reached, contacted_at=contacted_at, note=note)


def officers_of(part: Assignment) -> list[Role]:
    """Who may work on a unit's part. A grid worker works on what is their town's own by its statutory duty; nothing is handed
    down to a grid by another body."""
    return [Role.CLERK, Role.GRID_WORKER] if part.unit.kind == UnitKind.TOWN_GOVERNMENT else [Role.CLERK]


@action("hand_to_colleague")
def hand_to_colleague(step: Step, *, officer: str) -> None:
    """转同事办理: within the unit, to a clerk of it; in a town, to a grid worker on its own staff as well."""
    step.require(officer=officer)
    mine = own(step)
    colleague = Staff.objects.filter(username=clean_text(officer, max_length=150, multiline=False), is_active=True).first()
    if colleague is None or not RoleGrant.objects.filter(
        staff=colleague, unit_id=mine.unit_id, role__in=officers_of(mine), ended_at__isnull=True
    ).exists():
        raise Invalid(_("只能转给本单位的承办员。"), fields={"officer": str(_("请从列表中选择。"))})
    step.set_assignment(mine, officer_id=colleague.pk)
    step.data.update(officer=colleague.username)


@action("ask_colleague")
def ask_colleague(step: Step, *, note: str) -> None:
    """内部留言: words for those who handle the case; the reporter never sees them."""
    step.require(note=note)
    step.say("note", words(note, "note"), public=False)


def _proof_photos(step: Step, mine: Assignment) -> int:
    """Photos the unit itself added while it held the case, or its own system sent: one the hotline added proves nothing of the unit's
    work."""
    clerks = RoleGrant.objects.filter(unit_id=mine.unit_id, role__in=officers_of(mine)).values("staff_id")
    unit = step.reference.units[mine.unit_id].code
    theirs = Event.objects.filter(case=step.case, action="note_outside", data__stage="photo", data__unit=unit)
    return Attachment.objects.filter(
        Q(uploaded_by__in=clerks) | Q(uploaded_by__isnull=True, event_id__in=theirs.values("id")), case=step.case, by_reporter=False,
        kind=Attachment.MediaKind.PHOTO, created_at__gte=mine.assigned_at, removed_at__isnull=True,
    ).count()


@action("reply")
def reply(step: Step, *, public_answer: str, solved: bool, private_note: str = "", means: str | None = None,
          contacted_at: datetime | None = None, attachments: Sequence[uuid.UUID] = ()) -> None:
    """答复: the public answer, and apart from it the private note.

    Needs proof of contact – a contact that reached the reporter since the last dispatch, or one recorded with this
    reply – and, for a field matter, a photo taken while the unit held the case.
    """
    step.require(public_answer=public_answer, solved=solved)
    mine = own(step)
    if attachments:
        claim(step, attachments, "proof")
    if means:
        contact = _contact(step, means=means, contacted_at=contacted_at, reached=True)
    else:
        found = Contact.objects.filter(case=step.case, assignment=mine, reached=True).order_by("-at").first()
        if found is None:
            raise Invalid(
                _("答复前须先联系诉求人：请记录联系的时间和方式。"),
                fields={"means": str(_("还没有联系记录。"))},
            )
        contact = found
    node = step.reference.nodes.get(step.case.category_id) if step.case.category_id else None
    if node is not None and node.field_matter and _proof_photos(step, mine) == 0:
        raise Invalid(_("现场类事项须附处理后的照片。"), fields={"attachments": str(_("请至少附一张照片。"))})
    Reply.objects.create(
        case=step.case, assignment=mine, contact=contact, event_id=step.event_id, round=step.case.round, at=step.at,
        by_id=step.by.staff_id, solved=solved,
    )
    step.data.update(solved=solved)
    step.say("public_answer", words(public_answer, "public_answer"), public=True)
    step.say("private_note", words(private_note, "private_note", required=False), public=False)
    step.meet(ClockKind.FIRST_CONTACT)
    step.meet(ClockKind.RESOLVE)
    step.set_assignment(mine, state="handled", handled_at=step.at)
    step.to(State.REPLIED)


def give_back(step: Step) -> bool:
    """Put the case back to the unit that handled it last, with the clocks of a reopened case.

    Returns False when there is no such unit any more, or when another service had handled it: the case then waits for dispatch.
    """
    last = None if step.case.outcome == Outcome.HANDED_OVER else (
        Assignment.objects.filter(case=step.case, role="lead").order_by("-assigned_at", "-id").first()
    )
    step.end_all()
    step.stop(everything=True)
    step.set(round=step.case.round + 1, closed_at=None, outcome="")
    if step.case.master_id is not None:  # answered with its master; what comes now is this reporter's own
        step.set(master_id=None)
    limits = step.limits()
    step.start(ClockKind.FIRST_CONTACT, minutes=limits.first_contact, calendar=limits.calendar)
    step.start(ClockKind.RESOLVE, minutes=limits.resolve, calendar=limits.calendar)
    unit = step.reference.units.get(last.unit_id) if last else None
    if last is None or unit is None or not unit.open_on(today_of(step.at)):
        step.set(lead_unit_id=None)
        return False
    step.assign(unit_id=unit.id, role=AssignmentRole.LEAD, officer_id=last.officer_id, rule_id=last.rule_id)
    step.set(lead_unit_id=unit.id)
    return True
