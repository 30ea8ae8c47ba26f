"""`triage measure danger|personal|places`: how well words are read, on lists that a person labelled."""

from __future__ import annotations

import json
import random
import re
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from lianxin.cases.records import rows
from lianxin.kernel.errors import Invalid
from lianxin.kernel.language import listed
from lianxin.kernel.shares import wilson

HELP: Final = "measure how well words of danger, personal data and places are read, on labelled lists"
SUBJECTS: Final = ("danger", "personal", "places")
COLUMNS: Final = {"danger": ("half", "kind", "services", "text"), "personal": ("half", "marked"),
                  "places": ("half", "kind", "codes", "text")}
_MARK = re.compile(r"\[([a-z]+):([^\]]+)\]")


def add(parser: ArgumentParser) -> None:
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--list", type=Path, required=True, metavar="FILE", help="CSV labelled by hand, see docs/reference/triage-words.md")
    parser.add_argument("--half", choices=("tune", "held"), help="one half of the list only; the rules were made on `tune`")
    parser.add_argument("--messages", type=Path, nargs="+", default=[], metavar="FILE",
                        help="danger: CSV or .csv.gz with title and detail, to count false alarms on")
    parser.add_argument("--sample", type=int, default=5_000, metavar="N", help="danger: so many messages of those (default 5000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="danger: of that choice (default 1)")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="danger: print the words of so many alarms, for a person to judge")
    parser.add_argument("--city", type=Path, metavar="FOLDER", help="places: the city's files")
    parser.add_argument("--json", action="store_true")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    measure: Callable[[dict[str, Any], OutputWrapper], list[Line]] = {
        "danger": _danger, "personal": _personal, "places": _places}[options["subject"]]
    lines = measure(options, out)
    if options["json"]:
        out.write(json.dumps({line.name: line.told() for line in lines}, ensure_ascii=False))
        return
    for line in lines:
        out.write(line.written())


@dataclass(frozen=True, slots=True)
class Line:
    """One share: `part` of `whole`, or without a whole a plain number."""

    name: str
    part: float
    whole: int | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval of the share; 0 to 1 of nothing."""
        return wilson(int(self.part), self.whole or 0)

    def told(self) -> dict[str, float | int]:
        if self.whole is None:
            return {"value": round(self.part, 4)}
        low, high = self.bounds
        return {"part": int(self.part), "whole": self.whole, "share": round(self.part / self.whole, 4) if self.whole else 0.0,
                "low": round(low, 4), "high": round(high, 4)}

    def written(self) -> str:
        if self.whole is None:
            return f"  {self.name:<32}{self.part:>10.3f}"
        low, high = self.bounds
        share = f"{self.part / self.whole:.4f}" if self.whole else "–"
        return f"  {self.name:<32}{share:>10}  [{low:.4f}, {high:.4f}]  {int(self.part)}/{self.whole}"


def _labelled(options: dict[str, Any]) -> list[dict[str, str]]:
    chosen = [row for _line, row in rows(options["list"], COLUMNS[options["subject"]]) if options["half"] in (None, row["half"])]
    if not chosen:
        raise Invalid(_("%s 里没有可用的行。") % options["list"])
    return chosen


def _milliseconds(read: Callable[[str], object], text: str) -> float:
    """Processor time of one reading, in milliseconds: the least of fifty, which other work on the machine disturbs least."""
    taken = []
    for _time in range(50):
        started = time.process_time()
        read(text)
        taken.append(time.process_time() - started)
    return min(taken) * 1_000


# Danger


def _danger(options: dict[str, Any], out: OutputWrapper) -> list[Line]:
    from lianxin.triage.danger import SERVICES, alarms

    said = _labelled(options)
    dangerous = [row for row in said if row["services"]]
    quiet = [row for row in said if not row["services"]]
    called = {row["text"]: {alarm.service for alarm in alarms(row["text"])} for row in said}

    def right(row: dict[str, str]) -> bool:
        return not called[row["text"]].isdisjoint(row["services"].split("|"))

    lines = [Line("recall", sum(map(right, dangerous)), len(dangerous)),
             Line("recall of any alarm", sum(bool(called[row["text"]]) for row in dangerous), len(dangerous))]
    lines += [Line(f"recall {kind}", sum(right(row) for row in dangerous if row["kind"] == kind),
                   sum(row["kind"] == kind for row in dangerous)) for kind in dict.fromkeys(row["kind"] for row in dangerous)]
    lines.append(Line("alarms on harmless phrasings", sum(bool(called[row["text"]]) for row in quiet), len(quiet)))
    if options["messages"]:
        messages = [f"{row['title']}\n{row['detail']}" for file in options["messages"] for _line, row in rows(file, ("title", "detail"))]
        chance = random.Random(options["seed"])
        chosen = chance.sample(messages, min(options["sample"], len(messages)))
        found = [(message, made) for message in chosen if (made := alarms(message))]
        lines.append(Line("messages with an alarm", len(found), len(chosen)))
        lines += [Line(f"messages with {service}", sum(any(alarm.service == service for alarm in made) for _said, made in found),
                       len(chosen)) for service in SERVICES]
        lines.append(Line("ms for 12,000 characters", _milliseconds(alarms, "".join(chosen)[:12_000])))
        for message, made in chance.sample(found, min(options["show"], len(found))):
            out.write(f"{message.partition(chr(10))[0][:30]} · " + " ".join(f"{one.service}:{'/'.join(one.words[:3])}" for one in made))
    return lines


# Personal data


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with its personal data: kind, start, end."""

    half: str
    text: str
    spans: frozenset[tuple[str, int, int]]


@dataclass(slots=True)
class Count:
    """Spans found and right, found and wrong, missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0


def _marked(row: dict[str, str]) -> Marked:
    text, spans, at = "", set(), 0
    for mark in _MARK.finditer(row["marked"]):
        text += row["marked"][at : mark.start()]
        spans.add((mark.group(1), len(text), len(text) + len(mark.group(2))))
        text += mark.group(2)
        at = mark.end()
    return Marked(row["half"], text + row["marked"][at:], frozenset(spans))


def read_marked(file: Path) -> list[Marked]:
    """Sentences of a CSV with `half` and `marked`, where `[phone:138…]` marks what is personal."""
    return [_marked(row) for _line, row in rows(file, COLUMNS["personal"])]


def tally(sentences: Sequence[Marked]) -> dict[str, Count]:
    """By kind, in the order of their names: a span counts as right when its kind and both its ends agree."""
    from lianxin.triage.personal import find

    counts: dict[str, Count] = {}
    for sentence in sentences:
        found = {(span.kind, span.start, span.end) for span in find(sentence.text, houses=True)}
        for kind, _start, _end in found & sentence.spans:
            counts.setdefault(kind, Count()).right += 1
        for kind, _start, _end in found - sentence.spans:
            counts.setdefault(kind, Count()).wrong += 1
        for kind, _start, _end in sentence.spans - found:
            counts.setdefault(kind, Count()).missed += 1
    return dict(sorted(counts.items()))


def _personal(options: dict[str, Any], _out: OutputWrapper) -> list[Line]:
    sentences = [_marked(row) for row in _labelled(options)]
    counts = tally(sentences)
    every = Count(sum(one.right for one in counts.values()), sum(one.wrong for one in counts.values()),
                  sum(one.missed for one in counts.values()))
    lines = [Line("sentences", len(sentences))]
    for kind, count in {"all": every, **counts}.items():
        lines += [Line(f"precision {kind}", count.right, count.right + count.wrong),
                  Line(f"recall {kind}", count.right, count.right + count.missed)]
    return lines


# Places


def _places(options: dict[str, Any], _out: OutputWrapper) -> list[Line]:
    from lianxin.places import gazetteer, loading

    if options["city"] is None:
        raise Invalid(_("请用 --city 指出城市文件夹。"))
    faults: list[str] = []
    settings = loading.settings_of(options["city"])
    files = loading.read(options["city"], settings,
                         lambda name, line, reason: faults.append(f"{name}:{line} {reason}"))
    if faults or not files.tables.areas:
        raise Invalid(_("城市文件有错：%s") % listed(faults[:3]))
    names = gazetteer.of_tables(files.tables, settings)
    said = _labelled(options)
    hits = {row["text"]: names.find(row["text"], limit=20) for row in said}
    named = [row for row in said if row["codes"]]
    nothing = [row for row in said if not row["codes"]]
    asks = [row for row in named if "|" in row["codes"]]

    def first(row: dict[str, str]) -> bool:
        found = hits[row["text"]]
        return bool(found) and found[0].code in row["codes"].split("|")

    def asked(row: dict[str, str]) -> bool:
        found = hits[row["text"]]
        return bool(found) and {found[0].code, *found[0].ambiguous} == set(row["codes"].split("|"))

    answered = [row for row in said if hits[row["text"]]]
    lines = [Line("sentences", len(said)),
             Line("precision", sum(first(row) for row in answered), len(answered)),
             Line("recall", sum(bool({hit.code for hit in hits[row["text"]]} & set(row["codes"].split("|"))) for row in named), len(named)),
             Line("rank 1", sum(map(first, named)), len(named)),
             Line("asks with just the candidates", sum(map(asked, asks)), len(asks)),
             Line("quiet where no place is named", sum(not hits[row["text"]] for row in nothing), len(nothing)),
             Line("asks where one place is meant", sum(bool(hits[row["text"]] and hits[row["text"]][0].ambiguous)
                                                      for row in named if row not in asks), len(named) - len(asks))]
    lines += [Line(f"rank 1 {kind}", sum(first(row) for row in named if row["kind"] == kind), sum(row["kind"] == kind for row in named))
              for kind in dict.fromkeys(row["kind"] for row in named)]
    lines.append(Line("ms for 2,000 characters", _milliseconds(names.find, "".join(row["text"] for row in said)[:2_000])))
    return lines
