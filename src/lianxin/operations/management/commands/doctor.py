"""`doctor`: what is wrong with this installation, and what to do."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from lianxin.operations import doctor
from lianxin.operations.doctor import Level

MARKS = {Level.OK: "✓", Level.WARN: "!", Level.BAD: "✗", Level.SKIP: "–"}


class Command(BaseCommand):
    help = "Look at the installation – database, keys, worker, queues, disk, clock, backup … – and say what to do. Changes nothing."
    requires_system_checks = []  # it is there for when they fail

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", action="append", choices=sorted(doctor.CHECKS), metavar="CHECK",
                            help="only this; may be given several times: " + ", ".join(doctor.CHECKS))
        parser.add_argument("--address", metavar="URL", help="ask the public address too, as a browser would")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument("--strict", action="store_true", help="fail for what somebody should look at as well (exit status 1); what "
                                                                  "does not work always fails (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        found = doctor.examine(only=options["only"], address=options["address"] or "")
        levels = {one.level for one in found}
        status = 2 if Level.BAD in levels else 1 if Level.WARN in levels and options["strict"] else 0
        if options["json"]:
            self.stdout.write(json.dumps({"status": status, "findings": [
                {"check": one.check, "level": one.level.value, "said": one.said, "do": one.do} for one in found]}, ensure_ascii=False))
        else:
            for one in found:
                self.stdout.write(f"{MARKS[one.level]} {one.check:<11} {one.said}" + (f"\n    → {one.do}" if one.do else ""))
            self.stdout.write({0: _("没有发现不能用的。"), 1: _("有地方要看一看。"), 2: _("有地方不能用，请照上面说的做。")}[status])
        if status:
            raise SystemExit(status)
