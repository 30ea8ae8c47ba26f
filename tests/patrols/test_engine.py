"""Which questions are asked, whether answers fit, and what may be reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.patrols import engine
from tests.patrols.made import GOOD, form_of

FORM = form_of().definition
BLOCKED: dict[str, Any] = {"clear": "no", "by": ["goods"], "photo": 1, "missing": 0}

# Answers → what is wrong with them.
WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    (GOOD, {}), (BLOCKED, {}), ({**GOOD, "note": "写几句"}, {}), ({**GOOD, "width": 1.25}, {}), ({**GOOD, "missing": 3, "rack": 1}, {}),
    ({**BLOCKED, "by": ["bikes", "goods"], "width": 2}, {}),
    ({}, {"clear": "missing", "missing": "missing"}),
    ({"clear": "", "missing": None}, {"clear": "missing", "missing": "missing"}),
    ({"clear": "no", "missing": 0}, {"by": "missing", "photo": "missing"}),
    ({**GOOD, "by": ["goods"]}, {"by": "not_asked"}),
    ({**GOOD, "by": []}, {}),
    ({**GOOD, "rack": 1}, {"rack": "not_asked"}),
    ({**GOOD, "clear": "maybe"}, {"clear": "bad"}),
    ({**GOOD, "clear": ["yes"]}, {"clear": "bad"}), ({**GOOD, "clear": True}, {"clear": "bad"}),
    ({**BLOCKED, "by": "goods"}, {"by": "bad"}), ({**BLOCKED, "by": ["goods", "goods"]}, {"by": "bad"}),
    ({**BLOCKED, "by": ["nothing"]}, {"by": "bad"}), ({**BLOCKED, "photo": "1"}, {"photo": "bad"}),
    ({**BLOCKED, "photo": 0}, {"photo": "bad"}),
    ({**BLOCKED, "photo": 13}, {"photo": "bad"}),
    ({**GOOD, "missing": 51}, {"missing": "bad"}), ({**GOOD, "missing": -1}, {"missing": "bad"}),
    ({**GOOD, "missing": 1.5}, {"missing": "bad"}),
    ({**GOOD, "missing": "1"}, {"missing": "bad"}), ({**GOOD, "missing": True}, {"missing": "bad"}), ({**GOOD, "missing": 2.0}, {}),
    ({**GOOD, "width": 0}, {"width": "bad"}), ({**GOOD, "width": 20}, {"width": "bad"}), ({**GOOD, "width": 10**400}, {"width": "bad"}),
    ({**GOOD, "note": "字" * 501}, {"note": "bad"}), ({**GOOD, "note": 5}, {"note": "bad"}), ({**GOOD, "note": {}}, {"note": "bad"}),
    ({**GOOD, "thanks": "x"}, {"thanks": "unknown"}), ({**GOOD, "blocked": ""}, {"blocked": "unknown"}),
    ({**GOOD, "other": 1}, {"other": "unknown"}), ({**GOOD, "constructor": "x"}, {"constructor": "unknown"}),
]


@pytest.mark.parametrize(("answers", "wrong"), WRONG)
def test_what_is_wrong(answers: dict[str, Any], wrong: dict[str, str]) -> None:
    assert engine.faults(FORM, answers) == wrong


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_is_finite(value: float) -> None:
    assert engine.faults(FORM, {**GOOD, "width": value}) == {"width": "bad"}


def test_what_is_hidden_says_nothing_further_down() -> None:
    """`by` was answered while the way was blocked; then it was not, and `width` is asked because it is clear."""
    asked = {question["name"] for question, shown in engine.asked(FORM, {"clear": "yes", "by": ["bikes"]}) if shown}
    assert asked == {"clear", "missing", "width", "thanks", "note"}
    asked = {question["name"] for question, shown in engine.asked(FORM, {"by": ["bikes"]}) if shown}
    assert asked == {"clear", "missing", "thanks", "note"}


def test_what_is_kept_and_what_may_be_reported() -> None:
    said = {**BLOCKED, "note": "", "width": None, "missing": 12, "rack": 2}
    assert engine.kept(FORM, said) == {"clear": "no", "by": ["goods"], "photo": 1, "missing": 12, "rack": 2}
    assert engine.photos(FORM, said) == {"photo": 1, "rack": 2}
    assert [rule["name"] for rule in engine.offers(FORM, said)] == ["way_blocked", "none_left"]
    assert engine.offers(FORM, GOOD) == []


def test_words_are_made_safe() -> None:
    said = engine.cleaned(FORM, {"note": " \x00一\u202e二\r\n三 ", "clear": " yes"})
    assert said == {"note": "一二\n三", "clear": " yes"}, "a choice is one of those offered, or none"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["yes", "no", "goods", "bikes"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4)
NAMES = st.sampled_from([question["name"] for question in FORM["questions"]]) | st.text(max_size=8)


@given(st.dictionaries(NAMES, ANYTHING, max_size=8))
def test_whatever_is_sent_is_judged(answers: dict[str, Any]) -> None:
    """No answer breaks the engine; what is kept of answers without fault fits by itself, and is the same when kept again."""
    faults = engine.faults(FORM, answers)
    held = engine.kept(FORM, answers)
    assert faults.keys() <= answers.keys() | {question["name"] for question in FORM["questions"]}
    if not faults:
        assert engine.faults(FORM, held) == {}
    assert engine.kept(FORM, held) == held
    engine.offers(FORM, answers)
