"""The picture of who acts: standing grants only, the county of a unit, a token's unit."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.kernel.clock import Frozen
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import SYSTEM, Kind, actor_for, reporter_for
from lianxin.organisations.models import ApiToken, Role, RoleGrant, UnitKind, token_digest
from tests.world import World

pytestmark = pytest.mark.django_db


def test_one_query_reads_the_standing_grants(world: World, monday: Frozen) -> None:
    person = world.staff["east"]
    RoleGrant.objects.create(staff=person, role=Role.SUPERVISOR, unit=world.units["east"], area=world.areas["990102"])
    RoleGrant.objects.create(staff=person, role=Role.OPERATOR, unit=world.units["hotline"], ended_at=monday.move())
    with CaptureQueriesContext(connection) as queries:
        who = actor_for(person, via="desk")
    assert len(queries) == 1
    assert who.roles == {Role.CLERK, Role.SUPERVISOR}
    assert who.has(Role.CLERK)
    assert not who.has(Role.OPERATOR)
    assert (who.kind, who.staff_id, who.unit_id, who.via) == (Kind.STAFF, person.pk, world.units["east"].pk, "desk")
    narrowed = next(grant for grant in who.grants if grant.role is Role.SUPERVISOR)
    assert (narrowed.area_id, narrowed.unit_kind) == (world.areas["990102"].pk, UnitKind.COUNTY_GOVERNMENT)


@pytest.mark.parametrize(("unit", "county"), [("east", "990101"), ("bridge", "990101"), ("urban", None), ("hotline", None)])
def test_the_county_of_a_unit(world: World, unit: str, county: str | None) -> None:
    person = world.staff["operator"]
    RoleGrant.objects.filter(staff=person).delete()
    RoleGrant.objects.create(staff=person, role=Role.CLERK, unit=world.units[unit])
    grant, = actor_for(person).grants
    assert grant.county_id == (world.areas[county].pk if county else None)


def test_a_token_leaves_the_grants_of_its_unit(world: World) -> None:
    person = world.staff["urban"]
    RoleGrant.objects.create(staff=person, role=Role.CLERK, unit=world.units["water"])
    who = actor_for(person, unit=world.units["water"], scopes=frozenset({"sign"}))
    assert [grant.unit_id for grant in who.grants] == [world.units["water"].pk]
    assert (who.unit_id, who.scopes) == (world.units["water"].pk, {"sign"})


def test_reporters_and_the_system_hold_no_grants() -> None:
    case_id = uuid7()
    who = reporter_for(case_id)
    assert (who.kind, who.case_id, who.grants, who.staff_id) == (Kind.REPORTER, case_id, (), None)
    assert (SYSTEM.kind, SYSTEM.grants) == (Kind.SYSTEM, ())


def test_an_actor_does_not_change() -> None:
    with pytest.raises(AttributeError):
        SYSTEM.staff_id = 1  # type: ignore[misc]


def test_a_token_is_kept_as_its_digest_only(world: World) -> None:
    secret = ApiToken.new_secret()
    assert secret.startswith("lx_")
    assert len({ApiToken.new_secret() for _ in range(100)}) == 100
    token = ApiToken.objects.create(name="水务接口", unit=world.units["water"], staff=world.staff["water"],
                                    digest=token_digest(secret), hint=secret[-4:])
    with connection.cursor() as cursor:
        cursor.execute("SELECT organisations_apitoken::text FROM organisations_apitoken")
        assert secret not in cursor.fetchone()[0]
    assert bytes(ApiToken.objects.get(digest=token_digest(secret)).digest) == token_digest(secret)
    assert str(token) == "水务接口"


def test_only_an_unnarrowed_grant_in_the_hotline_holds_for_the_city(world: World) -> None:
    assert actor_for(world.staff["supervisor"]).holds_in_hotline(Role.SUPERVISOR)
    assert not actor_for(world.staff["supervisor"]).holds_in_hotline(Role.REVIEWER)
    assert not actor_for(world.staff["east_supervisor"]).holds_in_hotline(Role.SUPERVISOR)
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.SUPERVISOR, unit=world.units["urban"])
    assert not actor_for(world.staff["urban"]).holds_in_hotline(Role.SUPERVISOR)
    RoleGrant.objects.filter(staff=world.staff["supervisor"]).update(area=world.areas["990102"])
    assert not actor_for(world.staff["supervisor"]).holds_in_hotline(Role.SUPERVISOR)
    assert not SYSTEM.holds_in_hotline(*Role)
