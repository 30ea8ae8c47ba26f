"""What a subscriber is sent: ids, numbers, codes and times. Whoever wants the words asks the API, with rights of their own.

The envelope is Standard Webhooks': `type`, `timestamp`, `data` (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from lianxin.cases.models import Event
from lianxin.cases.reference import Reference

from . import types


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(kind: str, at: datetime, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": moment(at), "data": data}, ensure_ascii=False, separators=(",", ":"))


def of_event(event: Event, known: Reference) -> str:
    """The body for one event with its case. `lead_unit`, `category` and `area` say how the case stood when the event was read."""
    case = event.case

    def code(row: Any) -> str | None:
        return None if row is None else str(row.code)

    return written(types.type_of(event.action), event.at, {
        "event_id": str(event.pk), "case_id": str(case.pk), "number": case.number, "action": event.action,
        "from_state": event.from_state or None, "to_state": event.to_state, "version": event.version, "public": event.public,
        "unit": code(known.units.get(event.unit_id or 0)), "lead_unit": code(known.units.get(case.lead_unit_id or 0)),
        "category": code(known.nodes.get(case.category_id or 0)), "area": code(known.places.get(case.area_id or 0)),
        "url": f"{settings.LIANXIN_PUBLIC_URL}/api/v1/cases/{case.pk}",
    })


def of_test(subscription: uuid.UUID, at: datetime) -> str:
    return written(types.TEST, at, {"subscription": str(subscription)})
