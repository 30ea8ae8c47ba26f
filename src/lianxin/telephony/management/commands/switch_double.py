"""`lianxin switch_double`: a telephone system without telephones, for trying out."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lianxin.telephony.switches.ami import Address
from lianxin.telephony.switches.double import URL, Double
from lianxin.telephony.switches.double_ami import Server
from lianxin.telephony.switches.ringing import Callers, Ringing

from .switch import until_told


class Command(BaseCommand):
    help = "Stand in for the telephone system, with made-up callers, until it is stopped. For trying out: LIANXIN_SWITCH=double."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--calls-per-hour", type=float, default=60.0, metavar="N",
                            help="callers an hour while somebody is ready; 0: none. Default 60")
        parser.add_argument("--profile", action="store_true", help="more by day and fewer at night, as at a real hotline")
        parser.add_argument("--patience", type=float, default=90.0, metavar="SECONDS", help="mean patience of who waits; default 90")
        parser.add_argument("--talk", type=float, default=150.0, metavar="SECONDS", help="mean length of a call; default 150")
        parser.add_argument("--answer-after", type=float, default=6.0, metavar="SECONDS",
                            help="a telephone that rings is picked up by itself after so long, since there is none; 0: never. Default 6")
        parser.add_argument("--rings", type=float, default=20.0, metavar="SECONDS", help="how long one telephone rings; default 20")
        parser.add_argument("--slow", type=float, default=0.0, metavar="SECONDS", help="wait so long before every answer")
        parser.add_argument("--refuse", action="append", default=[], metavar="ACTION",
                            help="say no to this action; may be given several times")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = Address.parse(settings.LIANXIN_SWITCH_URL or URL)
        except ValueError as error:
            raise CommandError(f"LIANXIN_SWITCH_URL: {error}") from None
        for name in ("calls_per_hour", "patience", "talk", "answer_after", "rings", "slow"):
            if options[name] < 0 or (name in ("patience", "talk", "rings") and options[name] == 0):
                raise CommandError(f"--{name.replace('_', '-')}: not less than nothing")
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(until_told(self.serve(address, options)))

    async def serve(self, address: Address, options: dict[str, Any]) -> None:
        double = Double(rings=options["rings"], answers=options["answer_after"] or None, context=settings.LIANXIN_SWITCH_CONTEXT)
        double.faults.slow, double.faults.refuses = options["slow"], frozenset(options["refuse"])
        server = Server(double, {address.user: address.secret})
        try:
            await server.start(address.host, address.port)
        except OSError as error:
            raise CommandError(f"{address.host}:{address.port}: {error.strerror}") from None
        self.stdout.write(f"listening on {address.host}:{server.port}")
        self.stdout.flush()
        callers = Callers(an_hour=options["calls_per_hour"], patience=options["patience"], talk=options["talk"],
                          even=not options["profile"])
        try:
            await Ringing(double, callers, zone=settings.TIME_ZONE).run()
        finally:
            await server.stop()
