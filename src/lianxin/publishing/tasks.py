"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

import logging

from django.db import OperationalError
from procrastinate.contrib.django import app
from psycopg.errors import LockNotAvailable

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(queue="housekeeping", name="publishing.refresh", queueing_lock="publishing.refresh", lock="publishing.refresh")
def refresh(timestamp: int) -> None:
    """Each minute: the public records follow the cases; at midnight, those whose day, week or month is over appear. While
    somebody else is at it – every case read again may take minutes – there is nothing to do."""
    from .records import refresh as run

    try:
        run()
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.info("the public records are being refreshed by somebody else")


@app.periodic(cron="11 4 * * *")
@app.task(queue="housekeeping", name="publishing.write_files", queueing_lock="publishing.write_files", lock="publishing.write_files")
def write_files(timestamp: int) -> None:
    """Each night: the files of the open data, where something changed."""
    from .files import write

    write()
