"""`ogc check URL | refresh`: what a map server keeps of the standards; the tiles brought up to the public record."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

BEGIN: Final = "<!-- conformance -->"
END: Final = "<!-- end of conformance -->"


class Command(BaseCommand):
    help = "Map services: check a server against OGC API – Features, draw the tiles of public cases."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        check = parts.add_parser("check", help="ask a server the test suites of OGC API – Features, Part 1 and 2; 1 when one fails")
        check.add_argument("url", metavar="URL", help="the landing page, such as https://city.example/ogc/")
        check.add_argument("--write", type=Path, metavar="FILE.md", help="put the table between the marks of a Markdown file")
        refresh = parts.add_parser("refresh", help="bring the tiles up to the public record, as the worker does each minute")
        refresh.add_argument("--whole", action="store_true", help="count everything again")

    def handle(self, *args: Any, **options: Any) -> None:
        {"check": self.ask, "refresh": self.refresh}[options["part"]](options)

    def ask(self, options: dict[str, Any]) -> None:
        from lianxin.ogc.checking.runner import markdown, run
        from lianxin.ogc.checking.site import Site

        outcomes = run(Site(options["url"], _fetch))
        table = markdown(outcomes)
        self.stdout.write(table)
        if options["write"]:
            _write(options["write"], table)
        failed = sum(one.said == "failed" for one in outcomes)
        if failed:
            raise CommandError(f"{failed} of {len(outcomes)} tests failed")

    def refresh(self, options: dict[str, Any]) -> None:
        from lianxin.ogc.tallies import refresh

        done = refresh(whole=options["whole"])
        self.stdout.write(f"{done.drawn} records drawn, {done.gone} taken away; version {done.version}")


def _fetch(method: str, url: str, headers: Mapping[str, str]) -> Any:
    import requests

    from lianxin.ogc.checking.site import Reply

    try:
        answer = requests.request(method, url, headers=dict(headers), timeout=30, allow_redirects=True)
    except requests.RequestException as error:
        raise CommandError(f"{url}: {error}") from error
    return Reply(url, answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)


def _write(path: Path, table: str) -> None:
    body = path.read_text(encoding="utf-8")
    before, mark, rest = body.partition(BEGIN)
    _old, its_end, after = rest.partition(END)
    if not mark or not its_end:
        raise CommandError(f"{path}: no {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
