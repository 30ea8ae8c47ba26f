"""Public records, written as `publishing` would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lianxin.cases.models import Case
from lianxin.kernel.clock import now
from lianxin.publishing.models import Record
from lianxin.publishing.records import reference_of
from tests.world import World


def recorded(world: World, *, days: float = 1, category: str | None = "010101", stage: str = "received", closed: float | None = None,
             words: str = "", **more: Any) -> str:
    """A case's record opened so many days ago; its id."""
    case = Case.objects.get(pk=world.case())
    opened = now() - timedelta(days=days)
    ended: datetime | None = now() - timedelta(days=closed) if closed is not None else None
    area = world.areas["990101001001"]
    cleared = {"cleared": True, "dated": "exact", "case_number": case.number, "title": "路灯", "body": words} if words else {"dated": "day"}
    values = {
        "number": reference_of(case.number), "category": world.categories.get(category or ""), "kind": "help", "precision": "village",
        "area": area, "county": world.areas["990101"], "lon": 113.1, "lat": 29.1, "unit": world.units["urban"], "stage": stage,
        "opened_at": opened, "closed_at": ended, "changed_at": ended or opened, "revision": 1}
    return Record.objects.create(case=case, **values | cleared | more).number
