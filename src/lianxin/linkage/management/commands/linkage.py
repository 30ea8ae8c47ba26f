"""`linkage …`: partners and their keys, the process that sends, what could not be sent, and whether both desks agree."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import URLValidator
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.linkage import outbox, reconciling, signing, wire
from lianxin.linkage.checking import command as checking
from lianxin.linkage.models import Outgoing, OutgoingState, Partner, PartnerKind, PartnerSecret
from lianxin.linkage.sending import ask


class Command(BaseCommand):
    help = "The link to the desks of 110, 119, 120 and others (docs/howto/link-with-another-desk.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
        self._partner(parts)
        self._secret(parts)
        deliver = parts.add_parser("deliver", help="send what waits until it is told to stop; watch the clocks of handovers")
        deliver.add_argument("--threads", type=int, default=None, help="messages at a time (default LIANXIN_LINKAGE_THREADS)")
        deliver.add_argument("--once", action="store_true", help="send what is due now and end")
        dead = parts.add_parser("dead", help="list the messages that were refused, and why")
        dead.add_argument("--partner", default="", help="code of one partner")
        resend = parts.add_parser("resend", help="send refused messages again, with what waits behind each")
        what = resend.add_mutually_exclusive_group(required=True)
        what.add_argument("message", nargs="?", default=None, help="id of one message, as `dead` shows it")
        what.add_argument("--partner", default="", help="all of one partner")
        reconcile = parts.add_parser("reconcile", help="ask a partner for every open matter and list where the two differ")
        reconcile.add_argument("partner", help="code of the partner")
        reconcile.add_argument("--everything", action="store_true", help="closed matters too")
        reconcile.add_argument("--json", action="store_true", help="one JSON object a line")
        checking.add_arguments(parts.add_parser("check", help=checking.HELP))
        ping = parts.add_parser("ping", help="ask whether a partner answers, and how fast")
        ping.add_argument("partner", help="code of the partner")

    def _partner(self, parts: Any) -> None:
        inner = parts.add_parser("partner", help="the desks this one is linked with").add_subparsers(
            dest="what", required=True, metavar="WHAT")
        inner.add_parser("list", help="all of them, and how their messages stand")
        add = inner.add_parser("add", help="add one, or change the one with this code")
        add.add_argument("code", help="its name in messages, as 110.city")
        add.add_argument("--name", default=None, help="what people call it")
        add.add_argument("--name-en", default=None, help="the same in English")
        add.add_argument("--kind", choices=list(PartnerKind.values), default=None, help="what kind of desk")
        add.add_argument("--url", default=None, help="where it is reached; /linkage/v1/messages is added")
        add.add_argument("--service", default=None, help="the number people dial")
        add.add_argument("--phone", default=None, help="the line of its desk for when the link is down")
        add.add_argument("--ca", default=None, metavar="FILE", help="certificates that its own is checked against, instead of the system's")
        add.add_argument("--certificate", default=None, metavar="FILE", help="this desk's certificate, for mutual TLS")
        add.add_argument("--key", default=None, metavar="FILE", help="the key of that certificate")

    def _secret(self, parts: Any) -> None:
        inner = parts.add_parser("secret", help="the keys that messages are signed with").add_subparsers(
            dest="what", required=True, metavar="WHAT")
        new = inner.add_parser("new", help="add one and print it, this once; the ones before stay valid")
        new.add_argument("partner", help="code of the partner")
        new.add_argument("--given", action="store_true", help="read the partner's own secret from standard input instead")
        shown = inner.add_parser("list", help="their ends and from when to when they are valid, never themselves")
        shown.add_argument("partner", help="code of the partner")
        retire = inner.add_parser("retire", help="end one; not the last that is valid")
        retire.add_argument("partner", help="code of the partner")
        retire.add_argument("secret", help="its last four characters, or its id")
        retire.add_argument("--hours", type=float, default=0.0, help="only after so many hours")

    def handle(self, *args: Any, **options: Any) -> None:
        parts: dict[str, Callable[[dict[str, Any]], None]] = {
            "partner": self.partner, "secret": self.secret, "deliver": self.deliver, "dead": self.dead, "resend": self.resend,
            "reconcile": self.reconcile, "ping": self.ping, "check": self.conformance}
        try:
            parts[options["part"]](options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def named(self, code: str) -> Partner:
        found = Partner.objects.filter(code=code).first()
        if found is None:
            known = "、".join(Partner.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(_("没有叫 %(code)s 的单位。现有：%(known)s") % {"code": code, "known": known or "—"})
        return found

    # ── Partners and keys ────────────────────────────────────────────────────────────────────────────────────────────────

    def partner(self, options: dict[str, Any]) -> None:
        if options["what"] == "add":
            return self._add(options)
        stands = {one.code: one for one in outbox.standings(now())}
        for one in Partner.objects.order_by("code"):
            stand = stands.get(one.code)
            counts = _("待发 %(waiting)d，被拒 %(dead)d") % {"waiting": stand.waiting, "dead": stand.dead} if stand else _("停用")
            self.say(f"{one.code:<24} {one.kind:<10} {one.url or '—'}  {counts}  {one.last_error}".rstrip())
        return None

    def _add(self, options: dict[str, Any]) -> None:
        code = options["code"]
        if not re.fullmatch(wire.NAME, code) or len(code) > 60:
            raise CommandError(_("名称只用小写字母、数字、点和连字符，例如 110.city。"))
        columns = {"name": "name", "name_en": "name_en", "kind": "kind", "url": "url", "service": "service", "fallback_phone": "phone",
                   "ca_file": "ca", "certificate_file": "certificate", "key_file": "key"}
        given = {column: options[name] for column, name in columns.items() if options[name] is not None}
        if given.get("url"):
            try:
                URLValidator(schemes=["http", "https"])(given["url"].replace("localhost", "127.0.0.1"))
            except ValidationError:
                raise CommandError(_("地址须以 http:// 或 https:// 开头。")) from None
        made = not Partner.objects.filter(code=code).exists()
        if made and not (given.get("name") and given.get("kind")):
            raise CommandError(_("新单位须写明 --name 和 --kind。"))
        if given.get("service") and Partner.objects.filter(service=given["service"]).exclude(code=code).exists():
            raise CommandError(_("这个号码已属于另一个单位。"))
        Partner.objects.update_or_create(code=code, defaults=given)
        self.say((_("已添加 %s。") if made else _("已修改 %s。")) % code)

    def secret(self, options: dict[str, Any]) -> None:
        partner = self.named(options["partner"])
        if options["what"] == "new":
            given = input().strip() if options["given"] else None
            row, said = signing.add_secret(partner, given)
            self.say(said if given is None else _("已添加密钥 …%s。") % row.hint)
        elif options["what"] == "retire":
            row = signing.retire_secret(partner, options["secret"], after=timedelta(hours=max(0.0, options["hours"])))
            assert row.valid_to is not None
            self.say(_("密钥 …%(hint)s 有效至 %(time)s。") % {"hint": row.hint, "time": _time(row.valid_to)})
        else:
            for row in PartnerSecret.objects.filter(partner=partner).order_by("-valid_from"):
                self.say(f"…{row.hint}  {row.pk}  {_time(row.valid_from)} – {_time(row.valid_to) if row.valid_to else ''}".rstrip(" –"))

    # ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, options: dict[str, Any]) -> None:
        from lianxin.linkage.delivering import once, swept_sender

        if options["once"]:
            with override(settings.LANGUAGE_CODE):  # what is written down is in the city's language
                count = once(now())
            self.say(_("发送了 %d 次。") % count)
            return
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: told.set())
        sender = swept_sender(options["threads"])
        sender.start()
        self.say(_("联动消息发送中，按 Ctrl-C 停止。"))
        told.wait()
        sender.stop()

    def dead(self, options: dict[str, Any]) -> None:
        rows = Outgoing.objects.filter(state=OutgoingState.DEAD).select_related("partner").order_by("made_at")
        if options["partner"]:
            rows = rows.filter(partner=self.named(options["partner"]))
        for row in rows:
            behind = Outgoing.objects.filter(matter=row.matter_id, seq__gt=row.seq).count() if row.matter_id is not None else 0
            self.say(f"{row.pk}  {row.partner.code}  {row.kind}  {_time(row.made_at)}  +{behind}  {row.last_error}")
        if not rows:
            self.say(_("没有被拒的消息。"))

    def resend(self, options: dict[str, Any]) -> None:
        if options["partner"]:
            ids = list(Outgoing.objects.filter(
                partner=self.named(options["partner"]), state=OutgoingState.DEAD).order_by("made_at").values_list("pk", flat=True))
        else:
            try:
                ids = [uuid.UUID(options["message"])]
            except ValueError:
                raise CommandError(_("这不是消息编号。")) from None
        count = sum(outbox.resend(one) for one in ids)
        if options["message"] and not count:
            raise CommandError(_("没有这条被拒的消息，可能已经重发。"))
        self.say(_("%d 条消息等待发送。") % count)

    # ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self, options: dict[str, Any]) -> None:
        partner = self.named(options["partner"])
        started = time.perf_counter()
        receipt = ask(partner, wire.Kind.PING, wire.Ping())
        took = (time.perf_counter() - started) * 1000
        if not (receipt.answer or {}).get("pong"):
            raise CommandError(_("对方应答了，但不是对 ping 的应答。"))
        self.say(_("%(code)s 应答，用时 %(ms).0f 毫秒。") % {"code": partner.code, "ms": took})

    def reconcile(self, options: dict[str, Any]) -> None:
        partner = self.named(options["partner"])
        lasting = 0
        for one in reconciling.reconcile(partner, everything=options["everything"]):
            lasting += not one.on_its_way
            if options["json"]:
                self.say(json.dumps({"matter": str(one.matter), "faults": one.faults, "ours": one.ours, "theirs": one.theirs,
                                     "on_its_way": one.on_its_way}, ensure_ascii=False))
                continue
            said = "；".join(str(reconciling.WHY[fault]) for fault in one.faults)
            waits = _("（还有消息未送达）") if one.on_its_way else ""
            self.say(f"{one.matter}  {said}{waits}")
        if lasting:
            raise CommandError(_("%d 件事项双方不一致，需要人工核对。") % lasting)
        self.say(_("双方一致。"))

    def conformance(self, options: dict[str, Any]) -> None:
        if status := checking.handle(options, self.stdout.write):
            raise SystemExit(status)


def _time(at: Any) -> str:
    return localtime(at).strftime("%Y-%m-%d %H:%M:%S")
