"""Accounts of staff: who looks after whose, and what they do to them. Every step is written down (`AccountEntry`).

The hotline's administrators look after everybody; another unit's administrator after their unit and those below it; a
unit's head after the clerks and grid workers of that unit. Nobody looks after an account that may do more than they may
give: a link to it would be a way to those rights. `Keeper` is the one rule for lists and for single accounts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text

from .actors import Actor, Kind
from .models import AccountEntry, AccountStep, ApiToken, DirectoryName, Role, RoleGrant, Staff, Unit, UnitKind

ALL_ROLES = frozenset(Role)
# held in the hotline only
HOTLINE_ROLES = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.REVIEWER, Role.CALLBACK, Role.SWITCHBOARD, Role.OUTSIDE_APP})
UNIT_ROLES = frozenset({Role.CLERK, Role.HEAD, Role.GRID_WORKER, Role.TEAM_LEAD, Role.CARE_KEEPER, Role.ADMINISTRATOR})
HEAD_ROLES = frozenset({Role.CLERK, Role.GRID_WORKER, Role.TEAM_LEAD})
# a city may work without anybody who holds them
OPTIONAL_ROLES = frozenset({Role.TEAM_LEAD, Role.CARE_KEEPER, Role.SWITCHBOARD, Role.OUTSIDE_APP})
USERNAME = re.compile(r"[A-Za-z0-9_.-]{2,60}")


def _with_lower(unit_ids: Collection[int]) -> frozenset[int]:
    """These units and all below them."""
    found, edge = set(unit_ids), set(unit_ids)
    while edge:
        edge = set(Unit.objects.filter(parent_id__in=edge).values_list("id", flat=True)) - found
        found |= edge
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whose accounts somebody looks after: all, or for each unit the roles its people may hold at most."""

    everything: bool = False
    roles: tuple[tuple[int, frozenset[Role]], ...] = ()

    def __bool__(self) -> bool:
        return self.everything or bool(self.roles)

    @property
    def unit_ids(self) -> list[int]:
        return [unit_id for unit_id, _roles in self.roles]

    def reaches(self, unit: Unit) -> bool:
        """Whether this keeper looks after the accounts of a unit."""
        return self.everything or unit.pk in self.unit_ids

    def may_give(self, unit: Unit) -> frozenset[Role]:
        """The roles that this keeper may give in a unit."""
        given = ALL_ROLES if self.everything else dict(self.roles).get(unit.pk, frozenset())
        return given if unit.kind == UnitKind.HOTLINE else given - HOTLINE_ROLES

    def listed(self) -> Q:
        """The people whose accounts this keeper may look at."""
        return Q() if self.everything else Q(unit_id__in=self.unit_ids)

    def q(self) -> Q:
        """The people whose accounts this keeper may change."""
        if self.everything:
            return Q()
        within = Q(pk__in=[])
        for roles in {roles for _unit, roles in self.roles}:
            within |= Q(unit_id__in=[unit_id for unit_id, held in self.roles if held == roles], role__in=roles)
        beyond = RoleGrant.objects.filter(staff=OuterRef("pk"), ended_at__isnull=True).exclude(within)
        return self.listed() & Q(~Exists(beyond))

    def holds(self, person: Staff) -> bool:
        """Whether this keeper may change one person's account."""
        if self.everything:
            return True
        roles = dict(self.roles)
        grants = RoleGrant.objects.filter(staff=person, ended_at__isnull=True).values_list("unit_id", "role")
        return person.unit_id in roles and all(role in roles.get(unit_id, ()) for unit_id, role in grants)


def keeper(actor: Actor) -> Keeper:
    """What an actor looks after. Tokens of other systems look after nothing."""
    if actor.kind is Kind.SYSTEM:
        return Keeper(everything=True)
    if actor.kind is not Kind.STAFF or actor.scopes is not None:
        return Keeper()
    if any(grant.role is Role.ADMINISTRATOR and grant.unit_kind is UnitKind.HOTLINE for grant in actor.grants):
        return Keeper(everything=True)
    roles = {grant.unit_id: HEAD_ROLES for grant in actor.grants if grant.role is Role.HEAD}
    own = [grant.unit_id for grant in actor.grants if grant.role is Role.ADMINISTRATOR]
    roles |= dict.fromkeys(_with_lower(own), UNIT_ROLES)
    return Keeper(roles=tuple(sorted(roles.items())))


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens of sign-in links: good once, for the days of `PASSWORD_RESET_TIMEOUT`, and until anything else is done to the
    account."""

    def _make_hash_value(self, user: Staff, timestamp: int) -> str:
        last = AccountEntry.objects.filter(staff=user).order_by("-id").values_list("id", flat=True).first()
        return f"{super()._make_hash_value(user, timestamp)}{last}{user.is_active}"


def _reason(why: str) -> str:
    found = clean_text(why, max_length=200, multiline=False)
    if not found:
        raise Invalid(fields={"why": str(_("请写明原因。"))})
    return found


_ADMINISTRATES = Exists(RoleGrant.objects.filter(
    staff=OuterRef("pk"), role=Role.ADMINISTRATOR, unit__kind=UnitKind.HOTLINE, ended_at__isnull=True))


def _held(by: Actor, staff_id: int, *, others: Q | None = None) -> tuple[Staff, list[Staff]]:
    """The person and, after them, every row that was locked with theirs: whoever acts, and `others`. Locked in one order,
    so that two who act on each other do it one after the other."""
    pks = [pk for pk in (by.staff_id, staff_id) if pk is not None]
    rows = list(Staff.objects.select_for_update(of=("self",)).filter(
        Q(pk__in=pks) if others is None else Q(pk__in=pks) | others).order_by("pk"))
    locked = {person.pk: person for person in rows}
    person = locked.get(staff_id)
    if person is None:
        raise NotFound()
    if by.staff_id is not None and not locked[by.staff_id].is_active:
        raise NotAllowed(_("您的账号已停用。"))
    if not keeper(by).holds(person):
        raise NotAllowed(_("这个账号不归您管，请找系统管理员。"))
    return person, rows


def _note(person: Staff, step: AccountStep, by: Actor, why: str = "") -> AccountEntry:
    return AccountEntry.objects.create(staff=person, step=step, at=now(), by_id=by.staff_id, why=why)


def _end_sessions(person: Staff) -> int:
    found = list(UserSession.objects.filter(user=person))
    for session in found:
        session.end()
    return len(found)


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended with an account: numbers of open sessions and of tokens."""

    sessions: int
    tokens: int


def deactivate(*, staff_id: int, why: str, by: Actor) -> Ended:
    """Close an account: its sessions end, its tokens are revoked, its open links lead nowhere. Roles and work stay as they are.

    Raises Invalid without a reason, NotFound, NotAllowed for an account that is not the actor's to look after, their own,
    or the last administrator's, and Conflict when it is closed already.
    """
    reason = _reason(why)
    if staff_id == by.staff_id:
        raise NotAllowed(_("不能停用自己的账号。"))
    with transaction.atomic():
        person, _locked = _held(by, staff_id, others=Q(_ADMINISTRATES))
        if not person.is_active:
            raise Conflict(_("这个账号已经停用。"))
        left = list(Staff.objects.filter(_ADMINISTRATES, is_active=True).values_list("pk", flat=True))
        if left == [person.pk]:
            raise NotAllowed(_("这是最后一名系统管理员，停用后就没有人能管账号了。"))
        person.is_active = False
        person.save(update_fields=["is_active"])
        tokens = ApiToken.objects.filter(staff=person, revoked_at__isnull=True).update(revoked_at=now())
        ended = Ended(_end_sessions(person), tokens)
        _note(person, AccountStep.DEACTIVATED, by, reason)
    return ended


def reactivate(*, staff_id: int, why: str, by: Actor) -> None:
    """Give an account back with the password and passkeys it had. Tokens stay revoked.

    Raises Invalid without a reason, NotFound, NotAllowed, and Conflict when it is open.
    """
    reason = _reason(why)
    with transaction.atomic():
        person, _locked = _held(by, staff_id)
        if person.is_active:
            raise Conflict(_("这个账号没有停用。"))
        person.is_active = True
        person.save(update_fields=["is_active"])
        _note(person, AccountStep.REACTIVATED, by, reason)


def renew(*, staff_id: int, by: Actor, second_step: bool = False) -> str:
    """The token of a new sign-in link, with which the person sets a password of their own; an older link is void.

    The password they have goes on holding until then. `second_step` takes their authenticator app, recovery codes and
    passkeys away as well, and ends their sessions: for the day the telephone is lost.
    Raises NotFound, NotAllowed (their own account included) and Conflict when the account is closed.
    """
    if staff_id == by.staff_id:
        raise NotAllowed(_("自己的密码请在“修改密码”里改。"))
    with transaction.atomic():
        person, _locked = _held(by, staff_id)
        if not person.is_active:
            raise Conflict(_("这个账号已停用，请先恢复。"))
        if second_step:
            Authenticator.objects.filter(user=person).delete()
            _end_sessions(person)
        _note(person, AccountStep.RESET if second_step else AccountStep.LINK, by)
    return LinkTokens().make_token(person)


def _closed(unit: Unit) -> bool:
    """Whether a unit is no more, today in the city."""
    return unit.active_to is not None and unit.active_to <= localtime(now()).date()


def make(*, username: str, name: str, unit: Unit, roles: Sequence[Role], by: Actor, roles_later: bool = False) -> tuple[Staff, str]:
    """A new account without a password, its roles, and the token of its first sign-in link. `roles_later`: a system that manages
    accounts gives them afterwards; until then the person may do nothing.

    Raises Invalid with what is wrong in which field, NotAllowed for a unit or role that is not the actor's to give, and
    Conflict when the username is taken, by a closed account too.
    """
    username, name = username.strip(), clean_text(name, max_length=60, multiline=False)
    faults: dict[str, str] = {}
    if not USERNAME.fullmatch(username):
        faults["username"] = str(_("用户名用 2 到 60 个字母、数字、点、横线或下划线。"))
    if not name:
        faults["name"] = str(_("请写姓名。"))
    if not roles and not roles_later:
        faults["roles"] = str(_("至少选一个岗位。"))
    if _closed(unit):
        faults["unit"] = str(_("这个单位已经撤销。"))
    if faults:
        raise Invalid(fields=faults)
    if not keeper(by).reaches(unit):
        raise NotAllowed(_("这个单位不归您管，请找系统管理员。"))
    if over := [role for role in roles if role not in keeper(by).may_give(unit)]:
        raise NotAllowed(_("您不能在这个单位给出这个岗位：%s。") % "、".join(str(Role(role).label) for role in over),
                         fields={"roles": str(_("请找系统管理员。"))})
    try:
        with transaction.atomic():
            person = Staff(username=username, name=name, unit=unit, date_joined=now())
            person.set_unusable_password()
            person.save()
            RoleGrant.objects.bulk_create([
                RoleGrant(staff=person, role=role, unit=unit, granted_at=now(), granted_by_id=by.staff_id)
                for role in dict.fromkeys(roles)])
            _note(person, AccountStep.MADE, by)
    except IntegrityError as error:
        raise Conflict(_("用户名 %s 已有人用。") % username, fields={"username": str(_("请换一个。"))}) from error
    return person, LinkTokens().make_token(person)


def _not_the_last(person: Staff, by: Actor) -> None:
    """Raises NotAllowed where a change of roles would leave nobody who looks after everybody."""
    if not Staff.objects.filter(_ADMINISTRATES, is_active=True).exclude(pk=person.pk).exists() and person.is_active:
        raise NotAllowed(_("这是最后一名系统管理员，去掉岗位后就没有人能管账号了。"))


@dataclass(frozen=True, slots=True)
class _Grants:
    """A person's standing grants in one unit, and what they are to become."""

    ended: list[RoleGrant]
    fresh: list[RoleGrant]

    @property
    def said(self) -> str:
        more, less = sorted({grant.role for grant in self.fresh}), sorted({grant.role for grant in self.ended})
        return " ".join([*(f"+{role}" for role in more), *(f"-{role}" for role in less)])


def _wanted(person: Staff, unit: Unit, roles: Collection[Role], areas: Collection[int] | None, by: Actor) -> _Grants:
    """Roles that stay keep their areas unless `areas` says which: none is the whole unit. Grants in other units stay as they are,
    but for those of a unit that the person leaves."""
    standing = list(RoleGrant.objects.select_for_update(of=("self",)).filter(staff=person, ended_at__isnull=True).select_related("unit"))
    here = [grant for grant in standing if grant.unit_id == unit.pk]
    left = [grant for grant in standing if grant.unit_id == person.unit_id and person.unit_id != unit.pk]
    held: dict[str, set[int | None]] = {}
    for grant in here:
        held.setdefault(grant.role, set()).add(grant.area_id)
    keys: set[tuple[str, int | None]] = set()
    for role in roles:
        given: set[int | None] = set(areas or ()) or {None}
        kept = held.get(role, {None}) if areas is None else given
        keys |= {(str(role), area) for area in kept}
    ended = [grant for grant in here if (grant.role, grant.area_id) not in keys] + left
    there = {(grant.role, grant.area_id) for grant in here}
    fresh = [RoleGrant(staff=person, role=role, unit=unit, area_id=area, granted_at=now(), granted_by_id=by.staff_id)
             for role, area in sorted(keys - there, key=str)]
    return _Grants(ended, fresh)


def _may_change(person: Staff, grants: _Grants, by: Actor) -> None:
    if not grants.ended and not grants.fresh:
        return
    if person.pk == by.staff_id:
        raise NotAllowed(_("不能改自己的岗位。"))
    kept = keeper(by)
    if over := sorted({str(Role(grant.role).label) for grant in (*grants.fresh, *grants.ended)
                       if Role(grant.role) not in kept.may_give(grant.unit)}):
        raise NotAllowed(_("您不能在这个单位给出这个岗位：%s。") % "、".join(over), fields={"roles": str(_("请找系统管理员。"))})
    administers = {grant.pk for grant in grants.ended if grant.role == Role.ADMINISTRATOR and grant.unit.kind == UnitKind.HOTLINE}
    if administers and not any(grant.role == Role.ADMINISTRATOR and grant.unit.kind == UnitKind.HOTLINE for grant in grants.fresh):
        _not_the_last(person, by)


def change(*, staff_id: int, by: Actor, why: str, name: str | None = None, email: str | None = None, unit: Unit | None = None,
           roles: Collection[Role] | None = None, areas: Collection[int] | None = None) -> bool:
    """Change what is known of a person and which roles they hold in their unit; whatever is None stays. Somebody who moves to
    another unit leaves the roles of the old one and, unless `roles` says otherwise, holds the same in the new one.

    One account entry says what was changed, and `why` where it came from. Returns whether anything was. Raises Invalid, NotFound,
    and NotAllowed for an account, unit or role that is not the actor's to change, for the actor's own roles, and for those of the
    last administrator.
    """
    reason = _reason(why)
    with transaction.atomic():
        person, _locked = _held(by, staff_id, others=Q(_ADMINISTRATES))
        said: list[str] = []
        fields: list[str] = []
        if name is not None:
            clean = clean_text(name, max_length=60, multiline=False)
            if not clean:
                raise Invalid(fields={"name": str(_("请写姓名。"))})
            if clean != person.name:
                person.name = clean
                fields.append("name")
        if email is not None and email != person.email:
            person.email = email
            fields.append("email")
        home = unit or person.unit
        if home is None:
            raise Invalid(fields={"unit": str(_("请选单位。"))})
        if home.pk != person.unit_id and _closed(home):
            raise Invalid(fields={"unit": str(_("这个单位已经撤销。"))})
        moved = home.pk != person.unit_id
        if roles is None and moved:
            roles = {Role(role) for role in RoleGrant.objects.filter(
                staff=person, unit=person.unit, ended_at__isnull=True).values_list("role", flat=True)}
        if roles is not None:
            grants = _wanted(person, home, roles, areas, by)
            _may_change(person, grants, by)
            RoleGrant.objects.filter(pk__in=[grant.pk for grant in grants.ended]).update(ended_at=now())
            RoleGrant.objects.bulk_create(grants.fresh)
            said += [grants.said] if grants.said else []
            if not grants.said and (grants.ended or grants.fresh):
                said.append("areas")
        if moved:
            if not keeper(by).reaches(home):
                raise NotAllowed(_("这个账号不归您管，请找系统管理员。"))
            person.unit = home
            fields.append("unit")
            said.append(f"→ {home.code}")
        if not fields and not said:
            return False
        if fields:
            person.save(update_fields=fields)
        _note(person, AccountStep.CHANGED, by, clean_text("：".join((reason, " ".join(said or fields))), max_length=200, multiline=False))
    return True


def call_in_directory(*, staff_id: int, by: Actor, why: str, name: str) -> bool:
    """What the directory that acts in the name of `by` calls a person; empty takes it away. Returns whether that is new, and writes an
    account entry then. Raises Invalid, NotFound, and NotAllowed for an account that is not the actor's to change."""
    if len(name) > 255 or not name.isprintable():
        raise Invalid(fields={"externalId": str(_("最多 255 个字符，不能有控制字符。"))})
    reason = _reason(why)
    with transaction.atomic():
        person, _locked = _held(by, staff_id)
        if by.unit_id is None:
            raise NotAllowed()
        held = DirectoryName.objects.filter(staff=person, unit_id=by.unit_id)
        if (held.values_list("name", flat=True).first() or "") == name:
            return False
        held.delete()
        if name:
            DirectoryName.objects.create(staff=person, unit_id=by.unit_id, name=name)
        _note(person, AccountStep.CHANGED, by, clean_text(f"{reason}：externalId", max_length=200, multiline=False))
    return True
