"""What the database itself refuses of a record, tried with plain SQL."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from lianxin.kernel.clock import Frozen
from lianxin.publishing.models import Standing
from lianxin.publishing.records import refresh
from tests.cases.ways import walk
from tests.publishing.made import VILLAGE, raised
from tests.world import World

pytestmark = pytest.mark.django_db
# Constraint → statements that must be refused; the first half of the rows is cleared, the other is not.
TRIALS = {
    "public_record_precision_known": ["UPDATE publishing_record SET precision = 'house'"],
    "public_record_stage_known": ["UPDATE publishing_record SET stage = 'lost'"],
    "public_record_dated_known": ["UPDATE publishing_record SET dated = 'hour' WHERE NOT cleared"],
    "public_record_words_cleared": [f"UPDATE publishing_record SET {name} = 'x' WHERE NOT cleared" for name in ("title", "body", "answer")],
    "public_record_exact_when_cleared": [
        "UPDATE publishing_record SET dated = 'exact' WHERE NOT cleared", "UPDATE publishing_record SET dated = 'day' WHERE cleared",
        "UPDATE publishing_record SET case_number = number WHERE NOT cleared",
        "UPDATE publishing_record SET case_number = '' WHERE cleared"],
    "public_record_place_whole": ["UPDATE publishing_record SET lon = NULL WHERE lat IS NOT NULL",
                                  "UPDATE publishing_record SET lat = NULL WHERE lon IS NOT NULL"],
    "public_standing_one": ["INSERT INTO publishing_standing (id, revision) VALUES (2, 0)"],
}


def test_every_rule_is_tried() -> None:
    assert {rule.name for model in apps.get_app_config("publishing").get_models() for rule in model._meta.constraints} == set(TRIALS)


def test_the_database_refuses(world: World, october: Frozen) -> None:
    raised(world, 5)
    walk(world, world.case(area=VILLAGE), ["accept", "request_publication", "clear_publication"])
    october.move(days=1)
    refresh()
    assert Standing.objects.count() == 1
    for name, statements in TRIALS.items():
        for statement in statements:
            with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_a_reference_is_of_one_record(world: World, october: Frozen) -> None:
    raised(world, 5)
    october.move(days=1)
    refresh()
    with pytest.raises(IntegrityError, match="number"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE publishing_record SET number = 'R-00000-00000'")
