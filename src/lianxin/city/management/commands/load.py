"""`load city DIR [--check | --keep-catalogue | --replace-catalogue] [--replace-grids]`: put a city's files into the database, or
only check them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.cases.catalogue.content import Difference
from lianxin.city.faults import BadCity, Fault
from lianxin.city.load import Catalogue, check, check_catalogue, load
from lianxin.city.undoing import Undoing, said

SHOWN = 200  # differences of the catalogue that a check lists


class Command(BaseCommand):
    help = "Load a city from a directory of CSV and YAML files (docs/howto/load-a-city.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["city"], help="what to load")
        parser.add_argument("directory", type=Path, metavar="DIR", help="the directory that holds city.yaml")
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--check", action="store_true",
                         help="only check the files and show what they would change in the dispatch catalogue: nothing is written")
        one.add_argument("--keep-catalogue", action="store_true",
                         help="where the files would undo what was approved at the desk, load all but the dispatch catalogue")
        one.add_argument("--replace-catalogue", action="store_true",
                         help="load the dispatch catalogue of the files even where it undoes what was approved at the desk")
        parser.add_argument("--replace-grids", action="store_true",
                            help="take the grids of the files even where they were changed in the application")

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        if options["check"]:
            self._fail(check(directory))
            self.stdout.write(_("%s：没有错误") % directory)
            self._catalogue(directory)
            return
        catalogue = Catalogue.ASK
        if options["keep_catalogue"] or options["replace_catalogue"]:
            catalogue = Catalogue.KEEP if options["keep_catalogue"] else Catalogue.REPLACE
        try:
            loaded = load(directory, catalogue=catalogue, replace_grids=options["replace_grids"],
                          tell=lambda words: self.stdout.write(words + "…"))
        except BadCity as error:
            self._fail(error.faults)
            return
        except Undoing as error:
            self._undone(error.undone)
            raise CommandError(str(error)) from None
        if not loaded.changed:
            self.stdout.write(_("%s：文件没有变化") % loaded.name)
            return
        shown = ", ".join(f"{name} {count}" for name, count in loaded.counts.items())
        self.stdout.write(_("%(name)s：已装入（%(shown)s）") % {"name": loaded.name, "shown": shown})
        for name, change in loaded.changes.items():
            if change:
                self.stdout.write("  " + _("%(table)s：新增 %(added)d，改动 %(changed)d，停用 %(closed)d") % {
                    "table": name, "added": change.added, "changed": change.changed, "closed": change.closed})

    def _catalogue(self, directory: Path) -> None:
        changed, lost = check_catalogue(directory)
        if changed:
            self.stdout.write(_("派单目录会有 %d 处不同：") % len(changed))
            for one in changed[:SHOWN]:
                self.stdout.write("  " + said(one))
            if len(changed) > SHOWN:
                self.stdout.write("  …")
        if lost:
            self._undone(lost)

    def _undone(self, lost: list[Difference]) -> None:
        self.stderr.write(_("其中这些是在工作台审定的，文件里没有："))
        for one in lost:
            self.stderr.write("  " + said(one))
        self.stderr.write(_("先用 lianxin export_catalogue 写回 catalogue.csv，再装入；或加 --keep-catalogue 保留现行目录，"
                            "或加 --replace-catalogue 以文件为准。"))

    def _fail(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.stderr.write(str(fault))
        if faults:
            raise CommandError(_("城市资料有 %s 处错误，没有改动数据库。") % len(faults))
