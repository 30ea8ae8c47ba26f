"""What people do with subscriptions. Each function is one write; raises Invalid, NotAllowed, Conflict and NotFound."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Event
from lianxin.cases.reference import reference
from lianxin.kernel import outside, sending
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7, uuid7_floor
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import RoleGrant, Staff, Unit

from . import feeding, keys, payloads, policy, queue, types
from .models import Cursor, Delivery, DeliveryKind, DeliveryState, Subscription, SubscriptionState
from .posting import post

MOST_REPLAYED: Final = 10_000  # events in one replay
MOST_EACH: Final = 200  # units or areas named by one subscription
TEST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription asks for: `units` and `areas` are codes; empty means all."""

    name: str
    url: str
    types: Sequence[str] = ()
    units: Sequence[str] = ()
    areas: Sequence[str] = ()


def _codes(field: str, said: Iterable[str], known: Iterable[str]) -> list[str]:
    asked = list(dict.fromkeys(one.strip() for one in said if one.strip()))
    held = set(known)
    if unknown := [one for one in asked if one not in held]:
        raise Invalid(fields={field: str(_("没有这个代码：%s")) % "、".join(one[:30] for one in unknown[:5])})
    if len(asked) > MOST_EACH:
        raise Invalid(fields={field: str(_("最多 200 个。"))})
    return asked


def _columns(wish: Wish) -> dict[str, object]:
    """A wish as columns. Raises Invalid with every field that is wrong."""
    faults: dict[str, str] = {}
    columns: dict[str, object] = {"name": clean_text(wish.name, max_length=80, multiline=False)}
    if not columns["name"]:
        faults["name"] = str(_("请写明用途。"))
    known = reference()
    for field, read in (("url", lambda: outside.checked(wish.url)), ("types", lambda: types.checked(wish.types)),
                        ("units", lambda: _codes("units", wish.units, known.units_by_code)),
                        ("areas", lambda: _codes("areas", wish.areas, known.places_by_code))):
        try:
            columns[field] = read()
        except Invalid as error:
            faults |= error.fields or {field: str(error.message)}
    if faults:
        raise Invalid(fields=faults)
    return columns


def found(by: Actor, pk: uuid.UUID) -> Subscription:
    """A subscription that somebody looks after. Raises NotFound for any other."""
    one = policy.listed(by).select_related("staff", "unit").filter(pk=pk).first()
    if one is None:
        raise NotFound(_("没有这个订阅。"))
    return one


def _held(by: Actor, pk: uuid.UUID) -> Subscription:
    one = policy.listed(by).select_for_update(of=("self",)).select_related("staff", "unit").filter(pk=pk).first()
    if one is None:
        raise NotFound(_("没有这个订阅。"))
    return one


@transaction.atomic
def create(wish: Wish, *, by: Actor, person: Staff, unit: Unit | None = None) -> tuple[Subscription, str]:
    """Subscribe with the rights that a person has in a unit (their own when none is named). Returns the subscription and its secret,
    which is not shown again. Raises NotAllowed, Invalid."""
    where = unit or person.unit
    if not policy.may_act_for(by, person):
        raise NotAllowed(_("这个账号不归您管，请找系统管理员。"))
    if where is None or not person.is_active or not RoleGrant.objects.filter(staff=person, unit=where, ended_at__isnull=True).exists():
        raise Invalid(fields={"username": str(_("这个人在这个单位没有岗位。"))})
    columns = _columns(wish)
    Cursor.objects.get_or_create(pk=1)
    list(Cursor.objects.select_for_update().filter(pk=1))  # nothing is judged while a subscription is being made
    at = now()
    made = Subscription.objects.create(staff=person, unit=where, created_by_id=by.staff_id, created_at=at, state_at=at, **columns)
    return made, keys.make(made)


@transaction.atomic
def change(pk: uuid.UUID, wish: Wish, *, by: Actor) -> Subscription:
    """Ask for something else from now on. What waits already is sent to the new address."""
    one = _held(by, pk)
    for field, value in _columns(wish).items():
        setattr(one, field, value)
    one.save()
    return one


@transaction.atomic
def turn(pk: uuid.UUID, state: SubscriptionState, *, by: Actor) -> Subscription:
    """Pause, or go on with what has waited meanwhile, or end. Raises Conflict when it stands so already."""
    one = _held(by, pk)
    if one.state == state:
        raise Conflict(_("已经是这样了。"))
    if state is SubscriptionState.DISABLED:
        raise Invalid(_("只有长时间送不到的订阅才会停用。"))
    one.state, one.state_at, one.noticed_at = state, now(), None
    if state is SubscriptionState.ACTIVE:
        one.failing_since = None  # it has its days again
        Delivery.objects.filter(subscription=one, state=DeliveryState.WAITING).update(next_at=now())
    if state is SubscriptionState.ENDED:
        Delivery.objects.filter(subscription=one, state=DeliveryState.WAITING).delete()
        one.secrets.all().delete()
    one.save()
    sending.wake(queue.CHANNEL)
    return one


@transaction.atomic
def rotate(pk: uuid.UUID, *, by: Actor) -> str:
    """A new secret; the old one signs for another day. Raises Conflict."""
    return keys.rotate(_held(by, pk))


def test(pk: uuid.UUID, *, by: Actor) -> Delivery:
    """Send a message of the type `webhook.test` at once and wait for the answer, five seconds at most. It is tried once."""
    one, at, key = found(by, pk), now(), uuid7()
    body = payloads.of_test(one.pk, at)
    answer = post(one.url, str(key), body, keys.valid(one), read=TEST_SECONDS)
    with transaction.atomic():
        row = Delivery.objects.create(subscription=one, event_id=key, kind=DeliveryKind.TEST, type=types.TEST, body=body, made_at=at,
                                      next_at=at)
        queue.record(row, answer, once=True)
    row.refresh_from_db()
    return row


@transaction.atomic
def replay(pk: uuid.UUID, delivery: int, *, by: Actor) -> Delivery:
    """Send one event again, under the same id. Raises NotFound, and Conflict while it still waits."""
    one = _held(by, pk)
    row = Delivery.objects.select_for_update().filter(subscription=one, pk=delivery, kind=DeliveryKind.EVENT).first()
    if row is None:
        raise NotFound(_("没有这条投递记录，可能已过保存期限。"))
    if row.state == DeliveryState.WAITING:
        raise Conflict(_("这一条正等着发送。"))
    _again(Delivery.objects.filter(pk=row.pk))
    sending.wake(queue.CHANNEL)
    row.refresh_from_db()
    return row


def _again(rows: QuerySet[Delivery]) -> int:
    return rows.update(state=DeliveryState.WAITING, next_at=now(), sent_at=None, attempts=0, first_tried_at=None, last_error="")


def stretch(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """Both ends of a stretch of time. Raises Invalid for one that is missing."""
    if since is None or until is None:
        raise Invalid(fields={name: str(_("请填写这一项。")) for name, said in (("since", since), ("until", until)) if said is None})
    return since, until


@transaction.atomic
def replay_range(pk: uuid.UUID, since: datetime, until: datetime, *, by: Actor) -> int:
    """Send every event of a stretch of time again that the subscription asks for and may see now: those that were sent, those that
    were given up on, and those that the log has forgotten; the receiver knows them by their ids. Returns how many wait then. Raises
    Invalid for a stretch that is none, or holds more than 10,000 events."""
    one = _held(by, pk)
    if since >= until:
        raise Invalid(fields={"until": str(_("结束时间须晚于开始时间。"))})
    at = now()
    if since < at - timedelta(days=366):
        raise Invalid(fields={"since": str(_("最多补发一年以内的。"))})
    # Ids are made when the event is, or a moment later.
    events = list(Event.objects.filter(
        pk__gte=uuid7_floor(since - timedelta(hours=1)), pk__lt=uuid7_floor(until + timedelta(hours=1)), at__gte=since, at__lt=until,
    ).select_related("case").order_by("id")[: MOST_REPLAYED + 1])
    if len(events) > MOST_REPLAYED:
        raise Invalid(_("这段时间的事件超过 10000 条，请分几段补发。"))
    wanted = feeding.wanted(one, events, before_too=True)
    ids = [event.pk for event in wanted]
    _again(Delivery.objects.filter(subscription=one, event_id__in=ids).exclude(state=DeliveryState.WAITING))
    feeding.make([one], wanted, before_too=True)
    sending.wake(queue.CHANNEL)
    return len(ids)


def forget(at: datetime) -> dict[str, int]:
    """Each night: what was sent longer ago than the log is kept, what has waited longer than that, and subscriptions that ended with
    nothing left of them."""
    before = at - timedelta(days=settings.LIANXIN_WEBHOOK_LOG_DAYS)
    deliveries, _each = Delivery.objects.filter(made_at__lt=before).delete()
    ended = Subscription.objects.filter(state=SubscriptionState.ENDED, deliveries__isnull=True, state_at__lt=before)
    return {"deliveries": deliveries, "subscriptions": ended.delete()[0]}
