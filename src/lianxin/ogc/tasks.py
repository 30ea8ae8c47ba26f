"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(queue="housekeeping", name="ogc.follow", queueing_lock="ogc.follow")
def follow(timestamp: int) -> None:
    """Each minute: the tiles take over what changed in the public record."""
    from .tallies import refresh

    refresh()
