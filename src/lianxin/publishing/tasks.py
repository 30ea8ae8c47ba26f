"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from procrastinate.contrib.django import app


@app.periodic(cron="* * * * *")
@app.task(queue="housekeeping", name="publishing.refresh", queueing_lock="publishing.refresh", lock="publishing.refresh")
def refresh(timestamp: int) -> None:
    """Each minute: the public records follow the cases; at midnight, those whose day, week or month is over appear."""
    from .records import refresh as run

    run()


@app.periodic(cron="11 4 * * *")
@app.task(queue="housekeeping", name="publishing.write_files", queueing_lock="publishing.write_files", lock="publishing.write_files")
def write_files(timestamp: int) -> None:
    """Each night: the files of the open data, where something changed."""
    from .files import write

    write()
