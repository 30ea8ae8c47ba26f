"""Telephones: enrolled once, known by a secret of their own, shut out from afar when they are lost.

A secret opens the field's own part of the interface and nothing else. Shutting a telephone out holds from the next item on:
its secret is read from the table at every request, and every receipt is written under the same condition.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text
from lianxin.organisations.accounts import keeper
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import RoleGrant, Staff, token_digest

from .leads import led
from .models import Device
from .workers import FIELD_ROLES, areas_of

PREFIX = "lxd_"
SEEN_EVERY = timedelta(minutes=1)
DEVICES_OF_ONE = 10


class DeviceUnknown(DomainError):
    """No telephone has this secret."""

    status: ClassVar[int] = 401
    default_code = "device_unknown"
    default_message = _("这台手机还没有登记。请联网登录后重新登记；没发出的内容还在手机里。")


class DeviceShutOut(DomainError):
    """The telephone was reported lost, or given up."""

    status: ClassVar[int] = 401
    default_code = "device_shut_out"
    default_message = _("这台手机已被停用。没发出的内容还在手机里，恢复后会接着发送；请找网格长或系统管理员。")


class AccountClosed(DomainError):
    """The person does not work here any more."""

    status: ClassVar[int] = 401
    default_code = "account_closed"
    default_message = _("您的账号已停用。没发出的内容还在手机里，恢复后会接着发送；请找单位的系统管理员。")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new telephone and its secret, which is shown this once."""

    device: Device
    secret: str


def enrol(*, staff: Staff, name: str, by: Actor) -> Enrolled:
    """Let a grid worker's telephone in. Raises NotAllowed for anybody else, Invalid for a name that is none and Conflict
    when the worker has ten telephones already: one of them must be shut out first."""
    if by.kind is not Kind.STAFF or by.scopes is not None or by.staff_id != staff.pk:
        raise NotAllowed(_("手机只能由本人登录后登记。"))
    if not by.has(*FIELD_ROLES):
        raise NotAllowed(_("只有网格员和网格长可以登记手机。"))
    said = clean_text(name, max_length=80, multiline=False)
    if not said:
        raise Invalid(fields={"name": str(_("请给这台手机起个名字，例如“我的华为”。"))})
    if Device.objects.filter(staff=staff, shut_out_at__isnull=True).count() >= DEVICES_OF_ONE:
        raise Conflict(_("您已登记了太多手机，请先停用不用的那一台。"), code="too_many_devices")
    secret = PREFIX + secrets.token_urlsafe(32)
    device = Device.objects.create(staff=staff, name=said, digest=token_digest(secret), hint=secret[-4:], enrolled_at=now())
    return Enrolled(device, secret)


def read(secret: str) -> Device:
    """The telephone with this secret, its worker with it; one query. Raises DeviceUnknown, DeviceShutOut, AccountClosed."""
    device = (Device.objects.select_related("staff").filter(digest=token_digest(secret)).first()
              if secret.startswith(PREFIX) and len(secret) <= 200 else None)
    if device is None:
        raise DeviceUnknown()
    if not device.staff.is_active:
        raise AccountClosed()
    if device.shut_out_at is not None:
        raise DeviceShutOut()
    return device


def note_seen(device: Device, *, at: datetime, version: str | None = None, waiting: int | None = None) -> None:
    """Write down that a telephone was here, at most once a minute – and at once when nothing waits on it any more."""
    emptied = waiting == 0 and device.waiting > 0
    if device.seen_at is not None and at - device.seen_at < SEEN_EVERY and not emptied:
        return
    changed: dict[str, object] = {"seen_at": at}
    if version is not None:
        changed["version"] = clean_text(version, max_length=40, multiline=False)
    if waiting is not None:
        changed["waiting"] = min(max(waiting, 0), 2_000_000_000)
    seen = Q() if emptied else Q(seen_at__isnull=True) | Q(seen_at__lte=at - SEEN_EVERY)
    Device.objects.filter(seen, pk=device.pk).update(**changed)


def may_shut_out(by: Actor, person: Staff) -> bool:
    """The worker's own telephones, those of people whose accounts `by` looks after, and those of people who work only where `by`
    organises the field work."""
    if by.kind is not Kind.STAFF:
        return False
    if by.scopes is None and (by.staff_id == person.pk or keeper(by).holds(person)):
        return True
    found, theirs = led(by), areas_of(person.pk, today_of(now()))
    return bool(found) and bool(theirs) and all(found.holds_area(area) for area in theirs)


def _held(device_id: uuid.UUID, by: Actor) -> Device:
    device = Device.objects.select_related("staff").filter(pk=device_id).first()
    if device is None:
        raise NotFound()
    if not may_shut_out(by, device.staff):
        raise NotAllowed(_("这台手机不归您管，请找网格长或系统管理员。"))
    return device


def shut_out(*, device_id: uuid.UUID, by: Actor, why: str) -> Device:
    """停用: from now on this telephone may neither read nor send. Raises NotFound, NotAllowed, Invalid without a reason and
    Conflict when it is shut out already."""
    _held(device_id, by)
    reason = clean_text(why, max_length=200, multiline=False)
    if not reason:
        raise Invalid(fields={"why": str(_("请写明原因。"))})
    done = Device.objects.filter(pk=device_id, shut_out_at__isnull=True).update(
        shut_out_at=now(), shut_out_by_id=by.staff_id, why=reason)
    if not done:
        raise Conflict(_("这台手机已经停用了。"), code="wrong_state")
    return Device.objects.select_related("staff").get(pk=device_id)


def give_back(*, device_id: uuid.UUID, by: Actor) -> Device:
    """恢复: a telephone that was found again. What waits on it goes through. Nobody gives back their own: whoever found a
    lost telephone must not be able to. Raises NotFound, NotAllowed and Conflict when it is not shut out."""
    device = _held(device_id, by)
    if device.staff_id == by.staff_id:
        raise NotAllowed(_("自己的手机请由网格长或系统管理员恢复。"))
    done = Device.objects.filter(pk=device_id, shut_out_at__isnull=False).update(
        shut_out_at=None, shut_out_by=None, why="")
    if not done:
        raise Conflict(_("这台手机没有停用。"), code="wrong_state")
    return Device.objects.select_related("staff").get(pk=device_id)


def of_staff(staff_id: int) -> QuerySet[Device]:
    """One worker's telephones, the newest first."""
    return Device.objects.filter(staff_id=staff_id).select_related("shut_out_by").order_by("-enrolled_at")


def of_unit(unit_id: int) -> QuerySet[Device]:
    """The telephones of a unit's field workers, by who holds them, the newest first."""
    people = RoleGrant.objects.filter(unit_id=unit_id, role__in=FIELD_ROLES, ended_at__isnull=True).values("staff_id")
    return (Device.objects.filter(Q(staff__in=people) | Q(staff__unit=unit_id)).select_related("staff", "shut_out_by")
            .order_by("staff__username", "-enrolled_at"))
