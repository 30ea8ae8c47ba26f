"""`export_catalogue [FILE] [--number N]`: write the newest version of the dispatch catalogue, or another, as catalogue.csv."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.cases.models import CatalogueVersion
from lianxin.city.writing import write


class Command(BaseCommand):
    help = "Write the dispatch catalogue as catalogue.csv, with what was approved at the desk (docs/howto/load-a-city.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the file to write; the terminal when not given")
        parser.add_argument("--number", type=int, metavar="N", help="which version; the newest when not given")

    def handle(self, *args: Any, **options: Any) -> None:
        versions = CatalogueVersion.objects.order_by("-number")
        if options["number"] is not None:
            versions = versions.filter(number=options["number"])
        version = versions.first()
        if version is None:
            raise CommandError(_("没有这一版派单目录。"))
        path: Path | None = options["file"]
        if path is None:
            write(version, self.stdout)  # type: ignore[arg-type]
            return
        try:
            with path.open("w", encoding="utf-8", newline="") as out:
                count = write(version, out)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stderr.write(_("%(path)s：第 %(number)d 版，%(count)d 行") % {"path": path, "number": version.number, "count": count})
