"""The systems themselves: made and changed, found out about, their services listed."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import outside
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit

from .client import Client, Fault, sealed_key
from .models import Change, Closing, Format, Photos, Service, Shown, System, SystemKind

CODE = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
SETTINGS = ("name", "name_en", "kind", "url", "jurisdiction", "unit", "agent", "identity", "purpose", "photos", "closing", "updates",
            "idempotent", "active", "read_to")


class Silent(DomainError):
    """The system was asked and gave no good answer; the message says what."""

    status = 503
    default_code = "silent"
    default_message = _("对方没有应答。")


def _one_of(value: str, known: list[str], name: str) -> str:
    if value not in known:
        raise Invalid(_("请从列表中选择。"), fields={name: str(_("请从列表中选择。"))})
    return value


def _unit(code: str) -> Unit | None:
    found = Unit.objects.filter(code=code).first() if code else None
    if code and found is None:
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={"unit": str(_("没有这个单位。"))})
    return found


def _agent(username: str, unit: Unit | None) -> Staff | None:
    if not username:
        return None
    found = Staff.objects.filter(username=username, is_active=True).first()
    if found is None or unit is None or not RoleGrant.objects.filter(
            staff=found, unit=unit, role=Role.CLERK, ended_at__isnull=True).exists():
        raise Invalid(_("代办账号须是这个单位的承办员。"), fields={"agent": str(_("须是这个单位的承办员。"))})
    return found


def save(by: Actor | None, code: str, *, key: str | None = None, **given: Any) -> System:
    """Make a system or change one; what is not given stays. `unit` and `agent` are codes, `key` the api_key, empty for none. Raises
    Invalid. Each change is written down."""
    if not CODE.fullmatch(code):
        raise Invalid(_("代号只用小写字母、数字、点和连字符，最多 40 个。"), fields={"code": str(_("请更正。"))})
    with transaction.atomic():
        found = System.objects.select_for_update().filter(code=code).first() or System(code=code)
        before = _pictured(found)
        _set(found, given)
        if key is not None:
            found.key = sealed_key(found, key.strip())
        _whole(found)
        found.save()
        after = _pictured(found)
        rows = [Change(system=found, by_id=by.staff_id if by else None, what=name, before=before[name], after=after[name])
                for name in SETTINGS if before[name] != after[name]]
        if key is not None:
            rows.append(Change(system=found, by_id=by.staff_id if by else None, what="key"))
        Change.objects.bulk_create(rows)
    return found


def _pictured(system: System) -> dict[str, str]:
    """The settings as they are written down."""
    said: dict[str, Any] = {name: getattr(system, name) for name in SETTINGS if name not in ("unit", "agent")}
    said |= {"unit": system.unit.code if system.unit else "", "agent": system.agent.username if system.agent else ""}
    return {name: "" if value is None else str(value)[:300] for name, value in said.items()}


def _set(system: System, given: dict[str, Any]) -> None:
    limits = {"name": 80, "name_en": 120, "jurisdiction": 80, "purpose": 200}
    for name in limits.keys() & given.keys():
        setattr(system, name, clean_text(given[name], max_length=limits[name], multiline=False))
    for name, choices in (("kind", SystemKind), ("identity", Shown), ("photos", Photos), ("closing", Closing)):
        if name in given:
            setattr(system, name, _one_of(given[name], choices.values, name))
    if "url" in given:
        system.url = outside.checked(given["url"]).rstrip("/")
    if "unit" in given:
        system.unit = _unit(given["unit"])
    if "agent" in given:
        system.agent = _agent(given["agent"], system.unit)
    for name in {"updates", "idempotent", "active", "read_to"} & given.keys():
        setattr(system, name, given[name])


def _whole(system: System) -> None:
    missing = str(_("请填写这一项。"))
    faults = {name: missing for name in ("name", "url") if not getattr(system, name)}
    if system.kind == SystemKind.UNIT and system.unit is None:
        faults["unit"] = missing
    if system.identity == Shown.FULL and not system.purpose:
        faults["purpose"] = str(_("完整提供诉求人信息须写明目的。"))
    if system.photos == Photos.LINK and not settings.LIANXIN_PUBLIC_URL:
        faults["photos"] = str(_("要先在设置 LIANXIN_PUBLIC_URL 里写明本平台的地址。"))
    if system.closing == Closing.REPLY and system.agent is None:
        faults["agent"] = str(_("直接答复须写明以谁的账号。"))
    if faults:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields=faults)
    others = System.objects.filter(unit=system.unit, kind=SystemKind.UNIT, active=True).exclude(pk=system.pk)
    if system.active and system.kind == SystemKind.UNIT and others.exists():
        raise Invalid(_("这个单位已经有一个系统在用。"), fields={"unit": str(_("已经有一个系统。"))})


def discover(system: System) -> list[Service]:
    """Read the services a system has, in the format it speaks, and find out whether it has the updates extension. Raises Silent."""
    client = Client(system)
    try:
        try:
            rows = client.get("services")
        except Fault as fault:
            if not fault.outcome.reached and not fault.status:
                raise
            client = client.other_format()
            rows = client.get("services")
        updates = _has_updates(client)
    except Fault as fault:
        System.objects.filter(pk=system.pk).update(last_error=fault.outcome.why[:300])
        raise Silent(fault.outcome.why) from fault
    at = now()
    with transaction.atomic():
        System.objects.filter(pk=system.pk).update(
            format=Format(client.format), updates=updates, found_at=at, answered_at=at, failing_since=None, last_error="")
        seen = set()
        for row in rows:
            code = row.get("service_code", "")[:120]
            if code and code not in seen:
                seen.add(code)
                Service.objects.update_or_create(system=system, code=code, defaults={
                    "name": (row.get("service_name") or code)[:200], "group": row.get("group", "")[:200], "gone_at": None})
        Service.objects.filter(system=system, gone_at__isnull=True).exclude(code__in=seen).update(gone_at=at)
    system.refresh_from_db()
    return list(Service.objects.filter(system=system, gone_at__isnull=True).order_by("group", "code"))


def _has_updates(client: Client) -> bool:
    from . import georeport

    at = georeport.stamp(now())
    try:
        client.get("servicerequestupdates", start_date=at, end_date=at)
    except Fault as fault:
        if fault.status or fault.outcome.reached:
            return False
        raise
    return True


__all__ = ["Silent", "discover", "save"]
