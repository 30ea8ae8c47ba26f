"""Text from outside: safe to store and show, the words as they were said."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lianxin.kernel.text import clean_text, mask_phone, only_blacked_out, phone_normalise, small_number, to_half_width

HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x07\r\n\t\x85\u2028\u202e\u2066\u200b\ufeff\U000e0041e\u0301 　")),
    max_size=80,
)


@given(HOSTILE, st.booleans(), st.integers(1, 60))
@example("e" + "\u0301" * 3, True, 1)
def test_what_comes_out_can_be_stored_and_comes_out_again(value: str, multiline: bool, length: int) -> None:
    cleaned = clean_text(value, max_length=length, multiline=multiline)
    assert clean_text(cleaned, max_length=length, multiline=multiline) == cleaned
    assert len(cleaned) <= length
    assert cleaned == cleaned.strip()
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode()
    allowed = "\n\t" if multiline else ""
    assert not [char for char in cleaned if unicodedata.category(char) in ("Cc", "Cs") and char not in allowed]
    assert not [char for char in cleaned if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF")]


@given(st.text(st.sampled_from("路灯坏了，。！abc 123😀"), max_size=60))
def test_plain_words_are_not_touched(value: str) -> None:
    assert clean_text(value, max_length=60, multiline=True) == value.strip()


@pytest.mark.parametrize(
    ("value", "multiline", "cleaned"),
    [
        ("一\r\n二\r三\u2028四\x85五", True, "一\n二\n三\n四\n五"),
        ("一\r\n二\t 三", False, "一 二 三"),
        ("路\x00灯\u202e坏\u2066了\u061c", True, "路灯坏了"),
        ("Cafe\u0301", True, "Café"),
        ("👩\u200d👧", True, "👩\u200d👧"),
        ("<script>alert(1)</script>", True, "<script>alert(1)</script>"),
        ("  \u3000 ", True, ""),
        ("一\ud800二", True, "一二"),
    ],
)
def test_what_goes_and_what_stays(value: str, multiline: bool, cleaned: str) -> None:
    assert clean_text(value, max_length=100, multiline=multiline) == cleaned


def test_what_is_too_long_is_cut_and_can_be_noticed() -> None:
    assert clean_text("一二三四", max_length=3, multiline=False) == "一二三"
    assert len(clean_text("一" * 20_000, max_length=10_001, multiline=True)) == 10_001


@pytest.mark.parametrize(
    ("said", "phone"),
    [
        ("13812342201", "13812342201"),
        ("138 1234 2201", "13812342201"),
        ("１３８－１２３４－２２０１", "13812342201"),
        ("+86 138-1234-2201", "13812342201"),
        ("（+86）13812342201", "13812342201"),
        ("0086 13812342201", "13812342201"),
        ("8613812342201", "13812342201"),
        ("0730-8812345", "07308812345"),
        ("(0730) 8812345 转 801", "07308812345"),
        ("0730-8812345 ext. 801", "07308812345"),
        ("+1 617 635 4500", "+16176354500"),
        ("12345", "12345"),
        ("没有电话", ""),
        ("+", ""),
        ("٠١٢٣", ""),
        ("", ""),
    ],
)
def test_telephone_numbers(said: str, phone: str) -> None:
    assert phone_normalise(said) == phone
    assert phone_normalise(phone) == phone


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812342201", "138****2201"), ("07308812345", "073****2345"), ("+16176354500", "+16****4500"),
        ("8812345", "8****45"), ("12345", "*****"), ("110", "***"), ("", ""),
    ],
)
def test_masked_numbers(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@given(st.text(st.sampled_from("0123456789"), max_size=20))
def test_four_digits_at_least_are_hidden(phone: str) -> None:
    shown = mask_phone(phone).replace("*", "")
    assert len(phone) - len(shown) >= min(4, len(phone))


@given(st.text(max_size=40))
def test_half_width_of_half_width_is_itself(value: str) -> None:
    assert to_half_width(to_half_width(value)) == to_half_width(value)
    assert len(to_half_width(value)) == len(value)


def test_half_width() -> None:
    assert to_half_width("ＡＢｃ０１９－　（路灯）。") == "ABc019- (路灯)。"


@pytest.mark.parametrize(("text", "number"), [
    ("0", 0), ("12345678", 12345678), ("123456789", None), ("", None), ("-1", None), ("\u00b2", None), ("\u0663", None), ("1.5", None)])
def test_a_small_number_is_plain_digits(text: str, number: int | None) -> None:
    assert small_number(text) == number


@given(st.text(st.sampled_from("ab\n■换灯"), max_size=12), st.data())
def test_blacking_out_is_told_from_rewriting(words: str, data: st.DataObject) -> None:
    """Whatever stretches go black, in whatever length; and whatever else is done to the words is seen."""
    made, at = "", 0
    while at < len(words):
        length = data.draw(st.integers(0, 3))
        made += "■" * data.draw(st.integers(1, 4)) if length else words[at]
        at += length or 1
    assert only_blacked_out(words, made)
    assert not only_blacked_out(words, made + "x")
    assert not only_blacked_out(words, "x" + made)
    for place, character in enumerate(made):
        assert not only_blacked_out(words, made[:place] + "x" + made[place + (character != "■") :])


@pytest.mark.parametrize(("said", "so"), [
    ("张三来过", True), ("■■来过", True), ("■来过", True), ("■■■■■来过", True), ("张三■■", True), ("■", True), ("张■来■", True),
    ("", False), ("张三来", False), ("张三没来过", False), ("来过张三", False), ("■张三来过", False), ("张三来过■", False),
    ("张三■来过", False), ("李四来过", False), ("■过来", False)])
def test_what_counts_as_blacked_out(said: str, so: bool) -> None:
    assert only_blacked_out("张三来过", said) is so
