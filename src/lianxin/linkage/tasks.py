"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="47 3 * * *")
@app.task(queue="housekeeping", name="linkage.keep_house", queueing_lock="linkage.keep_house", lock="linkage.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: words of matters that have outlived their retention, messages that arrived long ago."""
    from .housekeeping import keep_house as keep

    keep(now())
