"""`lianxin switch`: the bridge to the telephone system."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lianxin.telephony.switches.ami import Address
from lianxin.telephony.switches.bridge import Bridge
from lianxin.telephony.switches.double import URL
from lianxin.telephony.switches.keeping import Database


class Command(BaseCommand):
    help = "Hand on what the telephone system tells of calls, until it is stopped. One such process runs beside web and worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", action="append", default=[], metavar="NAME",
                            help="a queue of the hotline; may be given several times. Without it, all queues of the system are")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = Address.parse(settings.LIANXIN_SWITCH_URL or URL)
        except ValueError as error:
            raise CommandError(f"LIANXIN_SWITCH_URL: {error}") from None
        bridge = Bridge(address, Database(), interface=settings.LIANXIN_SWITCH_INTERFACE, queues=options["queue"], said=self.say)
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(until_told(bridge.run()))

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


async def until_told(work: Any) -> None:
    """Run until SIGTERM or SIGINT."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await task
