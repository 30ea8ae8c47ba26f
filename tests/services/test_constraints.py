"""What the database refuses of a question."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from lianxin.services.models import ServiceAttribute
from tests.world import World

pytestmark = pytest.mark.django_db
OPTIONS = [["one", "一", ""]]
GOOD: dict[str, Any] = {"code": "a", "datatype": "string", "question": "几盏？"}
BAD: dict[str, dict[str, Any]] = {
    "service_attribute_datatype_known": {"datatype": "colour"},
    "service_attribute_asked_when_required": {"required": True, "variable": False},
    "service_attribute_list_has_options": {"datatype": "singlevaluelist"},
    "service_attribute_once": {"code": "there"},
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused(world: World, name: str) -> None:
    lamp = world.categories["010101"]
    ServiceAttribute.objects.create(category=lamp, **GOOD | {"code": "there"})
    with pytest.raises(IntegrityError, match=re.escape(name)), transaction.atomic():
        ServiceAttribute.objects.create(category=lamp, **GOOD | BAD[name])
    ServiceAttribute.objects.create(category=lamp, **GOOD)


def test_options_belong_to_lists(world: World) -> None:
    lamp = world.categories["010101"]
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceAttribute.objects.create(category=lamp, **GOOD | {"options": OPTIONS})
    ServiceAttribute.objects.create(category=lamp, **GOOD | {"datatype": "multivaluelist", "options": OPTIONS})
    told = ServiceAttribute.objects.create(category=lamp, **GOOD | {"code": "told", "variable": False, "question_en": "Mind!"})
    assert (str(told.asked), told.hinted) == ("几盏？", "")


def test_every_constraint_is_tried() -> None:
    named = {one.name for one in ServiceAttribute._meta.constraints if isinstance(one, models.CheckConstraint | models.UniqueConstraint)}
    assert named == set(BAD)
