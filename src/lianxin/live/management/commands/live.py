"""`lianxin live`: news for open pages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve news to open pages: server-sent events fed by PostgreSQL's NOTIFY. One process is enough for hundreds of pages."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8002)

    def handle(self, *arguments: Any, **options: Any) -> None:
        from granian import Granian
        from granian.constants import Interfaces
        from granian.log import LogLevels

        # Streams never end by themselves: at the end the process waits a second for them and closes them. Pages come back.
        Granian(
            "lianxin.live.app:app", address=options["host"], port=options["port"], interface=Interfaces.ASGI, workers=1,
            websockets=False, backlog=2048, backpressure=8192, respawn_failed_workers=True, respawn_interval=1.0,
            workers_kill_timeout=1, log_level=LogLevels.warning,
        ).serve()
