"""`lianxin lists write FILE` and `lianxin lists load FILE [--apply --by USERNAME]`. docs/howto/work-with-spreadsheets.md."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.city.undoing import said
from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import Staff
from lianxin.transfer import applying
from lianxin.transfer.lists import BY_KEY, SHEETS
from lianxin.transfer.spreadsheets import BadSheets, read, workbook


class Command(BaseCommand):
    help = "Write an office's lists as a workbook, or load one: what it would change is shown first (docs/howto/work-with-spreadsheets.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        write = what.add_parser("write", help="write the lists as they stand")
        write.add_argument("file", type=Path, metavar="FILE", help="the .xlsx file; not there yet")
        write.add_argument("--list", action="append", choices=sorted(BY_KEY), dest="wanted",
                           help="only this list; may be given several times")
        load = what.add_parser("load", help="show what a workbook would change, and with --apply change it")
        load.add_argument("file", type=Path, metavar="FILE", help="the .xlsx file")
        load.add_argument("--by", required=True, metavar="USERNAME", help="the administrator in whose name it is done")
        load.add_argument("--apply", action="store_true", help="change it, all of it or nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            if options["what"] == "write":
                with path.open("xb") as out:
                    out.write(workbook([BY_KEY[key] for key in options["wanted"] or ()] or SHEETS))
            else:
                self._load(path, options)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except BadSheets as error:
            for fault in error.faults:
                self.stderr.write(fault)
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _load(self, path: Path, options: dict[str, Any]) -> None:
        person = Staff.objects.filter(username=options["by"], is_active=True).first()
        if person is None:
            raise CommandError(_("没有这个在职人员。"))
        by = actor_for(person, via="lists")
        with path.open("rb") as file:
            found = read(file)
        plan = applying.prepare(found, by=by)
        for one in plan.lists:
            self.stdout.write(_("%(sheet)s：新增 %(added)d，改动 %(changed)d，停用 %(closed)d") % {
                "sheet": one.title, "added": one.change.added, "changed": one.change.changed, "closed": one.change.closed})
            for sign, keys in (("+", one.added), ("*", one.changed), ("-", one.closed)):
                for key in keys:
                    self.stdout.write(f"  {sign} {key}")
        for difference in plan.undone:
            self.stderr.write(said(difference))
        if options["apply"]:
            applying.apply(found, by=by, stands=plan.stands)
            self.stdout.write(_("已改。"))
        else:
            self.stdout.write(_("还没有改动；加 --apply 才改。"))
