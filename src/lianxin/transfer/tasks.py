"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.task(queue="imports", name="transfer.run_import")
def run_import(pk: str, language: str) -> None:
    """Try or import the rows of a file that an administrator uploaded."""
    from .casefiles import run

    run(UUID(pk), language=language)


@app.periodic(cron="57 3 * * *")
@app.task(queue="housekeeping", name="transfer.keep_house", queueing_lock="transfer.keep_house", lock="transfer.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: files of imports whose days are over."""
    from .casefiles import forget_old

    forget_old(now())
