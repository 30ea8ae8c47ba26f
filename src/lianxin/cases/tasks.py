"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from lianxin.kernel.clock import now

# 3, 9, 27 seconds … two hours: a gateway that is away for a while loses no message.
PATIENCE = RetryStrategy(max_attempts=9, exponential_wait=3)


class Held(Exception):
    """Some of a job's cases were being changed by somebody else; the rest is done."""


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


@app.periodic(cron="* * * * *")
@app.task(queue="clocks", name="cases.sweep", queueing_lock="cases.sweep", lock="cases.sweep")
def sweep(timestamp: int) -> None:
    """Each minute: what the clocks have to do now."""
    from .sweep import sweep as run

    run()


@app.task(queue="housekeeping", name="cases.recompute_due_times", lock="cases.recompute_due_times", retry=PATIENCE)
def recompute_due_times() -> None:
    """After a city was loaded: due times as its calendars now say. Tried again while someone holds one of the cases."""
    from .actions.recomputing import recompute_due_times as recompute

    if recompute().held:
        raise Held("cases were held by others; their due times are computed again later")


@app.periodic(cron="47 2 * * *")
@app.task(queue="housekeeping", name="cases.recompute_due_times_nightly", queueing_lock="cases.recompute_due_times_nightly",
          lock="cases.recompute_due_times")
def recompute_due_times_nightly(timestamp: int) -> None:
    """Each night the same: a newer program may know a year that the one before did not."""
    from .actions.recomputing import recompute_due_times as recompute

    recompute()
