"""How often the right article is among the first that search gives, measured on enquiries that a person labelled.

Labels are a CSV with the columns `id, part, articles`: the id of a message, the part of the sample it was drawn in, and the
codes of every article that answers it, separated by |; none when none does. The messages are read from their own file and
never copied.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TextIO

from .queries import search

TOP = 5


@dataclass(frozen=True, slots=True)
class Label:
    id: str
    part: str
    articles: frozenset[str]


@dataclass(slots=True)
class Outcome:
    """What search gave for one part: ranks of the first right article (0: none of the first five), for the messages that have
    one; for those that have none, how many it rightly left without a suggestion; milliseconds of each search."""

    ranks: list[int] = field(default_factory=list)
    without: int = 0
    silent: int = 0
    took: list[float] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def within(self, top: int) -> int:
        return sum(0 < rank <= top for rank in self.ranks)

    @property
    def p95(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.95)] if self.took else 0.0


def _opened(path: Path) -> TextIO:
    return gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="")


def labels(path: Path) -> list[Label]:
    """The labels of a file. Raises ValueError, naming the line, for one that cannot be read."""
    found: list[Label] = []
    with _opened(path) as file:
        reader = csv.DictReader(file)
        if not {"id", "part", "articles"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path.name}: the columns id, part, articles are needed")
        for row in reader:
            if not row["id"]:
                raise ValueError(f"{path.name}:{reader.line_num}: no id")
            found.append(Label(row["id"], row["part"] or "", frozenset(filter(None, (row["articles"] or "").split("|")))))
    return found


def messages(path: Path, wanted: frozenset[str]) -> dict[str, str]:
    """Title and words of the wanted messages by id; the first of an id counts. Raises ValueError for a file without them."""
    found: dict[str, str] = {}
    with _opened(path) as file:
        reader = csv.DictReader(file)
        if not {"id", "title", "detail"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path.name}: the columns id, title, detail are needed")
        for row in reader:
            if row["id"] in wanted:
                found.setdefault(row["id"], f"{row['title'] or ''}\n{row['detail'] or ''}")
    return found


def _searched(chosen: list[Label], said: Mapping[str, str], on: date) -> Iterator[tuple[Label, list[str], float]]:
    for label in chosen:
        if label.id in said:
            start = time.perf_counter()
            codes = [one.code for one in search(said[label.id], on=on, limit=TOP)]
            yield label, codes, (time.perf_counter() - start) * 1000


def measured(chosen: list[Label], said: Mapping[str, str], *, on: date) -> dict[str, Outcome]:
    """Search for every labelled message that is there, part by part. No category is given: search has the words only."""
    outcomes: dict[str, Outcome] = {}
    for label, codes, took in _searched(chosen, said, on):
        outcome = outcomes.setdefault(label.part, Outcome())
        outcome.took.append(took)
        if not label.articles:
            outcome.without += 1
            outcome.silent += not codes
            continue
        rank = next((place for place, code in enumerate(codes, start=1) if code in label.articles), 0)
        outcome.ranks.append(rank)
        if not rank:
            outcome.missed.append(label.id)
    return outcomes
