"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from lianxin.kernel.clock import now

# 3, 9, 27 seconds … two hours: a gateway that is away for a while loses no message.
PATIENCE = RetryStrategy(max_attempts=9, exponential_wait=3)


@app.task(queue="messages", name="cases.announce", retry=PATIENCE)
def announce(event_id: str) -> None:
    """Tell the reporter about one event, once."""
    from .messages import announce_event

    announce_event(event_id)


@app.periodic(cron="17 3 * * *")
@app.task(queue="housekeeping", name="cases.keep_house", queueing_lock="cases.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: partitions ahead, what has served its time away, personal data whose retention ended anonymised."""
    from .housekeeping import keep_house as keep

    keep(now())
