"""`lianxin export city FILE`: everything a city owns, as one file. docs/howto/move-a-city.md."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.transfer.exporting import export_city
from lianxin.transfer.package import PackageError

SHOWN = 20


class Command(BaseCommand):
    help = "Write everything a city owns into one file, while the site runs (docs/howto/move-a-city.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["city"], help="what to export")
        parser.add_argument("target", type=Path, metavar="FILE", help="a .zip file, or a directory without an ending; not there yet")
        parser.add_argument("--with-keys", type=Path, metavar="KEYS",
                            help="write the keyring too, into this file of its own; without it no sealed field can be opened elsewhere")
        parser.add_argument("--files", type=Path, metavar="DIR", help="take the directory of the city's own files along")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = export_city(options["target"], keys=options["with_keys"], files=options["files"],
                               tell=lambda words: self.stderr.write(words))
        except PackageError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("%(file)s：%(tables)d 张表，%(rows)d 行，%(contents)d 个文件") % {
            "file": options["target"], "tables": done.tables, "rows": done.rows, "contents": done.contents})
        if done.missing:
            self.stderr.write(_("有 %d 个文件在存储里找不到或已损坏，没有导出：") % len(done.missing))
            for name in done.missing[:SHOWN]:
                self.stderr.write(f"  {name}")
        if options["with_keys"] is None:
            self.stdout.write(_("密钥没有导出：诉求人的身份等加密内容，只有同一份密钥文件才能打开。"))
        else:
            self.stdout.write(_("密钥在 %s：请与导出文件分开保管、分开传递。") % options["with_keys"])
