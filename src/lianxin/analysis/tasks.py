"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate.contrib.django import app


@app.periodic(cron="7 * * * *")
@app.task(queue="housekeeping", name="analysis.refresh", queueing_lock="analysis.refresh")
def refresh(timestamp: int) -> None:
    """Each hour: the facts that reports count, so that a report has little left to read."""
    from .assemble import bring_up_to_now
    from .engines import chosen

    bring_up_to_now(chosen())
