"""How alike two texts are: bounds and symmetry, letters of one hand, other words for one trouble; and the labelled pairs."""

from __future__ import annotations

import csv
import json
import math
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import OutputWrapper
from hypothesis import given
from hypothesis import strategies as st

from lianxin.cases import likeness
from lianxin.cases.likeness import EVEN, Factors, Rarity, Text, features, places_shared, score, shared_words
from lianxin.kernel.errors import Invalid
from lianxin.triage.parts import measure_pairs

PAIRS = Path(__file__).parent / "data" / "pairs.csv"
SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
STREAM = SHARED / "requests" / "stream.csv.gz"
CHINESE = st.text(alphabet="停水电路灯坏了没人管小区花园大道垃圾噪音施工夜间三天严重 ，。A3区", max_size=120)


def text(words: str, title: str = "", rarity: Rarity = EVEN) -> Text:
    return Text.of(words, title=title, rarity=rarity)


@given(CHINESE, CHINESE)
def test_between_nothing_and_one_and_the_same_both_ways(first: str, second: str) -> None:
    a, b = text(first), text(second)
    assert 0 <= score(a, b) <= 1
    assert score(a, b) == pytest.approx(score(b, a))
    assert all(0 <= value <= 1 + 1e-9 for value in features(a, b))
    assert all(word in a.body and word in b.body for word in shared_words(a, b))


@given(CHINESE)
def test_a_text_is_most_like_itself(words: str) -> None:
    one = text(words)
    assert score(one, one) >= score(one, text("王家河水质"))


@given(CHINESE, CHINESE, st.booleans())
def test_what_is_set_aside_unread_is_never_alike(first: str, second: str, common: bool) -> None:
    """The quick bound is none below the score, and says "nothing in common" only where there is nothing."""
    rarity = Rarity({"停水": 0.2, "小区": 0.5, "大道": 0.1, "严重": 0.3}) if common else EVEN
    a, b = text(first, rarity=rarity), text(second, "施工噪音", rarity=rarity)
    bound = likeness.at_most(a, b)
    if bound == -math.inf:
        assert shared_words(a, b) == ()
    else:
        assert bound + likeness.FACTORS.places * features(a, b).places >= likeness.logit(a, b)


@pytest.mark.parametrize("said", ["三天", "好几天", "十几个小时", "两个多小时", "半夜", "十点半", "七点多", "24小时", "两个星期"])
def test_how_long_and_at_what_time_is_no_word_in_common(said: str) -> None:
    both = text(f"电梯坏了{said}"), text(f"没有自来水{said}了")
    assert shared_words(*both) == ()


@pytest.mark.parametrize("said", ["三栋", "八个月", "三年级", "第五中学", "409路"])
def test_other_numbers_say_something(said: str) -> None:
    assert shared_words(text(f"电梯坏在{said}"), text(f"停水，{said}")) == (said,)


def test_one_trouble_in_other_words_at_one_place_against_a_letter_with_another_place() -> None:
    first = text("翠湖花园旁边新开的搅拌站整夜施工，灰尘很大，噪音吵得睡不着。", "翠湖花园旁建搅拌站")
    other_words = text("晚上机器一直响，粉尘飘到家里，翠湖花园的老人孩子受不了这个搅拌站。", "搅拌站扰民，翠湖花园业主投诉")
    letter = text("金鹏公寓旁边新开的搅拌站整夜施工，灰尘很大，噪音吵得睡不着。", "金鹏公寓旁建搅拌站")
    elsewhere = text("翠湖花园的电梯坏了，物业不修。", "翠湖花园电梯坏了")
    assert score(first, other_words) > score(first, elsewhere)
    assert places_shared(first, other_words) == 1
    assert (places_shared(first, letter) or 0) < 0.5
    assert shared_words(first, other_words)[0] in ("搅拌站", "翠湖花园")


def test_what_everybody_writes_says_nothing() -> None:
    assert shared_words(text("尊敬的领导，您好，希望尽快处理。"), text("您好领导，请尽快处理，谢谢。")) == ()


def test_the_rare_weighs_more_than_the_common() -> None:
    rarity = Rarity.of(["噪音扰民", "噪音太大", "噪音投诉", "搅拌站噪音"])
    assert rarity.weight("噪音") < rarity.weight("搅拌") < rarity.weight("龘龘") + 1e-9
    common = score(text("噪音。甲乙", rarity=rarity), text("噪音。丙丁", rarity=rarity))
    rare = score(text("搅拌。甲乙", rarity=rarity), text("搅拌。丙丁", rarity=rarity))
    assert rare > common


def test_names_of_the_area_a_case_lies_in_are_left_out() -> None:
    both = [Text.of(words, names=["花园社区"]) for words in ("花园社区停水", "花园社区修路")]
    assert shared_words(*both) == ()


def test_empty_words_are_like_nothing() -> None:
    assert score(text(""), text("")) < 0.1
    assert shared_words(text(""), text("停水")) == ()


def test_pairs_are_labelled_twice_in_two_halves_that_share_no_message() -> None:
    pairs = measure_pairs.read_pairs(PAIRS)
    assert len(pairs) >= 500
    assert len({frozenset((one.first, one.second)) for one in pairs}) == len(pairs)
    halves = {half: {m for one in pairs if one.half == half for m in (one.first, one.second)} for half in ("tune", "test")}
    assert halves["tune"].isdisjoint(halves["test"])
    assert all(one.same in one.passes for one in pairs)
    assert {one.chosen for one in pairs} == {"words", "place", "trouble", "random"}
    agreed, kappa = measure_pairs.kappa(pairs)
    assert agreed > 0.9
    assert kappa > 0.8


def test_no_sentence_stands_in_the_labels() -> None:
    with PAIRS.open(encoding="utf-8") as file:
        assert all(cell.isascii() for row in csv.reader(file) for cell in row)


def test_kappa_by_hand() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreement 0.7, chance 0.5, κ 0.4."""
    marks = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    pairs = [measure_pairs.Pair(str(n), str(-n), "test", "words", mark, mark[0]) for n, mark in enumerate(marks, 1)]
    agreed, kappa = measure_pairs.kappa(pairs)
    assert agreed == pytest.approx(0.7)
    assert kappa == pytest.approx(0.4)


def _files(tmp_path: Path, labels: str) -> dict[str, Any]:
    messages = tmp_path / "messages.csv"
    messages.write_text("id,title,detail\n1,翠湖花园停水,停水三天\n2,翠湖花园又停水,没有水\n"
                        "3,巴陵大道修路,堵车\n4,巴陵大道堵车,修路\n", encoding="utf-8")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("first,second,chosen,half,pass_1,pass_2,same\n" + labels, encoding="utf-8")
    return {"file": messages, "pairs": pairs, "fit": False, "wrong": True, "json": True}


def test_the_command_counts(tmp_path: Path) -> None:
    out = StringIO()
    measure_pairs.run(_files(tmp_path, "1,2,words,tune,1,1,1\n1,3,random,tune,0,0,0\n3,4,words,test,1,1,1\n2,4,random,test,0,0,0\n"),
                      OutputWrapper(out))
    told = json.loads(out.getvalue())
    assert told["pairs"] == 4
    assert told["kappa"] == 1
    assert set(told["test"]) == {"pairs", "same", "precision", "recall", "f1"}
    low, high = told["test"]["f1"]["interval"]
    assert low <= told["test"]["f1"]["value"] <= high


@pytest.mark.parametrize(("labels", "said"), [
    ("1,2,words,both,1,1,1\n", "2"), ("1,2,words,tune,1,1,2\n", "2"), ("1,9,words,tune,1,1,1\n3,4,words,test,1,1,1\n", "9"),
    ("1,2,words,tune,1,1,1\n", "test"),
])
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, labels: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        measure_pairs.run(_files(tmp_path, labels), OutputWrapper(StringIO()))


def test_no_file_and_missing_columns_are_refused(tmp_path: Path) -> None:
    options = _files(tmp_path, "")
    with pytest.raises(Invalid):
        measure_pairs.run(options | {"file": tmp_path / "none.csv"}, OutputWrapper(StringIO()))
    (tmp_path / "half.csv").write_text("id,title\n", encoding="utf-8")
    with pytest.raises(Invalid, match="detail"):
        measure_pairs.read_messages(tmp_path / "half.csv")


@pytest.mark.skipif(not STREAM.exists(), reason=f"no messages in {STREAM} (LIANXIN_SHARED_DATA)")
def test_the_factors_are_those_the_command_learns_and_are_as_good_as_the_docs_say() -> None:
    pairs = measure_pairs.read_pairs(PAIRS)
    rows = measure_pairs._looked_at(pairs, measure_pairs.read_messages(STREAM))
    tune = [n for n, one in enumerate(pairs) if one.half == "tune"]
    learnt = measure_pairs.fitted([rows[n] for n in tune], [pairs[n].same for n in tune])
    assert learnt == pytest.approx(Factors(*likeness.FACTORS), abs=0.05)
    scores = [likeness.pressed(sum(a * b for a, b in zip(likeness.FACTORS, row, strict=True))) for row in rows]
    test = measure_pairs.counted(pairs, scores, [n for n, one in enumerate(pairs) if one.half == "test"])
    assert test.f1 >= 0.85
    assert test.precision >= 0.85
