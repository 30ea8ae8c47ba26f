"""`lianxin docs`: write the reference pages that are made from the code."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lianxin.docs.pages import stale, write
from lianxin.docs.settings import CHECKOUT


class Command(BaseCommand):
    help = "Write the reference pages that are made from the code (settings, states, permissions, commands …)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")
        parser.add_argument("--to", type=Path, default=None, help="the checkout to write in; default this one")

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["to"] or CHECKOUT
        if options["check"]:
            late = stale(root)
            for name in late:
                self.stderr.write(name)
            if late:
                raise CommandError(f"{len(late)} pages are out of date: run `./run lianxin docs`")
            return
        for name in write(root):
            self.stdout.write(name)
