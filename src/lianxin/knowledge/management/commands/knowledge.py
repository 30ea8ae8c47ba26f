"""The knowledge base from the command line: how well search finds, measured; the index made again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.shares import wilson
from lianxin.knowledge import index, measuring


class Command(BaseCommand):
    help = "Measure how often search finds the right article, or make its index again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        measure = parts.add_parser("measure", help="How often the right article is among the first five.")
        measure.add_argument("messages", type=Path, help="CSV[.gz] with the columns id, title, detail.")
        measure.add_argument("--labels", type=Path, required=True, help="CSV with the columns id, part, articles.")
        measure.add_argument("--missed", action="store_true", help="Name the messages whose article was not found.")
        parts.add_parser("reindex", help="Make the index of articles again.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] == "reindex":
            self.stdout.write(f"{index.rebuild()} versions in the index")
            return
        try:
            labels = measuring.labels(options["labels"])
            said = measuring.messages(options["messages"], frozenset(label.id for label in labels))
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        outcomes = measuring.measured(labels, said, on=today_of(now()))
        if not outcomes:
            raise CommandError("none of the labelled messages is in the file")
        for part, outcome in outcomes.items():
            self._print(part, outcome, missed=options["missed"])

    def _print(self, part: str, outcome: measuring.Outcome, *, missed: bool) -> None:
        total = len(outcome.ranks)
        self.stdout.write(f"{part}: {total + outcome.without} messages, {total} with a right article")
        for top in (1, 3, measuring.TOP):
            hits = outcome.within(top)
            low, high = wilson(hits, total)
            self.stdout.write(f"  in the first {top}: {hits}/{total} = {hits / max(total, 1):.3f}  [{low:.3f}, {high:.3f}]")
        self.stdout.write(f"  without a right article: nothing suggested for {outcome.silent}/{outcome.without}")
        self.stdout.write(f"  search: p95 {outcome.p95:.1f} ms")
        if missed:
            self.stdout.write("  not found: " + " ".join(outcome.missed))
