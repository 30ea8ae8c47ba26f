"""What the database holds of rounds: every constraint of these tables is tried, and one without a trial fails here."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from lianxin.kernel.clock import Frozen, now
from lianxin.patrols.models import CheckIn, Inspection, InspectionPhoto
from lianxin.places.models import Site
from tests.patrols.made import GOOD, round_of, sites, version
from tests.world import World

pytestmark = pytest.mark.django_db

# Constraint → table, and what must be refused: a SET clause or a whole statement.
TRIALS = {
    "form_version_once": ("patrols_formversion", ["number = 1"]),
    "round_every_day_at_most": ("patrols_round", ["every = 0"]),
    "round_place_is_a_site_or_an_area": ("patrols_roundplace", [
        "site_id = NULL, area_id = NULL",
        "site_id = (SELECT min(id) FROM places_site), area_id = (SELECT min(id) FROM places_area)"]),
    "round_place_once": ("patrols_roundplace", ["site_id = (SELECT min(id) FROM places_site), area_id = NULL"]),
    "check_in_how_known": ("patrols_checkin", ["how = 'nfc'"]),
    "check_in_at_a_site_or_a_position": ("patrols_checkin", ["lon = 113, lat = 29", "site_id = NULL, how = 'button'", "accuracy = 5"]),
    "check_in_by_code_at_a_site": ("patrols_checkin", ["site_id = NULL, lon = 113, lat = 29, how = 'qr'"]),
    "inspection_at_a_site_or_in_an_area": ("patrols_inspection", ["site_id = NULL", "area_id = (SELECT min(id) FROM places_area)"]),
}


def test_every_constraint_has_a_trial() -> None:
    named = {constraint.name for model in apps.get_app_config("patrols").get_models() for constraint in model._meta.constraints}
    assert named == TRIALS.keys()


@pytest.fixture
def full(world: World, monday: Frozen) -> None:
    sites(world)
    form = version().form
    version(2)
    round_of(world, form)
    school, staff = Site.objects.get(code="school"), world.staff["grid"]
    CheckIn.objects.create(pk=uuid.uuid4(), staff=staff, site=school, how="qr", at=now())
    Inspection.objects.create(pk=uuid.uuid4(), version=form.versions.get(number=1), site=school, staff=staff, at=now(), answers=GOOD)


@pytest.mark.parametrize(("name", "change"), [(name, change) for name, (_table, changes) in TRIALS.items() for change in changes])
def test_the_database_refuses(full: None, name: str, change: str) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TRIALS[name][0]} SET {change}")


def test_nothing_that_was_done_is_lost_with_its_place_or_person(full: None, world: World) -> None:
    """Sites, people, versions and photos that something was done with cannot be deleted."""
    relations: list[Any] = [field for model in (CheckIn, Inspection, InspectionPhoto) for field in model._meta.concrete_fields
                            if isinstance(field, models.ForeignKey)]
    assert {field.remote_field.on_delete for field in relations} == {models.PROTECT}
