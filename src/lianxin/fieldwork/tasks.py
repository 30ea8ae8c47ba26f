"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="37 3 * * *")
@app.task(queue="housekeeping", name="fieldwork.keep_house", queueing_lock="fieldwork.keep_house", lock="fieldwork.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: files in pieces that nothing came of, and what was not taken and nobody settled in its time."""
    from .housekeeping import keep_house as keep

    keep(now())


@app.periodic(cron="43 3 * * *")
@app.task(queue="housekeeping", name="fieldwork.forget_duty", queueing_lock="fieldwork.forget_duty")
def forget_duty(timestamp: int) -> None:
    """Each night: check-ins on and off duty that are older than `LIANXIN_DUTY_DAYS`."""
    from .duty import forget_old

    forget_old(now())
