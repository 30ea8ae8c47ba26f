"""Personal data in text. Sentences marked by hand are in `data/personal.csv`: `[kind:…]` around each piece of it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.triage.parts.measure import read_marked, tally
from lianxin.triage.personal import BLACK, KINDS, find, identity_valid, luhn_valid, masked, redacted

LIST = Path(__file__).parent / "data" / "personal.csv"


def pieces(text: str, *, houses: bool = True) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find(text, houses=houses)]


@pytest.mark.parametrize("half", ["tune", "held"])
def test_each_kind_is_found_and_little_else(half: str) -> None:
    sentences = [one for one in read_marked(LIST) if one.half == half]
    counted = tally(sentences)
    assert len(sentences) >= 75
    assert set(counted) == set(KINDS)
    for kind, count in counted.items():
        floor = 0.8 if kind == "name" else 0.95
        assert count.right >= floor * (count.right + count.missed), kind
        assert count.right >= 0.95 * (count.right + count.wrong), kind


@pytest.mark.parametrize("quiet", [
    "工单26-0004217-3", "工单 18-0004217-3", "2026-11-20", "2026年11月20日", "一共1280000元", "面积5432100平方米",
    "拨打12345、110和95598",
    "国办发〔2020〕53号", "发票12345678", "快递SF1234567890123", "统计代码430602006005",
    "本人认为", "我是业主", "联系人没有回复",
    "业主代表",
    "本人怀孕了，", "我是高中生，", "我是岳阳人，", "我叫他不要吵，", "亚于某些毒品", "", "\ud800",
])
def test_numbers_and_words_that_name_nobody_stay(quiet: str) -> None:
    assert pieces(quiet) == []


def test_checks_of_identity_numbers_and_cards() -> None:
    assert identity_valid("430602198503120015")
    assert not identity_valid("430602198503120016")
    assert luhn_valid("6222020200112233446")
    assert not luhn_valid("6222020200112233447")
    assert pieces("6222020200112233447") == []  # fails its check, and nothing says what it is
    assert pieces("卡号6222020200112233447") == [("card", "6222020200112233447")]
    assert pieces("430621700101123") == []  # fifteen digits are an identity number only where that is said
    assert pieces("身份证430621700101123") == [("identity", "430621700101123")]


def test_houses_are_an_option() -> None:
    assert pieces("住3栋2单元501室", houses=False) == []
    assert pieces("住3栋2单元501室") == [("house", "3栋2单元501室")]


def test_the_mask_keeps_the_length_and_the_rest() -> None:
    text = "我叫张建国，电话13873012201，路灯3天不亮"
    black = masked(text)
    assert black == f"我叫{BLACK * 3}，电话{BLACK * 11}，路灯3天不亮"


@pytest.mark.parametrize("private", [
    "13812342201", "138 1234 2201", "+86 138-1234-2201", "0730-8212345", "430602199001011234", "湘F·12345", "湘F12345D",
    "3栋2单元501", "501室", "a.b@example.com", "微信：wang_xm88",
])
def test_what_surely_names_a_person_is_blacked_out(private: str) -> None:
    assert private not in redacted(f"请打{private}联系。")
    assert "路灯 3 天" in redacted(f"路灯 3 天不亮，{private}，2026 年 11 月 20 日起。")


def test_names_given_are_blacked_out() -> None:
    assert "王小明" not in redacted("王小明家门口", names=("王小明",))


ALPHABET = "0123456789一二三零幺-+ X转省京湘FAD·@.a我叫姓名本人联系电话：，微信QQ卡身份证王小明某先生栋单元室号楼■的\n"


@given(st.text(alphabet=ALPHABET, max_size=80), st.booleans())
def test_masking_again_changes_nothing(text: str, houses: bool) -> None:
    once = masked(text, houses=houses)
    assert masked(once, houses=houses) == once
    assert len(once) == len(text)
    assert find(once, houses=houses) == []
    assert all(after in (before, BLACK) for before, after in zip(text, once, strict=True))


@given(st.text(alphabet=ALPHABET, max_size=80))
def test_spans_are_in_order_and_apart(text: str) -> None:
    spans = find(text, houses=True)
    assert all(span.kind in KINDS and 0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= two.start for one, two in pairwise(spans))


def test_marks_of_the_list_are_well_formed() -> None:
    for one in read_marked(LIST):
        assert not re.search(r"[\[\]]", one.text)
        assert all(kind in KINDS for kind, _start, _end in one.spans)
