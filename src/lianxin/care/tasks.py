"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="37 3 * * *")
@app.task(queue="housekeeping", name="care.forget_ended", queueing_lock="care.forget_ended")
def forget_ended(timestamp: int) -> None:
    """Each night: entries whose consent ended and was not given again in time."""
    from .actions import forget_ended as forget

    forget(now())
