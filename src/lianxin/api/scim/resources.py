"""Users and groups: as SCIM shows them, and as SCIM changes them, through `organisations.accounts` only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.organisations import accounts
from lianxin.organisations.accounts import Keeper, keeper
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import AccountEntry, AccountStep, DirectoryName, Role, RoleGrant, Staff, Unit

from .errors import ScimFault
from .filters import Attribute
from .schemas import GROUP, STAFF, USER

DELETED = "SCIM DELETE"  # why an account was closed that the directory deleted
WHY = "SCIM"
LONGEST_EMAIL = Staff._meta.get_field("email").max_length or 254
_STANDING = {"grants__ended_at__isnull": True}
USER_FILTERS = {
    "id": Attribute("pk", "id"), "externalid": Attribute("external_id", exact=True),
    "username": Attribute("username"), "displayname": Attribute("name"), "name.formatted": Attribute("name"),
    "active": Attribute("is_active", "boolean"), "emails": Attribute("email"), "emails.value": Attribute("email"),
    "roles": Attribute("grants__role", fixed=_STANDING), "roles.value": Attribute("grants__role", fixed=_STANDING),
    f"{STAFF.lower()}:unit": Attribute("unit__code", exact=True),
    "meta.created": Attribute("date_joined", "time"), "meta.lastmodified": Attribute("changed_at", "time"),
}


def users(actor: Actor) -> QuerySet[Staff]:
    """Those whose accounts this token's person looks after, without what the directory deleted; `external_id` is what the directory
    itself calls each, and empty where it has not said."""
    last = AccountEntry.objects.filter(staff=OuterRef("pk")).order_by("-id")
    return (
        Staff.objects.filter(keeper(actor).listed())
        .annotate(changed_at=Coalesce(Max("account_entries__at"), "date_joined"),
                  last_step=Coalesce(Subquery(last.values("step")[:1]), Value("")),
                  last_why=Coalesce(Subquery(last.values("why")[:1]), Value("")),
                  external_id=Coalesce(Subquery(DirectoryName.objects.filter(
                      staff=OuterRef("pk"), unit_id=actor.unit_id or 0).values("name")), Value("")))
        .exclude(last_step=AccountStep.DEACTIVATED, last_why=DELETED).select_related("unit").order_by("pk")
    )


def user(actor: Actor, pk: str) -> Staff:
    """Raises ScimFault 404."""
    found = users(actor).filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
    if found is None:
        raise ScimFault(404, _("没有这个账号：%s") % pk[:40])
    return found


def _when(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def standing(people: Iterable[Staff]) -> dict[int, list[RoleGrant]]:
    """The standing grants of each person."""
    found: dict[int, list[RoleGrant]] = {}
    for grant in RoleGrant.objects.filter(staff__in=list(people), ended_at__isnull=True).select_related("unit").order_by("role", "id"):
        found.setdefault(grant.staff_id, []).append(grant)
    return found


def group_id(unit: Unit, role: str) -> str:
    return f"{unit.code}:{role}"


def group_name(unit: Unit, role: str) -> str:
    return f"{unit.said} · {Role(role).label}"


def user_said(person: Staff, grants: list[RoleGrant], root: str) -> dict[str, Any]:
    changed: datetime = getattr(person, "changed_at", person.date_joined)
    own = dict.fromkeys(grant.role for grant in grants if grant.unit_id == person.unit_id)
    groups = {group_id(grant.unit, grant.role): group_name(grant.unit, grant.role) for grant in grants}
    made: dict[str, Any] = {
        "schemas": [USER, STAFF], "id": str(person.pk), "userName": person.username, "displayName": person.name,
        "name": {"formatted": person.name}, "active": person.is_active,
        "roles": [{"value": role, "display": str(Role(role).label)} for role in own],
        "groups": [{"value": key, "$ref": f"{root}/Groups/{key}", "display": name} for key, name in groups.items()],
        STAFF: {"unit": person.unit.code if person.unit else None},
        "meta": {"resourceType": "User", "created": _when(person.date_joined), "lastModified": _when(changed),
                 "location": f"{root}/Users/{person.pk}"},
    }
    if external := getattr(person, "external_id", ""):
        made["externalId"] = external
    if person.email:
        made["emails"] = [{"value": person.email, "type": "work", "primary": True}]
    return made


# --- writing a user --------------------------------------------------------------------------------------------------

@dataclass(slots=True)
class Wish:
    """What a request wants a user to be; None is what it does not speak of."""

    username: str | None = None
    external: str | None = None
    name: str | None = None
    email: str | None = None
    active: bool | None = None
    unit: str | None = None
    roles: list[str] | None = None
    # Roles to give or to take away beside those that are held.
    more: set[str] = field(default_factory=set)
    less: set[str] = field(default_factory=set)


def _bad(words: str) -> ScimFault:
    return ScimFault(400, words, "invalidValue")


def text_of(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _bad(_("%s 应是文字。") % name)
    return value


def truth_of(value: Any) -> bool:
    """A boolean; some directories send it as a text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _bad(_("active 应是 true 或 false。"))


def name_of(value: Any) -> str | None:
    """A whole name out of the attribute `name`."""
    if not isinstance(value, dict):
        raise _bad(_("%s 应是一组值。") % "name")
    found = {key.lower(): text_of(part, key) for key, part in value.items() if part is not None}
    whole = found.get("formatted") or found.get("familyname", "") + found.get("givenname", "")
    return whole or None


def email_of(value: Any) -> str:
    """The primary of a list of addresses, else the first; empty for none."""
    rows = value if isinstance(value, list) else [value]
    chosen = ""
    for row in rows:
        one = text_of(row.get("value") if isinstance(row, dict) else row, "emails.value")
        if not chosen or (isinstance(row, dict) and row.get("primary") is True):
            chosen = one
    if chosen:
        try:
            validate_email(chosen)
        except ValidationError:
            raise _bad(_("邮箱地址不对：%s") % chosen[:80]) from None
        if len(chosen) > LONGEST_EMAIL:
            raise _bad(_("邮箱地址不对：%s") % chosen[:80])
    return chosen


def roles_of(value: Any) -> list[str]:
    rows = value if isinstance(value, list) else [value]
    found = [text_of(row.get("value") if isinstance(row, dict) else row, "roles.value") for row in rows]
    for role in found:
        if role not in Role.values:
            raise _bad(_("没有这个岗位：%s") % role[:40])
    return found


def wish_of(body: dict[str, Any]) -> Wish:
    """A whole user as it is sent to be made or put. Names of attributes do not mind capitals; what only we write is passed over."""
    wish = Wish()
    for key, value in body.items():
        put(wish, key, value)
    return wish


def put(wish: Wish, name: str, value: Any) -> None:
    """Set one attribute of a wish. Raises ScimFault for a value that cannot be."""
    key = name.lower().removeprefix(f"{USER.lower()}:")
    if key in ("schemas", "id", "meta", "groups") or value is None:
        return
    if key == "username":
        wish.username = text_of(value, name)
    elif key == "externalid":
        wish.external = text_of(value, name)
    elif key in ("displayname", "name.formatted"):
        wish.name = text_of(value, name) or wish.name
    elif key == "name":
        wish.name = wish.name or name_of(value)
    elif key == "active":
        wish.active = truth_of(value)
    elif key in ("emails", "emails.value"):
        wish.email = email_of(value)
    elif key in ("roles", "roles.value"):
        wish.roles = roles_of(value)
    elif key == f"{STAFF.lower()}:unit":
        wish.unit = text_of(value, name)
    elif key == STAFF.lower():
        if not isinstance(value, dict):
            raise _bad(_("%s 应是一组值。") % name)
        for inner, part in value.items():
            put(wish, f"{STAFF}:{inner}", part)
    # Whatever else a directory sends is not ours to keep (RFC 7644, section 3.3).


def _unit(code: str) -> Unit:
    found = Unit.objects.filter(code=code).first()
    if found is None:
        raise _bad(_("没有这个单位：%s") % code[:40])
    return found


def make(actor: Actor, wish: Wish) -> Staff:
    """A new account, or the one that the directory deleted under this username before."""
    if not wish.username:
        raise _bad(_("缺少 userName。"))
    unit = _unit(wish.unit) if wish.unit else Unit.objects.get(pk=actor.unit_id or 0)
    gone = Staff.objects.filter(keeper(actor).listed(), username=wish.username, is_active=False).first()
    if gone is not None and not users(actor).filter(pk=gone.pk).exists():
        accounts.reactivate(staff_id=gone.pk, why=WHY, by=actor)
        wish.unit = unit.code
        wish.roles = wish.roles or []
        wish.active = wish.active is not False
        return change(actor, gone, wish)
    person, _token = accounts.make(username=wish.username, name=wish.name or wish.username, unit=unit,
                                   roles=[Role(role) for role in wish.roles or ()], by=actor, roles_later=True)
    if wish.email:
        accounts.change(staff_id=person.pk, by=actor, why=WHY, email=wish.email)
    _called(actor, person, wish)
    if wish.active is False:
        accounts.deactivate(staff_id=person.pk, why=WHY, by=actor)
    return person


def _called(actor: Actor, person: Staff, wish: Wish) -> None:
    if wish.external is not None:
        accounts.call_in_directory(staff_id=person.pk, by=actor, why=WHY, name=wish.external)


def change(actor: Actor, person: Staff, wish: Wish) -> Staff:
    """Make a user what is wished. Raises ScimFault `mutability` for another username."""
    if wish.username is not None and wish.username.lower() != person.username.lower():
        raise ScimFault(400, _("用户名不能改。"), "mutability")
    roles: set[str] | None = set(wish.roles) if wish.roles is not None else None
    if roles is None and (wish.more or wish.less):
        roles = set(RoleGrant.objects.filter(staff=person, unit=person.unit, ended_at__isnull=True).values_list("role", flat=True))
    if roles is not None:
        roles = (roles | wish.more) - wish.less
    accounts.change(
        staff_id=person.pk, by=actor, why=WHY, name=wish.name, email=wish.email, unit=_unit(wish.unit) if wish.unit else None,
        roles=None if roles is None else {Role(role) for role in roles})
    _called(actor, person, wish)
    person.refresh_from_db(fields=["is_active"])
    if wish.active is not None and wish.active != person.is_active:
        (accounts.reactivate if wish.active else accounts.deactivate)(staff_id=person.pk, why=WHY, by=actor)
    return person


def delete(actor: Actor, person: Staff) -> None:
    """Deactivate; the account stays, and is no longer shown to the directory."""
    if not person.is_active:
        accounts.reactivate(staff_id=person.pk, why=WHY, by=actor)  # so that the last entry says that it was deleted
    accounts.deactivate(staff_id=person.pk, why=DELETED, by=actor)


# --- groups ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class Group:
    unit: Unit
    role: Role

    @property
    def id(self) -> str:
        return group_id(self.unit, self.role)

    @property
    def name(self) -> str:
        return group_name(self.unit, self.role)


def groups(actor: Actor) -> list[Group]:
    """Every role that may be given in every open unit this token's person looks after, in order."""
    kept: Keeper = keeper(actor)
    units = Unit.objects.filter(Q(active_to__isnull=True) | Q(active_to__gt=localtime(now()).date())).order_by("code")
    if not kept.everything:
        units = units.filter(pk__in=kept.unit_ids)
    return [Group(unit, role) for unit in units for role in Role if role in kept.may_give(unit)]


def group(actor: Actor, pk: str) -> Group:
    """Raises ScimFault 404."""
    code, _colon, role = pk.partition(":")
    unit = Unit.objects.filter(code=code).first()
    if unit is None or role not in Role.values or Role(role) not in keeper(actor).may_give(unit):
        raise ScimFault(404, _("没有这个组：%s") % pk[:80])
    return Group(unit, Role(role))


def members(actor: Actor, found: Iterable[Group]) -> dict[str, list[Staff]]:
    """Who holds the role in the unit of each group, as far as this token's person looks after them."""
    wanted = list(found)
    made: dict[str, list[Staff]] = {one.id: [] for one in wanted}
    condition = Q(pk__in=[])
    for one in wanted:
        condition |= Q(unit=one.unit, role=one.role)
    rows = RoleGrant.objects.filter(condition, ended_at__isnull=True, staff__in=users(actor).values("pk")).select_related("unit", "staff")
    for grant in rows.order_by("staff_id"):
        people = made[group_id(grant.unit, grant.role)]
        if grant.staff not in people:
            people.append(grant.staff)
    return made


def group_said(one: Group, people: list[Staff], root: str) -> dict[str, Any]:
    return {
        "schemas": [GROUP], "id": one.id, "displayName": one.name,
        "members": [{"value": str(person.pk), "$ref": f"{root}/Users/{person.pk}", "type": "User", "display": person.name}
                    for person in people],
        "meta": {"resourceType": "Group", "location": f"{root}/Groups/{one.id}"},
    }


def set_members(actor: Actor, one: Group, *, more: Iterable[str] = (), less: Iterable[str] = ()) -> None:
    """Give the role to some and take it from others. Only people of the unit itself get its roles here."""
    for pk in more:
        person = user(actor, pk)
        if person.unit_id != one.unit.pk:
            raise _bad(_("%(name)s 不是 %(unit)s 的人，请先改其单位。") % {"name": person.username, "unit": one.unit.code})
        change(actor, person, Wish(more={str(one.role)}))
    for pk in less:
        person = user(actor, pk)
        if person.unit_id != one.unit.pk:
            raise _bad(_("%(name)s 不是 %(unit)s 的人，请在工作台改其岗位。") % {"name": person.username, "unit": one.unit.code})
        change(actor, person, Wish(less={str(one.role)}))
