"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="51 3 * * *")
@app.task(queue="housekeeping", name="exchange.keep_house", queueing_lock="exchange.keep_house", lock="exchange.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: what has arrived in other systems long ago, and what they said of cases that have outlived their words."""
    from .housekeeping import keep_house as keep

    keep(now())
