"""Grams: the same in Python and in PostgreSQL, and every piece of a text is found in it."""

from __future__ import annotations

import unicodedata

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianxin.kernel.bigrams import bigrams, fold

# Characters both engines know the normal form of: PostgreSQL and Python carry different editions of Unicode, and
# what one of them does not know yet it leaves as it is.
KNOWN = st.characters(codec="utf-8", exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\x00").filter(
    lambda char: unicodedata.category(char) != "Cn"
)
SPOKEN = st.text(
    st.one_of(
        st.sampled_from("路灯坏了三号楼夜间施工噪声金鹗山街道花板桥社区，。！？、（）《》“” \n\t"),
        st.sampled_from("ABCxyz0189ＡＢｃ０１９－－_ÉéßΣσİıK①㎡ｶﾞﾊ̈é😀🇨🇳"),
        KNOWN,
    ),
    max_size=120,
)


@pytest.mark.parametrize(
    ("body", "grams"),
    [
        ("", []),
        ("路", []),
        ("路灯", ["路灯"]),
        ("路灯坏了", ["坏了", "灯坏", "路灯"]),
        ("路灯，坏了。", ["坏了", "路灯"]),
        ("路灯路灯", ["灯路", "路灯"]),
        ("3号楼A座", ["3号", "a座", "号楼", "楼a"]),
        ("Bus", ["bu", "us"]),
        ("ＢＵＳ１０", ["10", "bu", "s1", "us"]),
        ("80㎡", ["0m", "80", "m2"]),
        ("a_b", []),
        ("好😀的", []),
        ("一\x00二", []),
        ("\ud800路灯", ["路灯"]),
    ],
)
def test_what_the_grams_of_a_text_are(body: str, grams: list[str]) -> None:
    assert bigrams(body) == sorted(grams)


@given(SPOKEN)
def test_folding_twice_changes_nothing_and_grams_do_not_see_case_or_width(body: str) -> None:
    assert fold(fold(body)) == fold(body)
    assert bigrams(fold(body)) == bigrams(body)


@given(st.text(st.sampled_from("路灯坏了三号楼夜间， abcXYZ0189Ｑ"), max_size=60), st.data())
def test_a_piece_of_a_text_is_found_in_it(body: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    assert set(bigrams(body[start:end])) <= set(bigrams(body))
    assert fold(body[start:end]) in fold(body)


def in_database(body: str) -> tuple[str, list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lianxin_fold(%s), lianxin_bigrams(%s)", [body, body])
        folded, grams = cursor.fetchone()
    return folded, grams


@pytest.mark.django_db
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPOKEN)
def test_the_database_makes_the_same_grams(db: None, body: str) -> None:
    folded, grams = in_database(body)
    assert folded == fold(body)
    assert sorted(set(grams)) == bigrams(body)


@pytest.mark.django_db
def test_every_character_is_a_letter_to_both_or_to_none(db: None) -> None:
    """Each assigned character between two letters either joins them or parts them, here and there alike."""
    skipped = ("Cs", "Cn", "Co")
    chars = [chr(code) for code in range(1, 0x32000) if unicodedata.category(chr(code)) not in skipped]
    for place in range(0, len(chars), 5000):
        body = "。".join(f"一{char}一" for char in chars[place : place + 5000])
        folded, grams = in_database(body)
        assert folded == fold(body)
        assert sorted(set(grams)) == bigrams(body)


@pytest.mark.django_db
def test_the_longest_text_is_quick(db: None) -> None:
    """10,000 characters without one stop: no cost that grows with the square of the length."""
    body = "金鹗山街道花板桥社区夜间施工噪声扰民" * 556
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '500ms'")
        cursor.execute("SELECT cardinality(lianxin_bigrams(%s))", [body])
        assert cursor.fetchone() == (len(body) - 1,)


@pytest.mark.django_db
def test_an_index_may_rest_on_it(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT provolatile, proparallel, proisstrict FROM pg_proc"
            " WHERE proname IN ('lianxin_bigrams', 'lianxin_fold')"
        )
        assert cursor.fetchall() == [("i", "s", True)] * 2
