"""`lianxin import cases FILE` (docs/howto/import-cases.md) and `lianxin import city FILE` (docs/howto/move-a-city.md)."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lianxin.cases.importing import Import, Summary
from lianxin.cases.mapping import Mapping, MappingError
from lianxin.cases.previewing import preview
from lianxin.cases.records import FileError
from lianxin.transfer.importing import import_city
from lianxin.transfer.package import PackageError
from lianxin.transfer.previews import tell_preview


class Command(BaseCommand):
    help = ("Import cases from a table of another system – run again after an interruption: nothing comes twice – or a whole city "
            "from its export into an empty database.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        cases = what.add_parser("cases", help="cases from a CSV, JSONL or XLSX file (.gz too)")
        cases.add_argument("file", type=Path, metavar="FILE")
        cases.add_argument("--mapping", type=Path, help="YAML file: which column becomes what")
        cases.add_argument("--preview", action="store_true",
                           help="show what each column becomes and which values have no place, write nothing")
        cases.add_argument("--dry-run", action="store_true", help="check every row, write nothing")
        cases.add_argument("--rejects", type=Path, help="CSV for the rows refused (default: FILE.rejects.csv here)")
        cases.add_argument("--system", default="", help="name of the source system (default: the mapping's)")
        cases.add_argument("--sheet", default="", help="of an XLSX file: the sheet's name (default: the first)")
        city = what.add_parser("city", help="everything of a city from `lianxin export city`, all or nothing")
        city.add_argument("file", type=Path, metavar="FILE", help="the .zip file or directory")
        city.add_argument("--keys", type=Path, metavar="KEYS", help="the keyring that was exported with it; it becomes this installation's")
        city.add_argument("--files", type=Path, metavar="DIR", help="a directory to make for the city's own files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "city":
            self._city(options)
        elif options["preview"]:
            self._preview(options)
        else:
            self._cases(options)

    def _city(self, options: dict[str, Any]) -> None:
        try:
            done = import_city(options["file"], keys=options["keys"], files=options["files"],
                               tell=lambda words: self.stderr.write(words))
        except PackageError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("%(city)s：已装入 %(tables)d 张表，%(rows)d 行，%(contents)d 个文件") % {
            "city": done.city, "tables": done.tables, "rows": done.rows, "contents": done.contents})
        if done.missing:
            self.stderr.write(_("其中 %d 个文件在导出时就已找不到。") % len(done.missing))
        if not done.keys_fit:
            self.stderr.write(_("这里的密钥文件不是那座城市的：加密内容打不开。请把它的密钥文件放到 %s。") % settings.LIANXIN_KEYRING)

    def _preview(self, options: dict[str, Any]) -> None:
        try:
            mapping = Mapping.read(options["mapping"]) if options["mapping"] else None
            seen = preview(options["file"], mapping, sheet=options["sheet"])
        except (FileError, MappingError) as error:
            raise CommandError(str(error)) from error
        tell_preview(seen, Console(file=cast(IO[str], self.stdout)))

    def _cases(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        rejects: Path = options["rejects"] or Path(f"{path.name.split('.')[0]}.rejects.csv")
        if len(options["system"]) > 40:
            raise CommandError(_("--system：最多 40 个字符。"))
        console = Console(stderr=True)
        started = time.monotonic()
        try:
            mapping = Mapping.read(options["mapping"]) if options["mapping"] else None
            with Progress(TextColumn(path.name), BarColumn(), DownloadColumn(), TextColumn("{task.fields[told]}"),
                          TimeRemainingColumn(), console=console) as bar:
                task = bar.add_task("", total=path.stat().st_size if path.exists() else 0, told="")

                def progress(position: int, summary: Summary) -> None:
                    told = _("%(imported)s 件，退回 %(rejected)s 行") % {
                        "imported": summary.imported, "rejected": summary.rejected}
                    bar.update(task, completed=position, told=told)

                summary = Import(path, mapping, system=options["system"], dry_run=options["dry_run"],
                                 rejects=rejects, sheet=options["sheet"], progress=progress).run()
        except (FileError, MappingError) as error:
            raise CommandError(str(error)) from error
        self._tell(summary, time.monotonic() - started, rejects, options["dry_run"])

    def _tell(self, summary: Summary, seconds: float, rejects: Path, dry_run: bool) -> None:
        table = Table(show_header=False)
        lines = [
            (_("读到的行"), summary.read),
            (_("可以导入（试运行，没有写入）") if dry_run else _("导入的工单"), summary.imported),
            (_("其中已归档"), summary.closed),
            (_("以前已导入"), summary.there_before),
            (_("退回的行"), summary.rejected),
        ]
        for name, value in lines:
            table.add_row(name, f"{value:,}")
        table.add_row(_("每秒行数"), f"{summary.read / max(seconds, 0.001):,.0f}")
        console = Console(file=cast(IO[str], self.stdout))
        console.print(table)
        for reason, count in sorted(summary.reasons.items(), key=lambda item: -item[1])[:10]:
            console.print(f"  {count:,} × {reason}", markup=False)
        if summary.rejected:
            console.print(_("退回的行和理由在：%(path)s") % {"path": rejects}, markup=False)
