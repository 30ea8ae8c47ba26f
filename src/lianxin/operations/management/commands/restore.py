"""`restore PLACE`: an installation from its backup."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.kernel.crypto import KeyringError
from lianxin.operations.backup import restore
from lianxin.operations.database import CopyError


class Command(BaseCommand):
    help = "Put a backup into an empty installation, or with --replace in the place of what is there, and compare it with what it says."
    requires_system_checks = []  # they ask a database that may be empty

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", type=Path, metavar="FILE.tar|DIR", help="a backup; of a directory that holds many, the newest")
        parser.add_argument("--replace", action="store_true", help="in the place of what is there; that is gone once the backup is in, and "
                                                                   "back if it does not get in")
        parser.add_argument("--keys", type=Path, metavar="FILE", help="the keyring of that time; the one that is here is laid aside")
        parser.add_argument("--without-keys", action="store_true", help="although the keyring here cannot open its identities")
        parser.add_argument("--city", type=Path, metavar="DIR", help="write the city's own files there")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore(options["place"], replace=options["replace"], keys=options["keys"], without_keys=options["without_keys"],
                           city=options["city"], tell=self.stdout.write)
        except (CopyError, KeyringError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("已恢复到 %(at)s 的样子：%(rows)d 行、%(files)d 个文件，与备份时一致。") % {
            "at": done.manifest.at, "rows": sum(done.manifest.tables.values()), "files": len(done.manifest.files)})
        if done.keyring_aside:
            self.stdout.write(_("原来的密钥文件放在 %s。") % done.keyring_aside)
        if done.more:
            self.stdout.write(_("存储里另有 %d 个备份没有的文件，没有动。") % done.more)
        if done.pending:
            self.stdout.write(_("程序比备份新：请运行 lianxin migrate。"))
