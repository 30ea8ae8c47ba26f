"""`lianxin import cases FILE`: bring cases from a file. docs/howto/import-cases.md."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lianxin.cases.importing import Import, Summary
from lianxin.cases.mapping import Mapping, MappingError
from lianxin.cases.records import FileError


class Command(BaseCommand):
    help = "Import cases from a CSV or JSONL file (.gz too). Run again after an interruption: nothing comes twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["cases"])
        parser.add_argument("file", type=Path)
        parser.add_argument("--mapping", type=Path, help="YAML file: which column becomes what")
        parser.add_argument("--dry-run", action="store_true", help="check every row, write nothing")
        parser.add_argument("--rejects", type=Path, help="CSV for the rows refused (default: FILE.rejects.csv here)")
        parser.add_argument("--system", default="", help="name of the source system (default: the mapping's)")

    def handle(self, *args: Any, **options: Any) -> None:
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
                                 rejects=rejects, progress=progress).run()
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
