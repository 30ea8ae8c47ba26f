"""Conditions as schemas mean what XPath means by them: tried against a reading of its own, written after XPath 1.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.patrols.engine import fits
from lianxin.patrols.expressions import Asked, compile_condition

QUESTIONS = {"n": Asked("number"), "t": Asked("text"), "c": Asked("one", frozenset("ab")), "m": Asked("many", frozenset("xyz")),
             "p": Asked("photo")}
Answers = Mapping[str, Any]

TABLE = [
    ("${c} = 'a'", {"c": "a"}, True), ("${c} = 'a'", {"c": "b"}, False), ("${c} = 'a'", {}, False),
    ("'a' = ${c}", {"c": "a"}, True), ('${c} != "a"', {"c": "b"}, True), ("${c} != 'a'", {}, True),
    ("${n} > 3", {"n": 4}, True), ("${n} > 3", {"n": 3}, False), ("${n} > 3", {}, False), ("3 < ${n}", {"n": 4}, True),
    ("3 >= ${n}", {"n": 3}, True), ("3>=${n}", {"n": 4}, False), ("${n} >= -2.5", {"n": -2.5}, True),
    ("${n} = 3", {"n": 3.0}, True), ("${n} != 3", {}, True), ("${n} <= 3", {}, False),
    ("${n} = ''", {}, True), ("${n} = ''", {"n": 0}, False), ("${n} != ''", {"n": 0}, True), ("${p} != ''", {"p": 1}, True),
    ("selected(${m}, 'x')", {"m": ["y", "x"]}, True), ("selected(${m}, 'x')", {"m": ["y"]}, False), ("selected(${m}, 'x')", {}, False),
    ("selected(${c}, 'a')", {"c": "a"}, True), ("not(selected(${m}, 'x'))", {}, True),
    ("string-length(${t}) > 2", {"t": "三个字"}, True), ("string-length(${t}) <= 2", {"t": "三个字"}, False),
    ("string-length(${t}) = 1", {"t": "𠀀"}, True), ("${t} = 'it''s'".replace("''", ""), {"t": "its"}, True),
    ("${c} = 'a' and ${n} > 1 or ${t} = 'z'", {"t": "z"}, True), ("${c} = 'a' and (${n} > 1 or ${t} = 'z')", {"t": "z"}, False),
    ("not(${c} = 'a') and not(${n} > 1)", {}, True), ("  ( ( ${c}='a' ) )  ", {"c": "a"}, True),
]


@pytest.mark.parametrize(("text", "answers", "holds"), TABLE)
def test_what_a_condition_says(text: str, answers: Answers, holds: bool) -> None:
    assert fits(compile_condition(text, QUESTIONS), dict(answers)) is holds


@pytest.mark.parametrize("text", [
    "", "${c}", "${c} =", "= 'a'", "${c} = a", "${c} == 'a'", "${c} = ${t}", "1 = 1", "'a' = 'a'", "${x} = 1", "${c} = 'q'", "${n} = 'a'",
    "${n} > 'a'", "${t} > 3", "${t} = 3", "${m} = 'x'", "${m} > 1", "selected(${n}, 'x')", "selected(${m}, x)", "selected('x', ${m})",
    "selected(${m}, 'q')", "selected(${m})", "not ${c} = 'a'", "not(${c} = 'a'", "(${c} = 'a'", "${c} = 'a')", "${c} = 'a' and",
    "${c} = 'a' or or ${c} = 'b'", "string-length(${n}) > 1", "string-length(${t}) > 1.5", "string-length(${t}) < 0",
    "string-length('a') > 1",
    "${p} = 'a'", "${p} = 1", ". > 3", "regex(${t}, 'x')", "${t} = 'x", "${c} = 'a'; 1", "/data/c = 'a'", "${c} = \"a'", "count(${m}) > 1",
    "not(" * 30 + "${c} = 'a'" + ")" * 30, "(" * 5000, "today() > 3", "${n} + 1 > 3", "-${n} > 1", "${c}='a'and${c}='b'x",
])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        compile_condition(text, QUESTIONS)


def test_a_constraint_speaks_of_its_own_answer() -> None:
    schema = compile_condition(". >= 0 and . <= 50", {}, own=QUESTIONS["n"])
    assert [fits(schema, value) for value in (-1, 0, 50, 51)] == [False, True, True, False]
    for text in ("${n} > 1", ". = ''", "selected(., 'x')"):
        with pytest.raises(ValueError):
            compile_condition(text, QUESTIONS, own=QUESTIONS["n"])


@dataclass(frozen=True)
class Node:
    """A condition written down and what it means."""

    text: str
    means: Any


def _comparisons() -> st.SearchStrategy[Node]:
    numbers = st.builds(
        lambda sign, value, turned: Node(f"{value} {sign} ${{n}}" if turned else f"${{n}} {sign} {value}",
                                         lambda a, s=sign, v=value, t=turned: _compare(a.get("n"), s, v, t)),
        st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.integers(-3, 3), st.booleans())
    texts = st.builds(lambda name, sign, value: Node(f"${{{name}}} {sign} '{value}'", lambda a, n=name, s=sign, v=value:
                                                     (a.get(n, "") == v) == (s == "=")),
                      st.sampled_from("c"), st.sampled_from(["=", "!="]), st.sampled_from("ab"))
    chosen = st.builds(lambda value: Node(f"selected(${{m}}, '{value}')", lambda a, v=value: v in a.get("m", [])), st.sampled_from("xyz"))
    empty = st.builds(lambda name, sign: Node(f"${{{name}}} {sign} ''", lambda a, n=name, s=sign: (n not in a) == (s == "=")),
                      st.sampled_from("ntcm"), st.sampled_from(["=", "!="]))
    return st.one_of(numbers, texts, chosen, empty)


def _compare(held: Any, sign: str, value: int, turned: bool) -> bool:
    """XPath 1.0, 3.4: an empty text as a number is NaN, which is unequal to everything and less or greater than nothing."""
    if held is None:
        return sign == "!="
    left, right = (value, held) if turned else (held, value)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "=": left == right, "!=": left != right}[sign]


CONDITIONS = st.recursive(_comparisons(), lambda inner: st.one_of(
    st.builds(lambda a, b: Node(f"({a.text}) and ({b.text})", lambda x, p=a, q=b: p.means(x) and q.means(x)), inner, inner),
    st.builds(lambda a, b: Node(f"{a.text} or {b.text}", lambda x, p=a, q=b: p.means(x) or q.means(x)), inner, inner),
    st.builds(lambda a: Node(f"not({a.text})", lambda x, p=a: not p.means(x)), inner)), max_leaves=6)
ANSWERS = st.fixed_dictionaries({}, optional={
    "n": st.integers(-4, 4) | st.floats(-4, 4, allow_nan=False),
    "t": st.sampled_from(["", "a", "z"]).filter(bool), "c": st.sampled_from("ab"),
    "m": st.lists(st.sampled_from("xyz"), min_size=1, unique=True)})


@given(CONDITIONS, ANSWERS)
def test_schemas_mean_what_xpath_means(condition: Node, answers: Answers) -> None:
    assert fits(compile_condition(condition.text, QUESTIONS), dict(answers)) is bool(condition.means(answers))
