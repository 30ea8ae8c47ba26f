"""Bring the demo's database up to date: tables, the city, the accounts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lianxin.analysis import facts
from lianxin.cases.models import Case
from lianxin.demo import accounts, beside, care, exchanging, field, history, linking, rounds, seed, subscribing, tasks
from lianxin.exchange.models import System
from lianxin.ogc import tallies
from lianxin.publishing import files, records


class Command(BaseCommand):
    help = "Migrate, load the city and make the demo accounts (./run demo calls this)"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", required=True)
        parser.add_argument("--city", default="", help="directory of the city's files")
        parser.add_argument("--url", action="append", default=[], metavar="NAME=URL", help="an address that demo.json names besides")
        parser.add_argument("--no-cases", dest="cases", action="store_false", help="leave the city without cases")

    def _step(self, words: str) -> None:
        self.stdout.write(f"  {words} … {time.monotonic() - self.begun:.0f} s")
        self.stdout.flush()

    def handle(self, *_args: Any, base_url: str, city: str, cases: bool, url: list[str], **_options: Any) -> None:
        self.begun = time.monotonic()
        self.check(databases=["default"], tags=["database"])  # of a database from before the first release
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self._step("migrating")
            call_command("migrate", verbosity=0, interactive=False)
        if "lianxin_cache" not in connection.introspection.table_names():
            call_command("createcachetable", verbosity=0)
        if city and get_commands().get("load") and Path(city).is_dir():
            self._step(f"loading {Path(city).name}")
            call_command("load", "city", city, keep_catalogue=True)  # what visitors approved stays
        stories = Path(city) / "demo" / "cases.csv"
        if cases and stories.is_file() and not Case.objects.exists():
            self._step("cases to try it with")
            seed.seed(stories)
            field.at_work()
            rounds.walked()
            self._step("two years before them")
            history.write()
        asked = Path(city) / "demo" / "care.csv"
        if cases and asked.is_file():
            care.seed(asked)
        addresses = dict(one.split("=", 1) for one in url)
        theirs = Path(city) / beside.SYSTEMS
        if theirs.is_file() and (department := addresses.get("department_url")):
            fresh = not System.objects.exists()
            system = exchanging.join(theirs, department)
            if cases and fresh:
                exchanging.first_case(system, theirs)
        links = linking.links_in(settings.DATA)
        linking.connect(links)
        self._step("the public record and its files")
        facts.refresh()  # the worker reads them once an hour: the public figures need not wait for that
        records.refresh()
        tallies.refresh()
        files.write()
        path = settings.DATA / "demo.json"
        self._step("accounts")
        accounts.write(path, base_url, accounts.make(path), **addresses)
        subscribing.subscribe()
        tasks.gather()
        if cases:
            tasks.ring()
        shared = Path(city) / "demo" / "handovers.csv"
        if cases and links and shared.is_file():
            tasks.link(shared)
        if city and tasks.read_along(Path(city) / "training"):
            self._step("a model of the city's training texts will read along in half a minute; until then keyword rules do")
