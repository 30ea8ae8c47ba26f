"""The words for a value of a field with choices, without translating every choice each time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.db import models
from django.utils.encoding import force_str


@lru_cache(maxsize=64)
def _labels(field: models.Field[Any, Any]) -> dict[Any, Any]:
    return dict(field.flatchoices)


def display(self: models.Model, field: models.Field[Any, Any]) -> str:
    """Set as `_get_FIELD_display` in a model: what `get_state_display` and its like answer.

    Django's own hashes all choices of the field at every call, and so translates them all; a list of fifty rows has
    two hundred calls.
    """
    value = getattr(self, field.attname)
    return str(force_str(_labels(field).get(value, value), strings_only=True))
