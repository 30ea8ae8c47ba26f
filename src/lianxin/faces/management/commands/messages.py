"""`lianxin messages`: bring the message catalogues up to date with the code, or check them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lianxin.faces import catalogues


class Command(BaseCommand):
    help = "Find messages in the code, write the catalogues, make 繁; with --check only say what is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a catalogue is not complete")

    def handle(self, *arguments: Any, check: bool = False, **options: Any) -> None:
        if not check:
            for language, lacking in catalogues.update().items():
                self.stdout.write(f"{language:<8} {lacking} to translate")
        wrong = catalogues.faults()
        if not check:
            catalogues.compile_all()
        for line in wrong:
            self.stdout.write(line)
        if wrong:
            raise CommandError(f"{len(wrong)} faults")
        self.stdout.write("complete")
