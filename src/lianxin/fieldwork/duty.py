"""上岗 and 下岗: what a worker says of themselves on their own telephone, for the day. Nobody says it for them, nothing is
counted from it, and it is deleted after some weeks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.timezone import localtime
from pydantic import BaseModel, ConfigDict

from .models import Duty
from .registry import Item, Worker, handles


class OnDuty(BaseModel):
    """上岗 (`on`) or 下岗."""

    model_config = ConfigDict(extra="forbid")

    on: bool


@handles("duty", OnDuty, roles=frozenset())
def duty(worker: Worker, item: Item[OnDuty]) -> dict[str, Any]:
    Duty.objects.create(id=item.id, staff_id=worker.staff_id, on=item.said.on, at=item.at)
    return {"on": item.said.on, "at": localtime(item.at).isoformat()}


def on_duty(staff_ids: Collection[int], *, at: datetime) -> dict[int, datetime]:
    """Of these workers, those who said today that they are on duty, and since when. One query."""
    midnight = localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    last = (Duty.objects.filter(staff_id__in=list(staff_ids), at__gte=midnight, at__lte=at)
            .order_by("staff_id", "-at", "-id").distinct("staff_id"))
    return {row.staff_id: row.at for row in last if row.on}


def forget_old(at: datetime) -> int:
    """Delete what is older than `LIANXIN_DUTY_DAYS`; returns how many."""
    return Duty.objects.filter(at__lt=at - timedelta(days=settings.LIANXIN_DUTY_DAYS)).delete()[0]


