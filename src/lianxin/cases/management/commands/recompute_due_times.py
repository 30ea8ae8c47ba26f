"""`recompute_due_times`: what the job after `load city` and each night does, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.cases.actions.recomputing import recompute_due_times


class Command(BaseCommand):
    help = "Compute running clocks again by the calendars as now known; changes are events of their cases."

    def handle(self, *args: Any, **options: Any) -> None:
        done = recompute_due_times()
        self.stdout.write(_("按现在的工作日历重算了 %s 件工单的期限") % done.cases)
        if done.held:
            raise CommandError(_("有 %s 件正在被别人处理，请稍后再运行") % done.held)
