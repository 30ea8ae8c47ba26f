"""`open311 …`: keys for outside apps, and whether an endpoint keeps the specification."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.kernel.errors import DomainError
from lianxin.open311 import keys
from lianxin.open311.checking import Session, Verdict, as_lines, as_markdown, examine, over_http
from lianxin.open311.rules import RULES

HEAD = """\
# Open311 conformance

Written by `lianxin open311 check URL --key KEY --post --write docs/reference/open311-conformance.md`; a test makes the same examination
and fails when this page says something else. The rules are those of [GeoReport v2](http://wiki.open311.org/GeoReport_v2/), of its
service discovery, and of the extensions that servers and clients in use share. [How to use the endpoint](../howto/use-open311.md).

"""


class Command(BaseCommand):
    help = "The Open311 endpoint: keys for outside apps, and checking an endpoint (docs/howto/use-open311.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
        key = parts.add_parser("key", help="make a key for an app and print it, this once; keys before stay valid")
        key.add_argument("name", help="the app's name, in letters and digits")
        parts.add_parser("keys", help="list the keys, never themselves")
        end = parts.add_parser("end", help="end a key")
        end.add_argument("hint", help="its last four characters")
        check = parts.add_parser("check", help="ask an endpoint, ours or another's, whether it keeps every rule; needs no database")
        check.add_argument("url", metavar="URL", help="the endpoint, as https://city.gov/open311/v2")
        check.add_argument("--key", default="", help="an api_key, for what needs one")
        check.add_argument("--post", action="store_true", help="post some requests as well; they are real")
        check.add_argument("--jurisdiction", default="", help="jurisdiction_id, where the endpoint serves several")
        check.add_argument("--lat", default="", help="where to post to, WGS-84 degrees; an address in words when not given")
        check.add_argument("--long", default="", help="with --lat")
        check.add_argument("--json", action="store_true", help="one JSON object a line")
        check.add_argument("--write", default=None, metavar="FILE", help="write the table into a page of the reference")

    def handle(self, *args: Any, **options: Any) -> None:
        parts: dict[str, Callable[[dict[str, Any]], None]] = {"key": self.key, "keys": self.keys, "end": self.end, "check": self.examine}
        try:
            parts[options["part"]](options)
        except DomainError as error:
            raise CommandError(str(error)) from None

    def key(self, options: dict[str, Any]) -> None:
        made = keys.new(options["name"])
        self.stderr.write(_("账号 %(account)s 的 api_key，只显示这一次：") % {"account": made.account})
        self.stdout.write(made.secret)

    def keys(self, _options: dict[str, Any]) -> None:
        for one in keys.listed():
            used = localtime(one.last_used_at).strftime("%Y-%m-%d %H:%M") if one.last_used_at else "-"
            self.stdout.write(f"…{one.hint}  {one.staff.username}  {localtime(one.created_at):%Y-%m-%d}  {used}")

    def end(self, options: dict[str, Any]) -> None:
        if not keys.end(options["hint"]):
            raise CommandError(_("没有以这几位结尾的 api_key。"))

    def examine(self, options: dict[str, Any]) -> None:
        session = Session(over_http(options["url"]), key=options["key"], post=options["post"], jurisdiction=options["jurisdiction"])
        if options["lat"] and options["long"]:
            session.place = {"lat": options["lat"], "long": options["long"]}
        found = examine(session, RULES)
        if options["write"]:
            Path(options["write"]).write_text(HEAD + as_markdown(found), encoding="utf-8")
        if options["json"]:
            for one in found:
                self.stdout.write(json.dumps({"rule": one.rule.name, "result": str(one.verdict), "note": one.note}))
        else:
            self.stdout.write(as_lines(found))
        if any(one.verdict is Verdict.BROKEN for one in found):
            raise CommandError(_("有规则没有做到。"), returncode=1)
