"""A row in every table that a test's cases left empty, so that an export has seen them all. The least that a row needs: what the models say
a column may hold, what it refers to, and where constraints ask for more, what is written here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError, models, transaction

from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import Role, RoleGrant
from lianxin.transfer.tables import JOBS, tables
from lianxin.triage.hot.models import DAYS


def _one(name: str, *, last: bool = False) -> Callable[[], Any]:
    """The key of a row that is there."""
    def key() -> Any:
        return apps.get_model(name)._default_manager.order_by("-pk" if last else "pk").values_list("pk", flat=True).first()

    return key


def _grid(column: str) -> Callable[[], Any]:
    """Of a grid worker's grant: the person, or the unit."""
    return lambda: RoleGrant.objects.filter(role=Role.GRID_WORKER, ended_at__isnull=True).values_list(column, flat=True).first()


# Of tables whose constraints ask for more than the least.
GIVEN: Final[dict[str, dict[str, Any]]] = {
    "care_careentry": {"visitor_id": _grid("staff_id"), "unit_id": _grid("unit_id")},
    "care_carestep": {"by_id": _one("organisations.Staff")},
    "cases_check": {"worker_id": _one("organisations.Staff"), "asked_by_id": _one("organisations.Staff", last=True)},
    "cases_distinct": {"first_id": _one("cases.Case"), "second_id": _one("cases.Case", last=True)},
    "cases_identityreading": {"case_id": _one("cases.Case")},
    "cases_missedcall": {"phone": b"\x01" * 16, "phone_hash": b"\x01" * 32},
    "exchange_letter": {"body": b"\x01" * 16},
    "exchange_picture": {"address": b"\x01" * 16},
    "exchange_system": {"unit_id": _one("organisations.Unit")},
    "hot_hotissue": {"days": [0] * DAYS, "cases": 2, "voices": 2, "category_id": _one("cases.Category")},
    "hot_hotsurge": {"chance": 0.01},
    "linkage_outgoing": {"body": b"\x01" * 16},
    "patrols_checkin": {"lon": 113.1, "lat": 29.1},
    "patrols_inspection": {"area_id": _one("places.Area")},
    "patrols_roundplace": {"area_id": _one("places.Area")},
    "quality_campaigndraw": {"drawn": True},
    "supervision_order": {"state": "noted"},
    "webhooks_delivery": {"case_id": _one("cases.Case")},
}
PLAIN: Final[tuple[tuple[type[models.Field[Any, Any]], Callable[[], Any]], ...]] = (
    (models.BooleanField, lambda: False), (models.DateTimeField, now), (models.DateField, lambda: date(2026, 5, 6)),
    (models.UUIDField, uuid7), (models.BinaryField, lambda: b"\x01" * 16), (models.JSONField, dict), (models.FloatField, lambda: 1.5),
    (models.IntegerField, lambda: 1), (models.TextField, lambda: "甲,\"乙\"\n丙"), (models.CharField, lambda: "x"))


def _value(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        return field.related_model._default_manager.values_list("pk", flat=True).first()  # type: ignore[union-attr]
    if field.choices:
        return field.flatchoices[0][0]
    return next((make() for kind, make in PLAIN if isinstance(field, kind)), [])


def row_of(model: type[models.Model]) -> dict[str, Any]:
    """The least that a row of a table needs."""
    made: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.has_default() or field.null or isinstance(field, models.AutoField) or field.blank:
            continue
        made[field.attname] = _value(field)
    return made | GIVEN.get(model._meta.db_table, {})


def fill() -> dict[str, str]:
    """Put a row into each exported table that has none, those that others refer to first. Returns what could not be, and why."""
    by_table = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    left = {}
    for table in tables():
        model = by_table.get(table.name)
        if table.name == JOBS or model is None or model._default_manager.exists():
            continue
        try:
            with transaction.atomic():
                values = {name: value() if callable(value) else value for name, value in row_of(model).items()}
                model._default_manager.bulk_create([model(**values)])
        except (DatabaseError, ValueError, TypeError) as error:
            left[table.name] = str(error).splitlines()[0]
    return left
