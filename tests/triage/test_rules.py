"""The keyword rules find what a plain look at every place finds, on the city's own list and a sample of the texts a demo learns from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from lianxin.triage.keywords import _EARLY, _READ_LIMIT, Leaf, Rules, weighted

YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang"
WITH_SINGLE = [Leaf(1001, "水", {"水": 1.0, "停": 0.5}), Leaf(1002, "A B", {"a b": 1.0, "停水": 2.0})]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def plainly(rules: Rules, words: Mapping[int, Mapping[str, float]], text: str) -> dict[int, tuple[float, set[str]]]:
    """For each category its score, and its keywords that are in the text."""
    text = text[:_READ_LIMIT].lower()
    scores: dict[int, float] = {}
    said: dict[int, set[str]] = {}
    for word, weights in rules.weights.items():
        places = [at for at in range(len(text)) if text.startswith(word, at)]
        for key, base in weights if places else ():
            assert word in words[key]
            scores[key] = scores.get(key, 0.0) + base * (1.6 if places[0] < _EARLY else 1.0) * (0.75 + 0.25 * min(len(places), 3))
            said.setdefault(key, set()).add(word)
    for pair in {one + two for one, two in pairwise(text)}:
        for key, base in rules.pairs.get(pair, ()):
            scores[key] = scores.get(key, 0.0) + base
    return {key: (score, said.get(key, set())) for key, score in scores.items()}


@pytest.mark.parametrize("more", [[], WITH_SINGLE], ids=["the city's", "with single characters"])
def test_the_quick_way_finds_what_a_plain_look_finds(more: list[Leaf]) -> None:
    leaves = [Leaf(key, row["name"], weighted(row["words"])) for key, row in enumerate(rows(YUEYANG / "keywords.csv"))] + more
    rules, words = Rules.of(leaves), {leaf.key: {word.lower(): 1.0 for word in leaf.words} for leaf in leaves}
    texts = [f"{row['title']}\n{row['detail']}" for path in sorted((YUEYANG / "training").glob("*.csv")) for row in rows(path)]
    assert len(texts) > 1_000
    for text in ["".join(texts[start : start + 12]) for start in range(0, len(texts), 240)] + ["", " ", "水", "停水A B", texts[0] * 4]:
        found, plain = rules.read(text), plainly(rules, words, text)
        assert found.keys() == plain.keys()
        for key, one in found.items():
            score, said = plain[key]
            assert one.score == pytest.approx(score)
            keywords = set(one.words) & said
            assert len(one.words) <= 5
            # What is shown of the keywords is the longest ones; none that is part of another.
            assert keywords <= said
            assert not said or max(map(len, said)) == max(map(len, keywords))
