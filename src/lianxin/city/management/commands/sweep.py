"""`sweep`: what the jobs of the clocks do every minute, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from lianxin.cases.sweep import sweep
from lianxin.knowledge.notices import tell_due


class Command(BaseCommand):
    help = ("Do what the clocks have to do now: end pauses, send reminders, escalations and circulars, and tell of answers to reports on "
            "articles that are nearly due or late.")

    def handle(self, *args: Any, **options: Any) -> None:
        done = sweep()
        self.stdout.write(_("提醒或上报 %(cases)s 件，未接来电 %(calls)s 个，恢复计时 %(pauses)s 件，正在被别人处理 %(held)s 件") % {
            "cases": done.cases, "calls": done.calls, "pauses": done.pauses, "held": done.held})
        self.stdout.write(_("知识库提醒 %(count)s 条") % {"count": tell_due()})
