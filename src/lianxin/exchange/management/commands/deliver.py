"""`lianxin deliver`: everything that goes out of the house – to other desks, to departments' systems, to subscribers."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.kernel.clock import now
from lianxin.kernel.sending import QUEUES


class Command(BaseCommand):
    help = "Send what waits for other desks, departments' systems and subscribers, in one process that runs until it is stopped."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("queue", nargs="*", metavar="QUEUE", help="only these: linkage, exchange, webhooks (default: all)")
        parser.add_argument("--once", action="store_true", help="send what is due now, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(options["queue"]) - set(QUEUES))
        if unknown:
            raise CommandError(_("没有这样的队列：%(unknown)s。现有：%(known)s。")
                               % {"unknown": ", ".join(unknown), "known": ", ".join(sorted(QUEUES))})
        chosen = [QUEUES[name] for name in sorted(options["queue"] or QUEUES)]
        if options["once"]:
            with override(settings.LANGUAGE_CODE):  # what is written down is in the city's language
                counts = {one.name: one.once(now()) for one in chosen}
            for name, count in counts.items():
                self.stdout.write(_("%(queue)s：发送了 %(count)d 次。") % {"queue": name, "count": count})
            return
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: told.set())
        senders = [one.sender() for one in chosen]
        for sender in senders:
            sender.start()
        self.stdout.write(_("正在发送（%s），按 Ctrl-C 停止。") % ", ".join(one.name for one in chosen))
        self.stdout.flush()
        told.wait()
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.stop()
