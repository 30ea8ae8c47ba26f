"""`publish refresh | files`: the public records, and the files of the open data."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.kernel.errors import DomainError

TELL_SECONDS: Final = 5


class Command(BaseCommand):
    help = "What anyone may read: bring the public records up to now, write the files of the open data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        refresh = parts.add_parser("refresh", help="bring the public records up to now (the worker does so each minute)")
        refresh.add_argument("--whole", action="store_true",
                             help="read every case again; broken off, the next refresh goes on where it was")
        files = parts.add_parser("files", help="write the files of the open data (the worker does so each night)")
        files.add_argument("--whole", action="store_true", help="write them even if nothing changed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["part"])(options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def refresh(self, options: dict[str, Any]) -> None:
        from lianxin.publishing.records import refresh

        told = time.monotonic()

        def progress(cases: int, written: int) -> None:
            nonlocal told
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                self.stdout.write(_("已读 %(cases)d 件，写了 %(written)d 条……") % {"cases": cases, "written": written})
                self.stdout.flush()

        done = refresh(whole=options["whole"], progress=progress)
        self.stdout.write(_("读了 %(cases)d 件工单：写了 %(written)d 条公开记录，撤下 %(gone)d 条，%(waiting)d 件还没有足够多相似的。") % {
            "cases": done.cases, "written": done.written, "gone": done.gone, "waiting": done.waiting})

    def files(self, options: dict[str, Any]) -> None:
        from lianxin.publishing.files import directory, write

        written = write(whole=options["whole"])
        for one in written.files:
            self.stdout.write(f"{one.name}  {one.rows:,}  {one.size / 1e6:.1f} MB")
        self.stdout.write(str(directory()))
