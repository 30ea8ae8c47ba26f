"""`lianxin linkage check URL`: options, and the report as text or JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from .findings import CHECKS, Finding, Verdict
from .hands import Asking, Controlling, Hands, Nobody, Running
from .listener import Listener
from .running import chosen, line, run, summary
from .session import Session

HELP = "Drive the endpoint of another desk through every rule of the interface, and say which it keeps. Needs no database."
PASSED, FAILED, NOTHING = 0, 1, 2


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="where the other desk is; /linkage/v1/messages is put behind it")
    parser.add_argument("--name", required=True, help="the other desk's name, as 110.city")
    parser.add_argument("--as", dest="own", default="12345.city", help="the name the kit has; default 12345.city")
    parser.add_argument("--listen", default="127.0.0.1:8019", metavar="HOST:PORT", help="where the kit waits for the other desk's messages")
    parser.add_argument("--secret", action="append", required=True, metavar="whsec_…", help="the shared secret; twice: in use, and next")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="some checks, as 'order.*'; may be repeated")
    people = parser.add_mutually_exclusive_group()
    people.add_argument("--ask", action="store_true", help="ask a person at the other desk for each step")
    people.add_argument("--hands", metavar="COMMAND", help="run a command for each step; it gets the step as JSON on standard input")
    people.add_argument("--training", action="store_true", help="the other desk is lianxin-110-desk on this machine: work it")
    parser.add_argument("--patience", type=float, default=15.0, help="seconds a program may take to send what it owes")
    parser.add_argument("--by-hand", type=float, default=0.0, help="seconds a person may take; 180, or 30 without one")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--list", action="store_true", help="only say which checks there are")


def _hands(options: dict[str, Any], tell: Callable[[str], None]) -> Hands:
    if options["ask"]:
        return Asking(tell)
    if options["hands"]:
        return Running(options["hands"])
    return Controlling(options["url"]) if options["training"] else Nobody()


def _address(listen: str) -> tuple[str, int]:
    host, mark, port = listen.rpartition(":")
    if not mark or not port.isdigit() or int(port) > 65_535:
        raise CommandError(f"--listen: {listen} is not HOST:PORT")
    return host, int(port)


def handle(options: dict[str, Any], tell: Callable[[str], None]) -> int:
    """Make the checks and tell what came of them; returns the exit status. Raises CommandError for options that do not fit."""
    try:
        checks = chosen(options["only"])
    except LookupError as unknown:
        raise CommandError(f"--only: no check is named {unknown}; there are {', '.join(check.name for check in CHECKS)}") from None
    if options["list"]:
        for check in checks:
            tell(f"{check.name:<20} {check.title}{'  (by hand)' if check.by_hand else ''}")
        return PASSED
    for secret in options["secret"]:
        if not secret.startswith("whsec_"):
            raise CommandError("--secret: a secret begins with whsec_")
    silent = options["json"]
    host, port = _address(options["listen"])
    try:
        listener = Listener(host, port, options["own"], options["name"], options["secret"]).__enter__()
    except OSError as error:
        raise CommandError(f"--listen: {options['listen']} cannot be used: {error.strerror}") from error
    with listener:
        person = 180.0 if options["ask"] else 30.0
        session = Session(options["url"], options["own"], options["name"], options["secret"], listener, _hands(options, tell),
                          patience=options["patience"], by_hand=options["by_hand"] or person)
        found = run(session, checks, lambda finding: None if silent else tell(line(finding)))
    return _told(found, tell, silent=silent)


def _told(found: list[Finding], tell: Callable[[str], None], *, silent: bool) -> int:
    counts = summary(found)
    if silent:
        tell(json.dumps([finding.as_dict() for finding in found], ensure_ascii=False, indent=1))
    else:
        tell("\n" + ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count))
    if counts[Verdict.FAILED]:
        return FAILED
    return PASSED if counts[Verdict.PASSED] else NOTHING
