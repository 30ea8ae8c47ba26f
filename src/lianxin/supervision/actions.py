"""Reminders and written supervision: what a supervisor asks of the unit that holds a case, and the unit's answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.db.models import F
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import words as safe
from lianxin.cases.engine import Step, action
from lianxin.cases.models import Assignment, Case, ClockKind, Supervised, TimeLimit
from lianxin.cases.reference import today_of
from lianxin.kernel.errors import Conflict

from .models import Level, ListingCase, Order, OrderState, SerialBook

PENDING = (OrderState.OPEN, OrderState.ANSWERED)
NONE = uuid.UUID(int=0)  # no listing or order has this id


def next_serial(level: Level, year: int) -> int:
    """The next number of a level's book for a year. The book is locked until the transaction ends: no gaps."""
    SerialBook.objects.get_or_create(level=level, year=year)
    book = SerialBook.objects.select_for_update().get(level=level, year=year)
    SerialBook.objects.filter(pk=book.pk).update(last=F("last") + 1)
    return book.last + 1


def _lead(step: Step) -> Assignment:
    lead = step.lead
    if lead is None:
        raise AssertionError("a case with a unit has a lead assignment")
    return lead


def _issue(step: Step, level: Level, state: OrderState) -> Order:
    year = localtime(step.at).year
    order = Order.objects.create(
        level=level, year=year, serial=next_serial(level, year), case=step.case, unit_id=_lead(step).unit_id, state=state,
        event_id=step.event_id, issued_at=step.at, issued_by_id=step.by.staff_id or 0,
    )
    step.data.update(order_id=str(order.pk), level=level.value, year=year, serial=order.serial)
    return order


def _raise_to(step: Step, level: Supervised) -> None:
    if step.case.supervised < level:
        step.set(supervised=level.value)


def _level(case: Case, *, but_not: uuid.UUID = NONE) -> Supervised:
    """What a case stays under, apart from one listing or order."""
    if ListingCase.objects.filter(case=case, listing__delisted_at__isnull=True).exclude(listing_id=but_not).exists():
        return Supervised.LISTED
    if Order.objects.filter(case=case, state__in=PENDING).exclude(pk=but_not).exists():
        return Supervised.WRITTEN
    return Supervised.NONE


def not_now(case: Case) -> frozenset[str]:
    """Steps of written supervision that have nothing to act on as the case stands. One query for a case under it, else none."""
    pending = None
    if case.supervised >= Supervised.WRITTEN:
        pending = Order.objects.filter(case=case, state__in=PENDING).values_list("state", flat=True).first()
    if pending is None:
        return frozenset({"answer_supervision", "accept_supervision_answer", "refuse_supervision_answer"})
    if pending == OrderState.OPEN:
        return frozenset({"supervise", "accept_supervision_answer", "refuse_supervision_answer"})
    return frozenset({"supervise", "answer_supervision"})


def lapse(step: Step) -> None:
    """The case ends: nobody owes an answer any more. Asked only of a case under written supervision or more."""
    if step.case.supervised >= Supervised.WRITTEN and Order.objects.filter(
            case=step.case, state__in=PENDING).update(state=OrderState.LAPSED):
        step.set(supervised=_level(step.case).value)


def open_order(step: Step, *states: OrderState) -> Order:
    """The case's written supervision in one of these states; raises Conflict when there is none."""
    order = Order.objects.select_for_update().filter(case=step.case, state__in=states).first()
    if order is None:
        raise Conflict(_("这件工单没有等着这一步的督办。"), code="no_such_order")
    step.data.update(order_id=str(order.pk), level=order.level, year=order.year, serial=order.serial)
    return order


@action("urge")
def urge(step: Step, *, words: str) -> None:
    """催办: a numbered reminder to the unit. No clock moves; the unit and its head see it with the case."""
    step.require(words=words)
    _issue(step, Level.REMINDER, OrderState.NOTED)
    step.say("demand", safe(words, "words"), public=False)
    _raise_to(step, Supervised.REMINDER)


@action("supervise")
def supervise(step: Step, *, words: str) -> None:
    """督办: a numbered written supervision that the unit has to answer.

    The limits of supervised cases apply from now: what is due later than they allow falls due earlier; nothing moves
    to a later time.
    """
    step.require(words=words)
    if Order.objects.filter(case=step.case, state__in=PENDING).exists():
        raise Conflict(_("这件工单已在督办中，先认定上一次的答复。"), code="supervised_already")
    _issue(step, Level.WRITTEN, OrderState.OPEN)
    step.say("demand", safe(words, "words"), public=False)
    lead = _lead(step)
    limits = step.reference.limits_for(
        category_id=step.case.category_id, kind=step.case.kind, urgency=step.case.urgency, on=today_of(step.at),
        track=TimeLimit.Case.REOPENED,
    )
    step.bring_forward(ClockKind.SIGN_FOR, minutes=limits.sign_for, calendar=limits.calendar, assignment=lead)
    step.bring_forward(ClockKind.FIRST_CONTACT, minutes=limits.first_contact, calendar=limits.calendar)
    step.bring_forward(ClockKind.RESOLVE, minutes=limits.resolve, calendar=limits.calendar)
    step.owe(ClockKind.SUPERVISION, unit_id=lead.unit_id)
    _raise_to(step, Supervised.WRITTEN)


@action("answer_supervision")
def answer_supervision(step: Step, *, words: str) -> None:
    """答复督办: by the unit that leads the case now, its clerk or its head."""
    step.require(words=words)
    order = open_order(step, OrderState.OPEN)
    step.say("answer", safe(words, "words"), public=False)
    step.meet(ClockKind.SUPERVISION)
    Order.objects.filter(pk=order.pk).update(
        state=OrderState.ANSWERED, answered_at=step.at, answered_by_id=step.by.staff_id
    )


@action("accept_supervision_answer")
def accept_supervision_answer(step: Step, *, note: str = "") -> None:
    """解除督办: the answer does. The case stays under whatever else it is under."""
    order = open_order(step, OrderState.ANSWERED)
    step.say("note", safe(note, "note", required=False), public=False)
    Order.objects.filter(pk=order.pk).update(state=OrderState.SETTLED, settled_at=step.at, settled_by_id=step.by.staff_id)
    step.set(supervised=_level(step.case, but_not=order.pk).value)


@action("refuse_supervision_answer")
def refuse_supervision_answer(step: Step, *, reason: str) -> None:
    """退回督办答复: the unit owes another answer, with a clock of its own."""
    step.require(reason=reason)
    order = open_order(step, OrderState.ANSWERED)
    step.say("reason", safe(reason, "reason"), public=False)
    Order.objects.filter(pk=order.pk).update(state=OrderState.OPEN, answered_at=None, answered_by_id=None)
    lead = step.lead
    step.owe(ClockKind.SUPERVISION, unit_id=lead.unit_id if lead else None)


@action("list_supervision")
def list_supervision(step: Step, *, listing: str, year: int, serial: int) -> None:
    """挂牌督办, as it shows in a case that the listed matter is about."""
    ListingCase.objects.create(listing_id=listing, case=step.case, event_id=step.event_id)
    step.data.update(listing=listing, year=year, serial=serial)
    _raise_to(step, Supervised.LISTED)


@action("delist_supervision")
def delist_supervision(step: Step, *, listing: str, year: int, serial: int) -> None:
    """摘牌, as it shows in a case of the matter."""
    step.data.update(listing=listing, year=year, serial=serial)
    step.set(supervised=_level(step.case, but_not=uuid.UUID(listing)).value)


ACTIONS: dict[str, Callable[..., object]] = {
    "urge": urge,
    "supervise": supervise,
    "answer_supervision": answer_supervision,
    "accept_supervision_answer": accept_supervision_answer,
    "refuse_supervision_answer": refuse_supervision_answer,
}
