"""Jobs of reports. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


# Cron of the queue is UTC: five past six in the city's morning. Each day, so that a Monday or a first of the month on which
# no worker ran is made up for; on other days there is nothing to make.
@app.periodic(cron="5 22 * * *")
@app.task(queue="housekeeping", name="reports.make_due", queueing_lock="reports.make_due",
          retry=RetryStrategy(max_attempts=5, exponential_wait=10))
def make_due(timestamp: int) -> None:
    """Last week's brief and last month's report, kept as files; those whose retention is over, forgotten."""
    from . import kept

    at = now()
    kept.make_due(at)
    kept.forget_reports(at)
