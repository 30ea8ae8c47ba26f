"""How well pairs of messages that a person labelled are told apart as one matter or two."""

from __future__ import annotations

import json
import random
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from lianxin.cases.likeness import FACTORS, SAME, Factors, Rarity, Text, features, pressed
from lianxin.cases.records import rows
from lianxin.kernel.errors import Invalid

HELP = "Measure on labelled pairs whether two messages are told to be one matter."
COLUMNS: Final = ("id", "title", "detail")
DRAWS: Final = 2000  # of the bootstrap
FEATURES: Final = len(Factors._fields) - 1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two messages by their ids, which half they stand in, how they were chosen, and what both passes and the last word
    said: 1 for one matter, 0 for two."""

    first: str
    second: str
    half: str
    chosen: str
    passes: tuple[int, int]
    same: int


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one reckoning."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0

    @property
    def f1(self) -> float:
        whole = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / whole if whole else 0.0


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="messages: CSV, gzipped or not, with id, title, detail")
    parser.add_argument("--pairs", type=Path, required=True,
                        help="labelled pairs: CSV with first, second, chosen, half (tune or test), pass_1, pass_2, same")
    parser.add_argument("--fit", action="store_true", help="learn the factors anew on the tune half, and print them")
    parser.add_argument("--wrong", action="store_true", help="list the ids of the pairs of the test half that are told wrong")
    parser.add_argument("--json", action="store_true", help="for machines")


def read_messages(path: Path) -> dict[str, tuple[str, str]]:
    """Title and text of each message by its id. Raises Invalid."""
    return {row["id"]: (row["title"], row["detail"]) for _line, row in rows(path, COLUMNS)}


def read_pairs(path: Path) -> list[Pair]:
    """The labelled pairs. Raises Invalid for a file of another form."""
    columns = ("first", "second", "chosen", "half", "pass_1", "pass_2", "same")
    found = []
    for line, row in rows(path, columns):
        marks = [row[name] for name in ("pass_1", "pass_2", "same")]
        if row["half"] not in ("tune", "test") or not set(marks) <= {"0", "1"}:
            raise Invalid(_("%(file)s 第 %(line)d 行不对：half 只能是 tune 或 test，标注只能是 0 或 1。") % {
                "file": path, "line": line})
        first, second, same = (int(mark) for mark in marks)
        found.append(Pair(row["first"], row["second"], row["half"], row["chosen"], (first, second), same))
    return found


def kappa(pairs: Sequence[Pair]) -> tuple[float, float]:
    """How often both passes agree, and Cohen's κ: agreement beyond what chance gives (Cohen 1960)."""
    total = len(pairs)
    agreed = sum(one.passes[0] == one.passes[1] for one in pairs) / total
    shares = [sum(one.passes[n] for one in pairs) / total for n in (0, 1)]
    chance = shares[0] * shares[1] + (1 - shares[0]) * (1 - shares[1])
    return agreed, (agreed - chance) / (1 - chance) if chance < 1 else 1.0


def groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Pairs that share a message, directly or through others: they are drawn together."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            name = parent[name] = parent[parent[name]]
        return name

    for one in pairs:
        parent[root(one.first)] = root(one.second)
    found: dict[str, list[int]] = {}
    for number, one in enumerate(pairs):
        found.setdefault(root(one.first), []).append(number)
    return list(found.values())


def counted(pairs: Sequence[Pair], scores: Sequence[float], numbers: Sequence[int]) -> Score:
    told = [(scores[n] >= SAME, pairs[n].same == 1) for n in numbers]
    return Score(sum(a and b for a, b in told), sum(a and not b for a, b in told), sum(b and not a for a, b in told))


def interval(pairs: Sequence[Pair], scores: Sequence[float], of: Callable[[Score], float]) -> tuple[float, float]:
    """95 % by bootstrap over groups of pairs that share messages."""
    held, chance = groups(pairs), random.Random(20261127)
    found = sorted(
        of(counted(pairs, scores, [n for _draw in held for n in chance.choice(held)])) for _number in range(DRAWS))
    return found[int(DRAWS * 0.025)], found[int(DRAWS * 0.975) - 1]


def fitted(rows: Sequence[Factors], same: Sequence[int]) -> Factors:
    """Factors learnt by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=1000).fit([row[:FEATURES] for row in rows], same)
    return Factors(*(round(float(value), 2) for value in (*model.coef_[0], model.intercept_[0])))


def _looked_at(pairs: Sequence[Pair], messages: dict[str, tuple[str, str]]) -> list[Factors]:
    unknown = {one for pair in pairs for one in (pair.first, pair.second)} - messages.keys()
    if unknown:
        raise Invalid(_("这些编号不在消息文件里：%(ids)s") % {"ids": " ".join(sorted(unknown)[:10])})
    rarity = Rarity.of(f"{title} {detail}" for title, detail in messages.values())
    texts: dict[str, Text] = {}
    for pair in pairs:
        for one in (pair.first, pair.second):
            if one not in texts:
                texts[one] = Text.of(messages[one][1], title=messages[one][0], rarity=rarity)
    return [features(texts[pair.first], texts[pair.second]) for pair in pairs]


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    pairs = read_pairs(options["pairs"])
    rows = _looked_at(pairs, read_messages(options["file"]))
    halves = {half: [n for n, one in enumerate(pairs) if one.half == half] for half in ("tune", "test")}
    if not all(halves.values()):
        raise Invalid(_("标注文件里 tune 和 test 两部分都要有。"))
    factors = fitted([rows[n] for n in halves["tune"]], [pairs[n].same for n in halves["tune"]]) if options["fit"] else FACTORS
    scores = [pressed(sum(a * b for a, b in zip(factors, row, strict=True))) for row in rows]
    agreed, beyond = kappa(pairs)
    told: dict[str, Any] = {"pairs": len(pairs), "same": sum(one.same for one in pairs), "agreement": agreed, "kappa": beyond}
    if options["fit"]:
        told["factors"] = factors._asdict()
    for half, numbers in halves.items():
        part, its = [pairs[n] for n in numbers], [scores[n] for n in numbers]
        score = counted(part, its, range(len(part)))
        told[half] = {"pairs": len(part), "same": sum(one.same for one in part)} | {
            name: {"value": getattr(score, name), "interval": interval(part, its, attrgetter(name))}
            for name in ("precision", "recall", "f1")}
    told["chosen"] = {kind: _kind(pairs, scores, [n for n in halves["test"] if pairs[n].chosen == kind])
                      for kind in sorted({one.chosen for one in pairs})}
    if options["wrong"]:
        told["wrong"] = [[pairs[n].first, pairs[n].second, pairs[n].same, round(scores[n], 2)] for n in halves["test"]
                         if (scores[n] >= SAME) != (pairs[n].same == 1)]
    out.write(json.dumps(told, ensure_ascii=False, indent=1) if options["json"] else _as_text(told))


def _kind(pairs: Sequence[Pair], scores: Sequence[float], numbers: Sequence[int]) -> dict[str, int]:
    score = counted(pairs, scores, numbers)
    return {"pairs": len(numbers), "same": score.right + score.missed, "right": score.right, "wrong": score.wrong,
            "missed": score.missed}


def _as_text(told: dict[str, Any]) -> str:
    lines = [f"pairs {told['pairs']}, one matter {told['same']}; both passes agree {told['agreement']:.3f}, "
             f"Cohen's kappa {told['kappa']:.3f}"]
    if "factors" in told:
        lines.append("factors " + ", ".join(f"{name} {value:.2f}" for name, value in told["factors"].items()))
    for half in ("tune", "test"):
        part = told[half]
        figures = ", ".join(f"{name} {part[name]['value']:.3f} ({part[name]['interval'][0]:.3f}–{part[name]['interval'][1]:.3f})"
                            for name in ("precision", "recall", "f1"))
        lines.append(f"{half}: {part['pairs']} pairs, {part['same']} of one matter; {figures}")
    for kind, one in told["chosen"].items():
        lines.append(f"test, chosen by {kind}: {one['pairs']} pairs, {one['same']} of one matter; told rightly {one['right']}, "
                     f"wrongly {one['wrong']}, missed {one['missed']}")
    lines += [f"wrong: {first} {second}, labelled {same}, score {score}" for first, second, same, score in told.get("wrong", ())]
    return "\n".join(lines)
