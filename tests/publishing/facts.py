"""Facts as rows, for tests of what is counted from them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from lianxin.analysis.models import Episode, Refresh
from lianxin.cases.reference import reference


def episode(area: str, said: datetime, hours: float | None = None, *, state: str = "", **more: Any) -> Episode:
    """One case said at a moment and closed after so many hours, or still open."""
    place = reference().places_by_code[area] if area else None
    closed = said + timedelta(hours=hours) if hours is not None else None
    towns = [pk for pk in place.lineage if reference().places[pk].level == "town"] if place else []
    made: dict[str, Any] = {
        "case_id": uuid.uuid4(), "round": 1, "number": "26-1", "latest": True, "channel": "web", "kind": "help", "urgency": "normal",
        "state": state or ("closed" if closed else "in_hand"), "area_id": place.id if place else None,
        "county_id": place.county_id if place else None, "town_id": towns[0] if towns else None, "registered_at": said,
        "closed_at": closed, "ended_at": closed, "ended_as": state or ("closed" if closed else ""), "revision": 1,
    }
    return Episode(**made | more)


def called(area: str, due: datetime, *, solved: bool | None = True, **more: Any) -> Episode:
    """One whose callback fell due at a moment; nobody was reached where `solved` is None."""
    return episode(area, due - timedelta(days=5), 96, callback_due_at=due, callback_ended_at=due, first_contact_due_at=due,
                   first_contact_met_at=due - timedelta(days=4), reached=solved is not None, solved=solved,
                   satisfaction="" if solved is None else "satisfied" if solved else "dissatisfied", **more)


def stand_at(at: datetime, rows: list[Episode]) -> None:
    """The facts are these, as of a moment."""
    Episode.objects.bulk_create(rows)
    Refresh.objects.update_or_create(pk=1, defaults={"at": at, "revision": 1})
