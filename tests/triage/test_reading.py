"""A message read by model and rules together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lianxin.cases.models import Category
from lianxin.triage import store
from lianxin.triage.classify.pooled import pool
from lianxin.triage.classify.pooling import Pooling
from lianxin.triage.reading import heard, several
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "路灯不亮，楼下工地半夜还在打桩。"
PLAIN = ((1.0, 0.0),) * 3  # a share is worth what it says


@dataclass
class Said:
    """Stands for a message that a model read."""

    chances: Any
    spoken: list[list[str]]

    def words(self, at: int) -> tuple[str, ...]:
        return tuple(self.spoken[at])


@dataclass
class Taught:
    """Stands for a trained model: it says what it was told to."""

    says: list[tuple[str, float, list[str]]]
    pooling: Pooling | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label, _chance, _words in self.says)

    def weigh(self, _title: str, _detail: str) -> Said:
        return Said(np.array([chance for _label, chance, _words in self.says]), [words for _label, _chance, words in self.says])


@pytest.fixture
def rules(world: World) -> World:
    for code, words in (("010101", {"路灯": 2, "不亮": 1}), ("010102", {"打桩": 3, "工地": 2})):
        Category.objects.filter(code=code).update(keywords=words)
    return world


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Any:
    def teach(*says: tuple[str, float, list[str]], pooling: Pooling | None = None) -> None:
        monkeypatch.setattr(store, "in_force", lambda: (None, Taught(list(says), pooling)))
    return teach


def test_without_a_model_the_rules_read(rules: World) -> None:
    made = heard(WORDS)
    assert (made.model, [one.code for one in made.found]) == (None, ["010102", "010101"])


def test_where_the_rules_count_nothing_the_model_says_how_sure_it_is(rules: World, taught: Any) -> None:
    taught(("010101", 0.91, ["坏"]), ("010102", 0.09, ["打桩"]), pooling=Pooling(1.0, 0.0, PLAIN))
    made = heard(WORDS)
    assert [(one.code, round(one.score, 6)) for one in made.found] == [("010101", 0.91), ("010102", 0.09)]
    assert made.first is not None
    assert made.first.code == "010101"


def test_both_beliefs_count_and_so_do_the_words_of_both(rules: World, taught: Any) -> None:
    says = ("010101", 0.5, ["坏了"]), ("010102", 0.5, ["睡不着"])
    taught(*says, pooling=Pooling(1.0, 1.0, PLAIN))
    first = heard("工地打桩").found[0]
    assert (first.code, first.words) == ("010102", ("工地", "打桩", "睡不着"))
    assert first.score > 0.5
    taught(("010101", 0.999, ["坏了"]), ("010102", 0.001, []), pooling=Pooling(1.0, 1.0, PLAIN))
    assert heard("工地打桩").found[0].code == "010101"


def test_what_is_shown_is_what_the_rank_is_worth(rules: World, taught: Any) -> None:
    taught(("010101", 0.91, []), ("010102", 0.09, []), pooling=Pooling(1.0, 0.0, ((0.0, 0.0), (0.0, 5.0), (1.0, 0.0))))
    made = heard(WORDS)
    assert [(one.code, one.score) for one in made.found] == [("010101", 0.5), ("010102", 0.5)]  # the second never above the first


def test_without_a_heading_what_is_shown_is_what_that_is_worth(rules: World, taught: Any) -> None:
    """The same belief, less sure: words without a heading hold less."""
    pooling = Pooling(1.0, 0.0, PLAIN, bare=Pooling(1.0, 0.0, ((0.0, 0.0), *PLAIN[1:])))
    taught(("010101", 0.91, []), ("010102", 0.09, []), pooling=pooling)
    assert heard(WORDS, "路灯").found[0].score == pytest.approx(0.91)
    assert heard(WORDS, " ").found[0].score == heard(WORDS).found[0].score == 0.5
    assert Pooling.of(pooling.as_json()) == pooling


def test_below_the_citys_threshold_nothing_is_filled_in(rules: World, taught: Any, settings: Any) -> None:
    taught(("010101", 0.6, []), ("010102", 0.4, []), pooling=Pooling(1.0, 0.0, PLAIN))
    settings.LIANXIN_TRIAGE_SURE = 0.7
    made = heard(WORDS)
    assert made.abstains
    assert made.first is None
    assert len(made.found) == 2


def test_a_model_that_knows_the_top_leaves_the_leaf_to_the_rules(rules: World, taught: Any) -> None:
    taught(("01", 0.8, ["工地"]))
    made = heard(WORDS)
    assert {one.code for one in made.found} == {"010101", "010102"}
    assert sum(one.score for one in made.found) == pytest.approx(0.8)
    assert made.found[0].code == "010102"


def test_a_label_may_be_a_name(rules: World, taught: Any) -> None:
    name = Category.objects.get(code="010101").name
    taught((name, 0.9, []), pooling=Pooling(1.0, 0.0, PLAIN))
    found = heard(WORDS).found
    assert found[0].code == "010101"


def test_what_was_never_taught_is_the_rules_own(rules: World, taught: Any) -> None:
    taught(("010101", 0.3, []))
    found = heard(WORDS).found
    assert {one.code for one in found} == {"010101", "010102"}


def test_a_label_the_city_has_not_is_left_out(rules: World, taught: Any) -> None:
    taught(("外星事务", 0.99, []))
    assert [one.code for one in heard(WORDS).found] == ["010102", "010101"]


class ByWord:
    """Stands for a model that is sure where it knows a word."""

    labels = ("010101", "010102")
    pooling = Pooling(1.0, 0.0, PLAIN)

    def weigh(self, _title: str, detail: str) -> Said:
        lamps, noise = detail.count("路灯"), detail.count("打桩")
        total = lamps + noise or 1
        return Said(np.array([lamps / total, noise / total]), [["路灯"], ["打桩"]])


def test_two_matters_in_one_message(rules: World, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "花园社区的路灯坏了好几天没有人管。另外，楼下工地半夜打桩吵得睡不着。"
    assert several(words) == ()  # the rules do not split
    monkeypatch.setattr(store, "in_force", lambda: (None, ByWord()))
    assert several(words) == (("花园社区的路灯坏了好几天没有人管。", "路灯"), ("另外，楼下工地半夜打桩吵得睡不着。", "施工噪声"))
    assert several("花园社区的路灯坏了好几天没有人管。另外路灯杆也歪了，路灯线垂下来。") == ()


def test_a_categorys_own_name_is_read(rules: World) -> None:
    Category.objects.filter(code="010103").update(name="供水咨询")
    (found,) = [one for one in heard("想问供水的事").found if one.code == "010103"]
    assert found.words == ("供水",)


def test_fitted_weights_follow_the_expert_who_is_right() -> None:
    drawn = np.random.default_rng(0)
    truth = drawn.integers(0, 4, 400)
    right, noise = np.eye(4)[truth], drawn.random((400, 4))
    made = pool(noise / noise.sum(axis=1, keepdims=True), 2 * right, truth)
    assert made.rules > 5 * made.model
    assert made.told([made.shares(np.full(4, 0.25), np.array([2.0, 0, 0, 0])).max()])[0] > 0.9
    made = pool(0.9 * right + 0.025, noise, truth)
    assert made.model > 3 * made.rules
    assert Pooling.of(made.as_json()) == made
    for wrong in ({"ranks": [[1, 0]]}, {"model": -1.0}, {"rules": float("nan")}):
        with pytest.raises(ValueError, match="pooling"):
            Pooling.of({**made.as_json(), **wrong})
