"""Keys for outside apps: each an account of its own in the hotline that may report and see what it reported, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.organisations.models import ApiToken, Role, RoleGrant, Staff, Unit, UnitKind, token_digest

from .asked import SCOPE

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,39}")
PREFIX: Final = "open311."


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is told, this once."""

    name: str
    secret: str
    account: str


def new(name: str) -> Key:
    """One more key for an app; the ones before stay valid until they are ended. Raises Invalid, NotFound without a hotline."""
    if not _NAME.fullmatch(name):
        raise Invalid(_("名称只用字母、数字、点、横线，2 到 40 位。"))
    unit = Unit.objects.filter(kind=UnitKind.HOTLINE, active_to__isnull=True).order_by("parent_id", "id").first()
    if unit is None:
        raise NotFound(_("还没有热线中心这个单位：先装入城市。"))
    with transaction.atomic():
        person, made = Staff.objects.get_or_create(username=f"{PREFIX}{name}", defaults={"name": name, "unit": unit, "date_joined": now()})
        if made:
            person.set_unusable_password()
            person.save(update_fields=["password"])
        if not person.is_active:
            raise Invalid(_("这个应用的账号已停用。"))
        RoleGrant.objects.get_or_create(staff=person, role=Role.OUTSIDE_APP, unit=unit, area=None, ended_at=None)
        secret = ApiToken.new_secret()
        ApiToken.objects.create(name=f"open311 {name}", unit=unit, staff=person, scopes=[SCOPE], digest=token_digest(secret),
                                hint=secret[-4:])
    return Key(name, secret, person.username)


def listed() -> list[ApiToken]:
    """All that stand, the newest first."""
    return list(ApiToken.objects.filter(scopes__contains=[SCOPE], revoked_at__isnull=True).select_related("staff").order_by("-created_at"))


def end(hint: str) -> int:
    """End the keys whose last four characters these are. Returns how many."""
    return ApiToken.objects.filter(scopes__contains=[SCOPE], hint=hint, revoked_at__isnull=True).update(revoked_at=now())
