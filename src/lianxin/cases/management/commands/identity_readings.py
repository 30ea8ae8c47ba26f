"""`identity_readings [--since DAY] [--until DAY] [--case NUMBER] [--staff NAME]`: the ledger as CSV."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime, make_aware

from lianxin.cases.readings import COLUMNS, Reading, readings
from lianxin.organisations.actors import SYSTEM


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: 2026-01-31 is how a day is written") from None


def _start(day: date | None) -> datetime | None:
    return make_aware(datetime.combine(day, time())) if day else None


def _safe(cell: str) -> str:
    # A spreadsheet would take a cell that begins like this for a formula.
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _cells(row: Reading) -> list[str]:
    return [localtime(row.at).isoformat(timespec="seconds"),
            *map(_safe, (row.number, row.username, row.name, row.unit, row.why)), "|".join(row.fields)]


class Command(BaseCommand):
    help = "List who looked at a reporter's identity, when and why, as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_day, metavar="DAY", help="first day")
        parser.add_argument("--until", type=_day, metavar="DAY", help="last day")
        parser.add_argument("--case", default="", metavar="NUMBER", help="one case by its number")
        parser.add_argument("--staff", default="", metavar="USERNAME", help="one person's looks")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file instead of the terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        until: date | None = options["until"]
        found = readings(SYSTEM, since=_start(options["since"]),
                         until=_start(until + timedelta(days=1)) if until else None, number=options["case"],
                         username=options["staff"])
        if options["output"] is None:
            self._write(self.stdout, found)
            return
        try:
            with options["output"].open("w", encoding="utf-8-sig", newline="") as file:
                self._write(file, found)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error

    @staticmethod
    def _write(file: Any, found: Any) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(row) for row in found)
