"""`load city DIR [--check]`: put a city's files into the database, or only check them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.city.faults import BadCity, Fault
from lianxin.city.load import check, load


class Command(BaseCommand):
    help = "Load a city from a directory of CSV and YAML files (docs/howto/load-a-city.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["city"], help="what to load")
        parser.add_argument("directory", type=Path, metavar="DIR", help="the directory that holds city.yaml")
        parser.add_argument("--check", action="store_true", help="only check the files: nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        if options["check"]:
            self._fail(check(directory))
            self.stdout.write(_("%s：没有错误") % directory)
            return
        try:
            loaded = load(directory, tell=lambda words: self.stdout.write(words + "…"))
        except BadCity as error:
            self._fail(error.faults)
            return
        if not loaded.changed:
            self.stdout.write(_("%s：文件没有变化") % loaded.name)
            return
        shown = ", ".join(f"{name} {count}" for name, count in loaded.counts.items())
        self.stdout.write(_("%(name)s：已装入（%(shown)s）") % {"name": loaded.name, "shown": shown})
        for name, change in loaded.changes.items():
            if change:
                self.stdout.write("  " + _("%(table)s：新增 %(added)d，改动 %(changed)d，停用 %(closed)d") % {
                    "table": name, "added": change.added, "changed": change.changed, "closed": change.closed})

    def _fail(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.stderr.write(str(fault))
        if faults:
            raise CommandError(_("城市资料有 %s 处错误，没有改动数据库。") % len(faults))
