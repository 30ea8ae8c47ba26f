"""Jobs of this context. Each may run twice, late, or beside itself: what is settled is settled once."""

from __future__ import annotations

import logging
from datetime import datetime

from procrastinate.contrib.django import app

from lianxin.cases.engine import On
from lianxin.cases.models import State
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.organisations.actors import SYSTEM

from .actions import close_unasked
from .models import CampaignDraw

log = logging.getLogger(__name__)


def settle(at: datetime, *, limit: int = 5_000) -> int:
    """Close what was not drawn for a call and whose reporter said nothing in the time they had. Returns how many.

    Reads the draws whose time is over and that nobody has settled: what is due, not what is open.
    """
    due = CampaignDraw.objects.filter(drawn=False, settled_at__isnull=True, rate_until__lte=at).select_related("case")
    closed = 0
    for draw in due.order_by("rate_until")[:limit]:
        if draw.case.state == State.CALLBACK and draw.case.round == draw.round and not draw.case.for_supervisor:
            try:
                close_unasked(On(draw.case_id, SYSTEM))
                closed += 1
            except Conflict as error:
                if error.code == "held_by_another":
                    continue  # somebody is at it: next time
                log.info("case %s is not closed by itself: %s", draw.case_id, error.code)
        CampaignDraw.objects.filter(pk=draw.pk, settled_at__isnull=True).update(settled_at=at)
    return closed


@app.periodic(cron="*/15 * * * *")
@app.task(queue="housekeeping", name="quality.settle", queueing_lock="quality.settle")
def settle_unasked(timestamp: int) -> None:
    """Every quarter of an hour: cases that no campaign drew and nobody rated are closed as such."""
    settle(now())
