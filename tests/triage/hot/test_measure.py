"""The measure against counting by hand, and the file of topics that is in the repository."""

from __future__ import annotations

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.kernel.errors import Invalid
from lianxin.triage.hot.measure import agreement, topics

TOPICS = Path(__file__).resolve().parents[1] / "data" / "hot_topics.csv"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25))
def test_pairs_are_counted_as_by_hand(labels: list[tuple[int, int]]) -> None:
    topic = {str(number): f"t{label}" for number, (label, _) in enumerate(labels)}
    clusters = [[str(number) for number, (_, given) in enumerate(labels) if given == cluster] for cluster in range(5)]
    right = said = meant = 0
    for one, other in combinations(range(len(labels)), 2):
        same_topic, same_cluster = labels[one][0] == labels[other][0], labels[one][1] == labels[other][1]
        right += same_topic and same_cluster
        said += same_cluster
        meant += same_topic
    measured = agreement(clusters, topic, draws=20)
    assert measured.precision == pytest.approx(right / said if said else 0)
    assert measured.recall == pytest.approx(right / meant if meant else 0)
    assert measured.interval[0] <= measured.interval[1]


def test_perfect_clusters_and_none() -> None:
    topic = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"}
    assert agreement([["a", "b"], ["c", "d"]], topic).f1 == 1
    assert agreement([], topic).f1 == 0
    assert agreement([["a", "b", "c", "d", "e"]], topic).precision == pytest.approx(0.2)


def test_the_interval_holds_the_figure_when_topics_are_alike() -> None:
    source = random.Random(5)
    topic = {f"{number}": f"t{number // 4}" for number in range(160)}
    clusters = [[f"{number}" for number in range(start, start + 4) if source.random() < 0.8] for start in range(0, 160, 4)]
    measured = agreement(clusters, topic)
    low, high = measured.interval
    assert low < measured.f1 < high
    assert high - low < 0.2


def test_the_hand_made_topics_are_enough_and_hard() -> None:
    halves = topics(TOPICS)
    assert set(halves) == {"tune", "check"}
    for half in halves.values():
        sizes = Counter(half.values())
        assert sum(size > 1 for size in sizes.values()) >= 60
        assert sum(size == 1 for size in sizes.values()) >= 60
    assert not set(halves["tune"].values()) & set(halves["check"].values())


@pytest.mark.parametrize("text", ["id,subject\n1,a\n", "id,topic\n1,a\n1,b\n", ""])
def test_a_faulty_file_of_topics_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "topics.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid):
        topics(path)
