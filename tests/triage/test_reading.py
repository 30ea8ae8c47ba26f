"""A message read by model and rules together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from lianxin.cases.models import Category
from lianxin.triage import store
from lianxin.triage.reading import heard, several
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "路灯不亮，楼下工地半夜还在打桩。"


@dataclass
class Guess:
    label: str
    probability: float
    words: list[str] = field(default_factory=list)


@dataclass
class Taught:
    """Stands for a trained model: it says what it was told to."""

    says: list[Guess]

    @property
    def labels(self) -> list[str]:
        return [guess.label for guess in self.says]

    def read(self, _title: str, _detail: str) -> Taught:
        return self

    @property
    def guesses(self) -> list[Guess]:
        return self.says


@pytest.fixture
def rules(world: World) -> World:
    for code, words in (("010101", {"路灯": 2, "不亮": 1}), ("010102", {"打桩": 3, "工地": 2})):
        Category.objects.filter(code=code).update(keywords=words)
    return world


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Any:
    def teach(*says: tuple[str, float, list[str]]) -> None:
        monkeypatch.setattr(store, "in_force", lambda: (None, Taught([Guess(*one) for one in says])))
    return teach


def test_without_a_model_the_rules_read(rules: World) -> None:
    made = heard(WORDS)
    assert (made.model, [one.code for one in made.found]) == (None, ["010102", "010101"])


def test_a_model_that_knows_the_leaves_says_how_sure_it_is(rules: World, taught: Any) -> None:
    taught(("010101", 0.91, ["路灯"]), ("010102", 0.09, ["打桩"]))
    made = heard(WORDS)
    assert [(one.code, one.score, one.words) for one in made.found] == [("010101", 0.91, ("路灯",)), ("010102", 0.09, ("打桩",))]
    assert made.first is not None
    assert made.first.code == "010101"


def test_below_the_citys_threshold_nothing_is_filled_in(rules: World, taught: Any, settings: Any) -> None:
    taught(("010101", 0.6, []), ("010102", 0.4, []))
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
    taught((name, 0.9, []))
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

    def read(self, _title: str, detail: str) -> Taught:
        lamps, noise = detail.count("路灯"), detail.count("打桩")
        total = lamps + noise or 1
        return Taught(sorted([Guess("010101", lamps / total, ["路灯"]), Guess("010102", noise / total, ["打桩"])],
                             key=lambda guess: -guess.probability))


def test_two_matters_in_one_message(rules: World, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "花园社区的路灯坏了好几天没有人管。另外，楼下工地半夜打桩吵得睡不着。"
    assert several(words) == ()  # the rules do not split
    monkeypatch.setattr(store, "in_force", lambda: (None, ByWord()))
    assert several(words) == (("花园社区的路灯坏了好几天没有人管。", "路灯"), ("另外，楼下工地半夜打桩吵得睡不着。", "施工噪声"))
    assert several("花园社区的路灯坏了好几天没有人管。另外路灯杆也歪了，路灯线垂下来。") == ()
