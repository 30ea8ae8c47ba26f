"""`triage PART …`: learning from labelled messages, measuring what was learnt, reading a stream of messages."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lianxin.kernel.errors import DomainError
from lianxin.triage.parts import PARTS, part


class Command(BaseCommand):
    help = "What the system reads in words: learn from labelled messages, measure, find hot issues."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        for name in PARTS:
            made = part(name)
            made.add(parts.add_parser(name, help=made.HELP))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            part(options["part"]).run(options, self.stdout)
        except DomainError as error:
            raise CommandError(str(error)) from error
