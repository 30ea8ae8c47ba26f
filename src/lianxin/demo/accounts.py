"""Accounts to try the city with: one of each role, some clerks more, each with a password and an API token."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Container
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Count

from lianxin.cases.models import Assignment
from lianxin.exchange.models import System, SystemKind
from lianxin.organisations.models import ApiToken, Role, RoleGrant, token_digest

CLERKS = 4


@dataclass(frozen=True, slots=True)
class Account:
    """One line of demo.json. `role` is the role's code, `unit` the unit's name."""

    username: str
    password: str
    role: str
    unit: str
    api_token: str


def _busiest() -> list[int]:
    """Ids of units, those with the most open assignments first: a clerk to try should find work on the desk."""
    counted = (
        Assignment.objects.filter(ended_at__isnull=True).values("unit_id").annotate(open=Count("id"))
        .order_by("-open", "unit_id").values_list("unit_id", flat=True)
    )
    return list(counted)


def _chosen(known: Container[tuple[str, str]]) -> list[RoleGrant]:
    """The first person of each role, the head of the busiest unit, and `CLERKS` clerks: those named before, else of the
    busiest units, else of the first unit of each kind. Besides the clerk of a unit that has a system of its own."""
    grants = list(
        RoleGrant.objects.filter(ended_at__isnull=True, staff__is_active=True)
        .select_related("staff", "unit").order_by("staff_id", "id")
    )
    busy = _busiest()
    chosen: dict[str, RoleGrant] = {}
    for grant in grants:
        if grant.role not in (Role.CLERK, Role.HEAD):
            chosen.setdefault(grant.role, grant)
    heads = [grant for grant in grants if grant.role == Role.HEAD]
    if heads:
        chosen[Role.HEAD] = min(heads, key=lambda grant: (
            (grant.staff.username, grant.role) not in known,
            busy.index(grant.unit_id) if grant.unit_id in busy else len(busy), grant.staff_id))
    clerks: dict[int, RoleGrant] = {}  # the first clerk of each unit
    for grant in grants:
        if grant.role == Role.CLERK:
            clerks.setdefault(grant.unit_id, grant)
    kinds: dict[str, int] = {}
    for position, unit_id in enumerate(clerks):
        kinds.setdefault(clerks[unit_id].unit.kind, position)

    def rank(item: tuple[int, RoleGrant]) -> tuple[bool, int, bool, int]:
        position, grant = item
        return ((grant.staff.username, grant.role) not in known,
                busy.index(grant.unit_id) if grant.unit_id in busy else len(busy),
                kinds[grant.unit.kind] != position, position)

    joined = set(System.objects.filter(active=True, kind=SystemKind.UNIT).values_list("unit_id", flat=True))
    several = [grant for _position, grant in sorted(enumerate(clerks.values()), key=rank)[:CLERKS]]
    several += [grant for unit_id, grant in clerks.items() if unit_id in joined and grant not in several]
    order = list(Role.values)
    return sorted([*chosen.values(), *several], key=lambda grant: (order.index(grant.role), grant.staff_id))


def _earlier(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    try:
        return {(entry["username"], entry["role"]): entry for entry in json.loads(path.read_text())["accounts"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def make(path: Path) -> list[Account]:
    """Make the accounts, keeping passwords and tokens that `path` (an earlier demo.json) already holds."""
    earlier = _earlier(path)
    passwords: dict[str, str] = {}
    accounts = []
    with transaction.atomic():
        for grant in _chosen(earlier):
            staff = grant.staff
            known = earlier.get((staff.username, grant.role), {})
            password = passwords.get(staff.username) or known.get("password", "")
            if staff.username not in passwords and not (password and staff.check_password(password)):
                password = f"lianxin-{secrets.token_hex(4)}"
                staff.set_password(password)
                staff.save(update_fields=["password"])
            passwords[staff.username] = password
            token = known.get("api_token", "")
            if not token or not ApiToken.objects.filter(digest=token_digest(token), revoked_at__isnull=True).exists():
                token = ApiToken.new_secret()
                ApiToken.objects.create(
                    name=f"demo {grant.role}", unit=grant.unit, staff=staff, scopes=["*"],
                    digest=token_digest(token), hint=token[-4:],
                )
            accounts.append(Account(staff.username, password, grant.role, grant.unit.name, token))
    return accounts


def write(path: Path, base_url: str, accounts: list[Account], **urls: str) -> None:
    """demo.json, whole or not at all, readable by its owner only. `urls`: addresses of what runs beside the hotline, by their keys."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"base_url": base_url, **urls, "accounts": [asdict(account) for account in accounts]}, file,
                  ensure_ascii=False, indent=2)
    os.replace(new, path)
