"""`backup PLACE`: the whole installation, copied and verified."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import KeyringError
from lianxin.operations import packs
from lianxin.operations.backup import backup
from lianxin.operations.database import CopyError


class Command(BaseCommand):
    help = "Copy the whole installation – database, attachments, the city's files – while it runs, and read the copy back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", type=Path, metavar="FILE.tar|DIR", help="one file, or a directory that holds many backups, each "
                                                                             "attachment once")
        parser.add_argument("--city", type=Path, metavar="DIR", help="take the city's own files along")
        parser.add_argument("--with-keys", type=Path, metavar="DIR", help="copy the keyring too, to this directory: elsewhere, never with "
                                                                          "the backup")
        parser.add_argument("--keep-days", type=int, metavar="N", help="then delete backups in the directory that are older than so many "
                                                                       "days; the newest always stays")

    def handle(self, *args: Any, **options: Any) -> None:
        place, keep = options["place"], options["keep_days"]
        if keep is not None and place.suffix == ".tar":
            raise CommandError(_("--keep-days 只用于目录。"))
        try:
            made = backup(place, city=options["city"], keys=options["with_keys"], tell=self.stdout.write)
        except (CopyError, KeyringError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("备份已核对：%s") % made.place)
        if made.keys is None:
            self.stdout.write(_("密钥不在备份里。首次运行和每次换钥之后，请另存一份：--with-keys 别处的目录。"))
        if keep is not None:
            backups, files = packs.prune(place, before=now() - timedelta(days=keep))
            self.stdout.write(_("删去旧备份 %(backups)d 个、不再需要的附件 %(files)d 个。") % {"backups": backups, "files": files})
        if made.manifest.missing:
            raise CommandError(_("备份已做好，但有 %(count)d 个附件在存储里找不到，例如 %(name)s。请查存储。") % {
                "count": len(made.manifest.missing), "name": made.manifest.missing[0]})
