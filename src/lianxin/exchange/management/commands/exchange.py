"""`lianxin exchange`: departments' own systems and older platforms, over Open311."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from lianxin.exchange import mapping, outbox, polling, reconciling, systems
from lianxin.exchange.client import Fault
from lianxin.exchange.models import Closing, Letter, LetterState, Mapping, Photos, Shown, System, SystemKind, Unmapped
from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import SYSTEM


class Command(BaseCommand):
    help = "Departments' own systems and older platforms over Open311: settings, services, mapping, dead letters, reconciliation."

    def add_arguments(self, parser: Any) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
        system = parts.add_parser("system", help="the systems").add_subparsers(dest="what", required=True, metavar="WHAT")
        system.add_parser("list", help="every system, how it answers, and what waits for it")
        self._add_system(system.add_parser("add", help="add one, or change one: what is not given stays"))
        self._of_one(parts.add_parser("services", help="read which services a system has, and what it can do"))
        line = self._of_one(parts.add_parser("map", help="say what a code becomes; without TO the line goes"))
        line.add_argument("value", help="our category (`--in`: their service)")
        line.add_argument("to", nargs="?", default="", help="their service (`--in`: our category)")
        line.add_argument("--in", dest="inbound", action="store_true", help="theirs becomes ours")
        line.add_argument("--attribute", action="append", default=[], metavar="CODE=VALUE", help="sent with every request of it")
        self._of_one(parts.add_parser("unmapped", help="codes that were met and that nothing maps"))
        dead = parts.add_parser("dead", help="letters that cannot be sent, with the reason")
        dead.add_argument("--system", default="", metavar="CODE")
        resend = parts.add_parser("resend", help="send a dead letter again, and what waits behind it")
        resend.add_argument("letter", nargs="?", default="", help="its number, as `dead` shows it")
        resend.add_argument("--system", default="", metavar="CODE", help="all dead letters of a system")
        self._of_one(parts.add_parser("ask", help="ask a system now: numbers, status, updates, new requests"))
        compare = self._of_one(parts.add_parser("reconcile", help="compare both sides; ends with 1 when they differ for good"))
        compare.add_argument("--json", action="store_true", help="one JSON object a line")

    def _of_one(self, parser: Any) -> Any:
        parser.add_argument("system", help="code of the system")
        return parser

    def _add_system(self, add: Any) -> None:
        add.add_argument("code", help="a short name: lower-case letters, digits, points and hyphens")
        add.add_argument("--name", help="what it is called")
        add.add_argument("--name-en", help="its name in English")
        add.add_argument("--kind", choices=SystemKind.values, help="a unit's own system, or an older platform")
        add.add_argument("--url", help="base of its GeoReport v2, without file name")
        add.add_argument("--jurisdiction", help="its jurisdiction_id, where it wants one")
        add.add_argument("--unit", help="code of the unit whose cases go there")
        add.add_argument("--account", dest="agent", metavar="USERNAME",
                         help="account of the unit that signs for and replies on its behalf; empty for none")
        add.add_argument("--identity", choices=Shown.values, help="what it is told of who raised a case")
        add.add_argument("--purpose", help="why it is told everything")
        add.add_argument("--photos", choices=Photos.values, help="how it gets the photos of a case: not, by links, or with the request")
        add.add_argument("--closing", choices=Closing.values, help="what their closing becomes")
        add.add_argument("--idempotent", choices=("yes", "no"), help="whether it answers a repeated Idempotency-Key alike")
        add.add_argument("--active", choices=("yes", "no"), help="whether anything is sent and asked")
        add.add_argument("--since", metavar="TIME", help="take an older platform's requests from then on (2026-05-01T00:00)")
        add.add_argument("--key", action="store_true", help="read its api_key from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        parts: dict[str, Callable[[dict[str, Any]], None]] = {
            "system": self.system, "services": self.services, "map": self.map, "unmapped": self.unmapped, "dead": self.dead,
            "resend": self.resend, "ask": self.ask, "reconcile": self.reconcile}
        try:
            parts[options["part"]](options)
        except DomainError as error:
            faults = "".join(f"\n  {name}: {fault}" for name, fault in error.fields.items())
            raise CommandError(f"{error}{faults}") from error
        except Fault as fault:
            raise CommandError(fault.outcome.why) from fault

    def say(self, words: str) -> None:
        self.stdout.write(words)

    def named(self, code: str) -> System:
        found = System.objects.filter(code=code).first()
        if found is None:
            known = "、".join(System.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(_("没有叫 %(code)s 的系统。现有：%(known)s") % {"code": code, "known": known or "—"})
        return found

    def system(self, options: dict[str, Any]) -> None:
        if options["what"] == "add":
            names = ("name", "name_en", "kind", "url", "jurisdiction", "unit", "agent", "identity", "purpose", "photos", "closing")
            given: dict[str, Any] = {name: options[name] for name in names if options[name] is not None}
            given |= {name: options[name] == "yes" for name in ("idempotent", "active") if options[name] is not None}
            if options["since"]:
                given["read_to"] = _moment(options["since"])
            found = systems.save(None, options["code"], key=input() if options["key"] else None, **given)
            self.say(_("已保存 %s。") % found.code)
            return
        for one in outbox.standings():
            counts = _("在办 %(open)d，待发 %(waiting)d，送不出去 %(dead)d") % {"open": one.open, "waiting": one.waiting, "dead": one.dead}
            off = "" if one.system.active else pgettext("state", "停用")
            self.say(f"{one.system.code:<24} {one.system.kind:<6} {one.system.url}  {counts}  {off}{one.system.last_error}".rstrip())

    def services(self, options: dict[str, Any]) -> None:
        found = self.named(options["system"])
        for one in systems.discover(found):
            self.say(f"{one.code:<24} {one.name}" + (f"  ({one.group})" if one.group else ""))
        said = _("有") if found.updates else _("没有")
        self.say(_("格式：%(format)s；进展扩展：%(updates)s。") % {"format": found.format, "updates": said})

    def map(self, options: dict[str, Any]) -> None:
        found = self.named(options["system"])
        mapping.set_mapping(SYSTEM, found, value=options["value"], to=options["to"], inbound=options["inbound"])
        pairs = [one.partition("=") for one in options["attribute"]]
        if any(not code or not sign for code, sign, _value in pairs):
            raise CommandError(_("固定填写的内容写作“代码=值”。"))
        if pairs and not options["inbound"]:
            Mapping.objects.filter(system=found, inbound=False, ours=options["value"]).update(
                attributes={code: value for code, _sign, value in pairs})
        self.say(_("对照表已改。"))

    def unmapped(self, options: dict[str, Any]) -> None:
        for one in Unmapped.objects.filter(system=self.named(options["system"])).order_by("-times"):
            self.say(f"{'in' if one.inbound else 'out'}  {one.value}  {one.times}  {_time(one.last_at)}")

    def dead(self, options: dict[str, Any]) -> None:
        rows = Letter.objects.filter(state=LetterState.DEAD).select_related("system", "link__case").order_by("id")
        if options["system"]:
            rows = rows.filter(system=self.named(options["system"]))
        for row in rows:
            self.say(f"{row.pk}  {row.system.code}  {row.sort}  {row.link.case.number}  {_time(row.made_at)}  {row.last_error}")
        if not rows:
            self.say(_("没有送不出去的。"))

    def resend(self, options: dict[str, Any]) -> None:
        if bool(options["system"]) == bool(options["letter"]):
            raise CommandError(_("请写一条消息的编号，或 --system。"))
        if options["system"]:
            rows = Letter.objects.filter(system=self.named(options["system"]), state=LetterState.DEAD).order_by("id")
            ids = list(rows.values_list("pk", flat=True))
        else:
            try:
                ids = [uuid.UUID(options["letter"])]
            except ValueError:
                raise CommandError(_("这不是消息编号。")) from None
        count = sum(outbox.resend(one) for one in ids)
        if options["letter"] and not count:
            raise CommandError(_("没有这条送不出去的消息，可能已经重发。"))
        self.say(_("%d 条消息等待发送。") % count)

    def ask(self, options: dict[str, Any]) -> None:
        found = self.named(options["system"])
        with override(settings.LANGUAGE_CODE):
            polling.tell_numbers()
            outcome = polling.ask(found)
        if outcome is not None:
            raise CommandError(outcome.why)
        self.say(_("%s 已应答。") % found.code)

    def reconcile(self, options: dict[str, Any]) -> None:
        lasting = 0
        for one in reconciling.reconcile(self.named(options["system"])):
            lasting += not one.on_its_way
            if options["json"]:
                said = {"case": one.link.case.number, "theirs": one.link.theirs, "fault": one.fault, "state": one.link.case.state,
                        "status": one.theirs, "on_its_way": one.on_its_way}
                self.say(json.dumps(said, ensure_ascii=False))
                continue
            waits = _("（还有消息未送达）") if one.on_its_way else ""
            self.say(f"{one.link.case.number}  {one.link.theirs or '—'}  {one.why}{waits}")
        if lasting:
            raise CommandError(_("%d 件工单双方不一致，需要人工核对。") % lasting)
        self.say(_("双方一致。"))


def _moment(said: str) -> datetime:
    at = parse_datetime(said)
    if at is None:
        raise CommandError(_("时间看不懂：%s") % said)
    return at if at.tzinfo is not None else make_aware(at)


def _time(at: Any) -> str:
    return localtime(at).strftime("%Y-%m-%d %H:%M:%S")
