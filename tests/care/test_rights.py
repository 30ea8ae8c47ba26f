"""Who may do what: the keeper of that register, and who visits today. Every other post, and every token, is nobody here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lianxin.care import actions, queries
from lianxin.care.models import CareAccess, CareEntry, CarePage, CareStep
from lianxin.care.visiting import record_visit
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError
from lianxin.organisations.actors import SYSTEM, Actor, reporter_for
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.care.made import AREA, SAID, Register, days

pytestmark = pytest.mark.django_db

ASKS: dict[str, Callable[[Register, Actor, CareEntry], Any]] = {
    "list": lambda r, by, e: queries.register(by).lines[0].entry.pk,
    "open": lambda r, by, e: queries.file_of(by, e.pk),
    "print": lambda r, by, e: queries.file_of(by, e.pk, page=CarePage.PRINT),
    "enter": lambda r, by, e: actions.enter(by=by, person=SAID, consent=r.consent(), area=r.world.areas[AREA], interval_days=7,
                                            visitor=r.world.staff["grid"]),
    "correct": lambda r, by, e: actions.correct(by=by, pk=e.pk, version=1, person=SAID, area=r.world.areas[AREA], interval_days=7),
    "give": lambda r, by, e: actions.give(by=by, pk=e.pk, version=1, to=r.world.staff["grid2"]),
    "give_all": lambda r, by, e: _some(actions.give_all(by=by, visitor=r.world.staff["grid"], to=r.world.staff["grid2"])),
    "renew": lambda r, by, e: actions.renew(by=by, pk=e.pk, version=1, consent=r.consent()),
    "withdraw": lambda r, by, e: actions.withdraw(by=by, pk=e.pk),
    "told": lambda r, by, e: _some(queries.waiting(by)),
    "to_visit": lambda r, by, e: queries.to_visit(by, page=CarePage.VISITS)[0].entry.pk,
    "visit": lambda r, by, e: record_visit(by=by, pk=e.pk, at=now(), outcome="done"),
}
KEEPS = {"list", "open", "print", "enter", "correct", "give", "give_all", "renew", "withdraw", "told"}
VISITS = {"to_visit", "visit"}
MAY = {"keeper": KEEPS, "grid": VISITS}


def _some(count: int) -> None:
    if not count:
        raise LookupError("nothing of theirs")


def allowed(register: Register, by: Actor, ask: str, entry: CareEntry) -> bool:
    try:
        ASKS[ask](register, by, entry)
    except (DomainError, LookupError):
        return False
    return True


@pytest.fixture
def entry(register: Register) -> CareEntry:
    made = register.entry(interval_days=1)
    CareEntry.objects.filter(pk=made.pk).update(told="not_at_home", told_at=now())
    return made


@pytest.fixture
def everybody(register: Register) -> Register:
    """A person of every role in the bridge town's own office and one of every role in the hotline, besides the world's."""
    for unit in ("bridge", "hotline", "east"):
        for role in Role:
            person = Staff.objects.create(username=f"{unit}-{role}", name="某甲", unit=register.world.units[unit])
            RoleGrant.objects.create(staff=person, role=role, unit=register.world.units[unit])
            register.world.staff[person.username] = person
    return register


@pytest.mark.parametrize("ask", sorted(ASKS))
def test_who_may(everybody: Register, entry: CareEntry, ask: str) -> None:
    from django.db import transaction

    expected = {"keeper", f"bridge-{Role.CARE_KEEPER}"} if ask in KEEPS else {"grid"}
    found = set()
    for username in sorted(everybody.world.staff):
        sid = transaction.savepoint()
        if allowed(everybody, everybody.by(username), ask, entry):
            found.add(username)
        transaction.savepoint_rollback(sid)
    assert found == expected


@pytest.mark.parametrize("who", ["keeper", "grid", "admin", "supervisor"])
def test_no_api_token_may_anything(register: Register, entry: CareEntry, who: str) -> None:
    for ask in ASKS:
        for scopes in ((), ("care",), ("register", "*")):
            assert not allowed(register, register.token(who, *scopes), ask, entry), ask
    assert CareEntry.objects.count() == 1
    assert not CareAccess.objects.exists()
    assert CareStep.objects.count() == 1


def test_neither_the_system_nor_a_reporter(register: Register, entry: CareEntry) -> None:
    case_id = register.world.case()
    for by in (SYSTEM, reporter_for(case_id)):
        assert not any(allowed(register, by, ask, entry) for ask in ASKS)


def test_a_keeper_narrowed_to_an_area_keeps_what_lies_in_it(register: Register, entry: CareEntry) -> None:
    grant = RoleGrant.objects.get(staff=register.world.staff["keeper"])
    for code, seen in (("9901", 1), ("990101", 1), ("990101001", 1), (AREA, 1), ("990102", 0)):
        grant.area = register.world.areas[code]
        grant.save()
        assert queries.register(register.by("keeper")).total == seen, code
        assert allowed(register, register.by("keeper"), "open", entry) is bool(seen), code


def test_who_is_keeper_and_administrator_is_keeper_here_only(register: Register, entry: CareEntry) -> None:
    admin = register.world.staff["admin"]
    RoleGrant.objects.create(staff=admin, role=Role.CARE_KEEPER, unit=register.world.units["west"])
    assert queries.register(register.by("admin")).total == 0
    assert not allowed(register, register.by("admin"), "open", entry)


def test_a_visitor_sees_their_own_and_only_what_a_visit_needs(register: Register, entry: CareEntry) -> None:
    register.entry(visitor="grid2", interval_days=1, name="别人")
    (line,) = queries.to_visit(register.by("grid"), page=CarePage.VISITS)
    assert line.person == replace(SAID, trusted="", witness="")
    assert line.entry.pk == entry.pk


def test_only_what_falls_due_soon_is_carried_about(register: Register) -> None:
    for interval in (1, queries.AHEAD, queries.AHEAD + 1, 30):
        register.entry(interval_days=interval)
    held = [line.entry.interval_days for line in queries.to_visit(register.by("grid"), page=CarePage.PHONE)]
    assert held == [1, queries.AHEAD]


def test_another_keepers_list_counts_nothing_of_ours(register: Register, entry: CareEntry) -> None:
    page = queries.register(register.by("keeper_west"))
    assert (page.total, set(page.counts.values())) == (0, {0})
    assert queries.told(register.by("keeper_west")) == []
    assert [pk.pk for pk, _label in queries.told(register.by("keeper"))] == [entry.pk]
    with pytest.raises(Conflict):
        record_visit(by=register.by("grid_west"), pk=entry.pk, at=now(), outcome="done")
    with pytest.raises(DomainError):
        actions.give(by=register.by("keeper_west"), pk=entry.pk, version=1, to=register.world.staff["grid_west"], until=days(1))
