"""`rotate_keys [--prepare | --retire | --status]`: a new key for the identities, everything sealed anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.cases import keys
from lianxin.kernel.crypto import KeyringError, keyring


class Command(BaseCommand):
    help = "Seal every reporter's identity under a new key, while the site runs (docs/howto/keys-and-retention.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--prepare", action="store_true", help="only put the next key into the keyring file")
        what.add_argument("--retire", action="store_true", help="forget old keys that nothing needs any more")
        what.add_argument("--status", action="store_true", help="only say how many values each key holds")
        parser.add_argument("--batch", type=int, default=keys.BATCH, help="rows in one transaction (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(options)
        except KeyringError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        if options["status"]:
            self._status()
        elif options["prepare"]:
            self.stdout.write(_("新密钥 %s 已写入密钥文件，尚未启用。") % keys.prepare())
        elif options["retire"]:
            gone = keys.retire()
            self.stdout.write(_("已收回旧密钥：%s") % "、".join(gone) if gone else _("没有可以收回的旧密钥。"))
        else:
            name = keys.rotate()
            self.stdout.write(_("现用密钥：%s") % name)
            done = keys.reseal_all(batch=max(1, options["batch"]), tell=self._progress)
            self.stdout.write(_("重新加密了 %d 位诉求人。") % done.rows)
            if done.unreadable:
                raise CommandError(_("有 %d 位诉求人的数据打不开，没有改动，编号见日志。") % done.unreadable)

    def _progress(self, rows: int) -> None:
        self.stdout.write(_("已重新加密 %d 位……") % rows)
        self.stdout.flush()

    def _status(self) -> None:
        ring, used = keyring(), keys.usage()
        for name in sorted({*ring.encryption, *used}):
            state = (_("现用") if name == ring.current else _("缺失") if name not in ring.encryption
                     else _("备用") if ring.is_prepared(name) else _("旧"))
            self.stdout.write(f"{name}  {state}  {used.get(name, 0)}")
