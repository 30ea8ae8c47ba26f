"""Jobs of hot issues. Each is idempotent: run twice, it finds the same."""

from __future__ import annotations

from procrastinate.contrib.django import app


@app.periodic(cron="23 * * * *")
@app.task(queue="housekeeping", name="hot.work_out", queueing_lock="hot.work_out", lock="hot.work_out")
def work_out(timestamp: int) -> None:
    """Each hour: what is new joins an issue or opens one."""
    from .keeping import work_out as run

    run()


# Cron of the queue is UTC: twenty to four in the city's night.
@app.periodic(cron="40 19 * * *")
@app.task(queue="housekeeping", name="hot.work_out_anew", queueing_lock="hot.work_out_anew", lock="hot.work_out")
def work_out_anew(timestamp: int) -> None:
    """Each night: all of it from nothing, so that a mistake does not stay."""
    from .keeping import work_out as run

    run(anew=True)
