"""`lianxin telephony`: names for the hotline's lines."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lianxin.kernel.text import clean_text
from lianxin.telephony.models import Line


class Command(BaseCommand):
    help = "Name the hotline's lines and queues as people shall read them; list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("lines", help="the lines that the telephone system has named so far")
        line = parts.add_parser("line", help="give one a name")
        line.add_argument("code", help="as the telephone system says it")
        line.add_argument("name", help="in Chinese")
        line.add_argument("--english", default="", help="the name in English")

    def handle(self, *arguments: Any, **options: Any) -> None:
        if options["part"] == "line":
            code, name = (clean_text(options[key], max_length=size + 1, multiline=False) for key, size in (("code", 20), ("name", 40)))
            english = clean_text(options["english"], max_length=81, multiline=False)
            if not 1 <= len(code) <= 20 or not 1 <= len(name) <= 40 or len(english) > 80:
                raise CommandError("a code has 1 to 20 characters, a name 1 to 40, an English one at most 80")
            Line.objects.update_or_create(code=code, defaults={"name": name, "name_en": english})
        for one in Line.objects.all():
            self.stdout.write(f"{one.code}\t{one.name}\t{one.name_en}")
