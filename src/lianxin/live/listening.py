"""The one connection to PostgreSQL: listens, notices when it is dead, and comes back when the database does."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import psycopg
from django.conf import settings

from lianxin.kernel.live import CHANNEL

from .hub import Hub

log = logging.getLogger(__name__)
ASK_SECONDS = 10.0  # of silence, after which the connection is asked whether it lives
ANSWER_SECONDS = 5.0
WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between tries to come back


def parameters() -> dict[str, Any]:
    """How to reach the database, for psycopg: the same as Django's, without what is of Django."""
    held = settings.DATABASES["default"]
    given = {"dbname": held["NAME"], "user": held["USER"], "password": held["PASSWORD"], "host": held["HOST"], "port": held["PORT"],
             "connect_timeout": 5, "application_name": "lianxin live",
             "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    given |= {name: value for name, value in held["OPTIONS"].items() if name.startswith("ssl")}
    return {name: value for name, value in given.items() if value not in ("", None)}


class Listening:
    """`connected` says whether news comes in now."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.connected = False

    async def run(self) -> None:
        """Listen for ever; ends when it is cancelled."""
        tries = 0
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(autocommit=True, **parameters())
            except psycopg.Error as error:
                log.warning("the database does not answer: %s", type(error).__name__)
                await asyncio.sleep(WAITS[min(tries, len(WAITS) - 1)])
                tries += 1
                continue
            try:
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.connected = True
                    self.hub.missed()
                    tries = 0
                    await self._listen(connection)
            except (psycopg.Error, TimeoutError) as error:
                log.warning("the connection that listens was lost: %s", type(error).__name__)
            finally:
                self.connected = False
            await asyncio.sleep(WAITS[0])

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notice in connection.notifies(timeout=ASK_SECONDS):
                self.hub.pass_on(notice.payload)
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.execute("SELECT 1")
