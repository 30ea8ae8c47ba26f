"""The hotline's part: accept, decline, answer on the spot, dispatch, correct."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text

from ..clocks import promise
from ..engine import Step, action
from ..grassroots import refuse_grassroots
from ..models import (
    AssignmentRole,
    Attachment,
    Channel,
    ClockKind,
    ContactMeans,
    Kind,
    Outcome,
    Phrase,
    Reporter,
    State,
    Urgency,
)
from ..reference import Body, today_of

LONG = 10_000
# Called with the article that an answer was read from, for the app that keeps articles (`knowledge.apps`).
ARTICLES: list[Callable[[Step, str], None]] = []


def unit_named(step: Step, code: str, name: str = "lead_unit") -> Body:
    """The open unit of that code; raises Invalid for an unknown or closed one."""
    unit = step.reference.units_by_code.get(code)
    if unit is None:
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={name: str(_("没有这个单位。"))})
    if not unit.open_on(today_of(step.at)):
        raise Invalid(_("这个单位已撤销，不能再派单给它。"), fields={name: str(_("单位已撤销。"))})
    return unit


def _receiver(step: Step, code: str, name: str = "lead_unit") -> Body:
    """The open unit of that code that may be given a part; raises Invalid for a village or a grid as well."""
    unit = unit_named(step, code, name)
    refuse_grassroots(step.reference, unit, name)
    return unit


def phrase_of(which: str, code: str) -> Phrase | None:
    """The phrase of that code on the city's list; None for an unknown or retired one, whatever was sent."""
    return Phrase.objects.filter(list=which, code=clean_text(code, max_length=60, multiline=False), active=True).first()


def words(value: str, name: str, *, required: bool = True) -> str:
    """Free text made safe and bounded; raises Invalid that names the field."""
    cleaned = clean_text(value or "", max_length=LONG, multiline=True)
    if required and not cleaned:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: str(_("请填写这一项。"))})
    return cleaned


def set_elements(step: Step, *, category: str | None, area: str | None, kind: str | None,
                  urgency: str | None) -> None:
    reference = step.reference
    if category:
        node = reference.nodes_by_code.get(category)
        if node is None or not node.is_leaf or not node.active:
            raise Invalid(_("请选择最细一级的事项。"), fields={"category": str(_("请选择最细一级的事项。"))})
        if node.id != step.case.category_id:
            step.set(category_id=node.id)
            if not kind:
                step.set(kind=node.kind)
            if not urgency and node.urgency == Urgency.URGENT:
                step.set(urgency=Urgency.URGENT.value)
    if area:
        place = reference.places_by_code.get(area)
        if place is None:
            raise Invalid(_("没有这个地点，请从列表中选择。"), fields={"area": str(_("没有这个地点。"))})
        step.set(area_id=place.id, county_id=place.county_id)
    if kind:
        if kind not in Kind.values:
            raise Invalid(_("诉求类型不对。"), fields={"kind": str(_("请从列表中选择。"))})
        step.set(kind=kind)
    if urgency:
        if urgency not in Urgency.values:
            raise Invalid(_("紧急程度不对。"), fields={"urgency": str(_("请从列表中选择。"))})
        step.set(urgency=urgency)


def relimit(step: Step, *, never_later: bool) -> None:
    """Compute the running case clocks again under the limits that now apply, as they were in force when each started.

    With `never_later` a due time only moves forward: correcting a category is no way to gain time.
    """
    for clock in step.running:
        if clock.assignment_id is not None or clock.round > 1 or clock.kind not in ("first_contact", "resolve"):
            continue
        limits = step.limits(at=clock.started_at)
        minutes = limits.first_contact if clock.kind == "first_contact" else limits.resolve
        given = minutes + clock.extended_minutes + clock.paused_minutes
        made = promise(start=clock.started_at, minutes=given, calendar=limits.calendar)
        if made.due_at == clock.due_at or (never_later and made.due_at > clock.due_at):
            continue
        step.reset(clock, limit_minutes=minutes, calendar=limits.calendar)


def _of_the_unit(step: Step, unit_id: int) -> None:
    """A unit's own limit counts from the dispatch to it, and only ever brings the promised time forward."""
    limits = step.limits(unit_id=unit_id)
    if not limits.of_a_unit:
        return
    step.bring_forward(ClockKind.FIRST_CONTACT, minutes=limits.first_contact, calendar=limits.calendar)
    step.bring_forward(ClockKind.RESOLVE, minutes=limits.resolve, calendar=limits.calendar)


@action("accept")
def accept(step: Step, *, category: str, area: str | None = None, kind: str | None = None,
           urgency: str | None = None) -> None:
    """受理: the matter is the city's to answer. Sets category, place, kind and urgency, and the limits with them."""
    step.require(category=category)
    set_elements(step, category=category, area=area, kind=kind, urgency=urgency)
    step.to(State.ACCEPTED)
    step.set(accepted_at=step.at)
    relimit(step, never_later=False)


@action("decline")
def decline(step: Step, *, route: str, explanation: str) -> None:
    """不予受理: names the lawful route (a `decline_route` phrase) and explains it in plain words."""
    step.require(route=route, explanation=explanation)
    phrase = phrase_of(Phrase.List.DECLINE_ROUTE, route)
    if phrase is None:
        raise Invalid(_("请选择法定途径。"), fields={"route": str(_("请从列表中选择。"))})
    step.data.update(route=phrase.code)
    step.say("explanation", words(explanation, "explanation"), public=True)
    step.to(State.DECLINED)
    step.finish()


def _told(step: Step, *, means: str | None, contacted_at: datetime | None) -> None:
    """Write down how the reporter was told: on the line they called on, else as `means` says. Raises Invalid."""
    if not means:
        if step.case.channel != Channel.PHONE:
            raise Invalid(_("诉求人不是打电话来的：请写明怎样告知了答复。"), fields={"means": str(_("请选择告知方式。"))})
        means = ContactMeans.PHONE.value
    if means not in ContactMeans.values:
        raise Invalid(_("请选择联系方式。"), fields={"means": str(_("请从列表中选择。"))})
    if means == ContactMeans.NOT_LEFT and Reporter.objects.filter(case=step.case, phone__isnull=False).exists():
        raise Invalid(_("诉求人留了电话，请先联系。"), fields={"means": str(_("诉求人留了电话。"))})
    at = contacted_at or step.at
    if at.tzinfo is None:  # as a clock on the wall says it
        at = make_aware(at)
    if at > step.at:
        raise Invalid(_("联系时间不能晚于现在。"), fields={"contacted_at": str(_("不能晚于现在。"))})
    if at < step.case.registered_at:
        raise Invalid(_("联系时间不能早于登记时间。"), fields={"contacted_at": str(_("不能早于登记时间。"))})
    step.data.update(means=means, contacted_at=at.isoformat())


def close_at_once(step: Step, outcome: Outcome) -> None:
    """Close a case on which nothing is owed any more before it ever went to a unit: every clock is met."""
    for clock in list(step.running):
        step.set_clock(clock, met_at=step.at)
        step.running.remove(clock)
    step.to(State.CLOSED)
    if step.case.accepted_at is None:
        step.set(accepted_at=step.at)
    step.set(outcome=outcome.value)
    step.finish()


def claim(step: Step, attachments: Sequence[uuid.UUID], purpose: str) -> int:
    """Make files that this person uploaded the case's; returns how many of them are photos."""
    mine = Attachment.objects.filter(pk__in=list(attachments), case__isnull=True, uploaded_by_id=step.by.staff_id)
    photos = mine.filter(kind=Attachment.MediaKind.PHOTO).count()
    mine.update(case=step.case, event_id=step.event_id, purpose=purpose, created_at=step.at)
    return photos


@action("answer_on_the_spot")
def answer_on_the_spot(step: Step, *, public_answer: str, category: str | None = None, article: str | None = None,
                       means: str | None = None, contacted_at: datetime | None = None) -> None:
    """直接答复: answered from the knowledge base while the reporter is on the line, and closed.

    Who did not call is told in another way: `means` and `contacted_at` (now when silent) say how and when. Nothing closes
    without the reporter having been told, or having left nothing to be told through. `article` names what was read out, by its
    code or `code@version`; the event keeps the version.
    """
    step.require(public_answer=public_answer)
    _told(step, means=means, contacted_at=contacted_at)
    set_elements(step, category=category, area=None, kind=None, urgency=None)
    if article:
        for keep in ARTICLES:
            keep(step, article)
    step.say("public_answer", words(public_answer, "public_answer"), public=True)
    close_at_once(step, Outcome.ANSWERED)


def give(step: Step, lead_unit: str, assisting_units: Sequence[str]) -> None:
    lead = _receiver(step, lead_unit)
    answer = step.reference.responsible(
        category_id=step.case.category_id, area_id=step.case.area_id, on=today_of(step.at)
    )
    step.assign(
        unit_id=lead.id, role=AssignmentRole.LEAD,
        rule_id=answer.rule_id if answer and answer.lead.id == lead.id else None,
        against=bool(answer and answer.lead.id != lead.id),
    )
    step.set(lead_unit_id=lead.id)
    _of_the_unit(step, lead.id)
    step.data.update(lead_unit=lead.code, catalogue_version=step.reference.version)
    _assist(step, assisting_units)


def _assist(step: Step, codes: Sequence[str]) -> None:
    """Each assisting unit has clocks of its own, under its own limits."""
    taken = {assignment.unit_id for assignment in step.assignments}
    added: list[str] = []
    for code in dict.fromkeys(codes):
        unit = _receiver(step, code, "assisting_units")
        if unit.id in taken:
            raise Invalid(_("这个单位已经在办理这件工单。"),
                          fields={"assisting_units": str(_("不能重复派给同一个单位。"))})
        made = step.assign(unit_id=unit.id, role=AssignmentRole.ASSIST)
        limits = step.limits(unit_id=unit.id)
        step.start(ClockKind.RESOLVE, minutes=limits.resolve, calendar=limits.calendar, assignment=made)
        added.append(code)
    if added:
        step.data.update(assisting_units=added)


@action("dispatch")
def dispatch(step: Step, *, lead_unit: str, assisting_units: Sequence[str] = (), note: str = "") -> None:
    """派单: to one lead unit and any assisting units, each with its own clock for signing."""
    step.require(lead_unit=lead_unit)
    give(step, lead_unit, assisting_units)
    step.say("note", words(note, "note", required=False), public=False)
    step.to(State.DISPATCHED)


@action("redispatch")
def redispatch(step: Step, *, lead_unit: str, reason: str, assisting_units: Sequence[str] = ()) -> None:
    """改派: the hotline moves the case itself. The resolve clock runs on; only signing starts anew."""
    step.require(lead_unit=lead_unit, reason=reason)
    step.end_all()
    give(step, lead_unit, assisting_units)
    step.say("reason", words(reason, "reason"), public=False)
    step.to(State.DISPATCHED)


@action("add_assisting")
def add_assisting(step: Step, *, assisting_units: Sequence[str], note: str = "") -> None:
    """增加协办: more units join beside the lead unit, each with clocks of its own."""
    step.require(assisting_units=list(assisting_units))
    _assist(step, assisting_units)
    step.say("note", words(note, "note", required=False), public=False)


@action("correct")
def correct(step: Step, *, reason: str, category: str | None = None, area: str | None = None,
            kind: str | None = None, urgency: str | None = None) -> None:
    """更正要素: category, place, kind or urgency. The words stay as they are, and no due time moves later."""
    step.require(reason=reason)
    if not any((category, area, kind, urgency)):
        raise Invalid(_("请至少更正一项。"), fields={"category": str(_("没有改动。"))})
    set_elements(step, category=category, area=area, kind=kind, urgency=urgency)
    step.say("reason", words(reason, "reason"), public=False)
    relimit(step, never_later=True)


EMERGENCY_SERVICES = ("110", "119", "120", "122")


@action("refer_emergency")
def refer_emergency(step: Step, *, service: str, note: str = "") -> None:
    """转接紧急电话: records that the caller was put through. The call itself never waits for this."""
    if service not in EMERGENCY_SERVICES:
        raise Invalid(_("请选择 110、119、120 或 122。"), fields={"service": str(_("请从列表中选择。"))})
    step.data.update(service=service)
    step.say("note", words(note, "note", required=False), public=False)
