"""`check_migrations`: whether the new migrations can run while the version before still works."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.operations import migration_rules as rules


class Command(BaseCommand):
    help = "Say which migrations since the last release would stop an installation that runs, and why (docs/explanation/zero-downtime.md)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="judge every migration there is, as if nothing had been released")
        parser.add_argument("--record", metavar="COMMIT", help="at a release: write down this commit and the last migrations as the next "
                                                               "baseline")

    def handle(self, *args: Any, **options: Any) -> None:
        loader = MigrationLoader(None, ignore_no_migrations=True)
        if options["record"]:
            to = Path(rules.__file__).with_name(rules.BASELINE)
            held = {"commit": options["record"], "migrations": rules.leaves(loader)}
            to.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")
            self.stdout.write(_("已记下基线：%s") % to)
            return
        found = rules.judge(loader, connection, {} if options["all"] else rules.baseline()["migrations"])
        broken = [one for one in found if not one.reason]
        for one in found:
            self.stdout.write(f"{'ok' if one.reason else '!!'}  {one.where}  {one.what}  [{one.rule}]\n    {one.reason or one.why}")
        if broken:
            said = ngettext("有 %d 处会让正在运行的系统停下来。", "有 %d 处会让正在运行的系统停下来。", len(broken))
            raise CommandError(said % len(broken))
        self.stdout.write(_("没有会让正在运行的系统停下来的迁移。"))
