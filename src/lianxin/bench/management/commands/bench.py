"""`lianxin bench`: docs/reference/bench.md."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lianxin.bench.parts import MODULES
from lianxin.bench.stage import python, stage

PARTS = tuple(MODULES)


class Command(BaseCommand):
    help = "Measure what the design has budgets for, on a server of the bench's own; prints one table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quick", action="store_true", help="small sizes and short runs: does it work at all")
        parser.add_argument("--sizes", default="", help="numbers of cases for the lists: 10000,100000,1000000")
        parser.add_argument("--only", default="", help="parts, with commas: " + ",".join(PARTS))
        parser.add_argument("--seconds", type=float, default=0, help="length of each create run")
        parser.add_argument("--write", type=Path, help="put the results into this Markdown file")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = [part for part in options["only"].split(",") if part] or list(PARTS)
        unknown = set(parts) - set(PARTS)
        if unknown:
            raise CommandError(f"--only: {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
        sizes = options["sizes"] or ("1000,3000" if options["quick"] else "10000,100000,1000000")
        if not all(size.isdigit() and int(size) for size in sizes.split(",")):
            raise CommandError("--sizes: whole numbers with commas")
        seconds = options["seconds"] or (0.3 if options["quick"] else 8.0)
        for number in (signal.SIGINT, signal.SIGTERM):  # ended from outside or in the background, it still cleans up
            signal.signal(number, signal.default_int_handler)
        try:
            with stage() as environment:
                arguments = ["-m", "lianxin.bench.inside", "--only", ",".join(parts), "--sizes", sizes,
                             "--seconds", str(seconds)]
                if options["quick"]:
                    arguments.append("--quick")
                if options["write"]:
                    arguments += ["--write", str(options["write"].resolve())]
                for made in ("migrate", "createcachetable"):
                    if python(["-m", "django", made, "--verbosity", "0"], environment):
                        raise CommandError("the bench's database could not be migrated")
                if python(arguments, environment):
                    raise CommandError("the bench did not finish; what went wrong stands above")
        except KeyboardInterrupt:
            raise SystemExit(130) from None
