"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="41 3 * * *")
@app.task(queue="housekeeping", name="patrols.keep_house", queueing_lock="patrols.keep_house", lock="patrols.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: check-ins whose time is over, words and photos of old inspections."""
    from .housekeeping import keep_house as keep

    keep(now())
