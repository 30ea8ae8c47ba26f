"""Keys in order of time, numbers said on the phone, codes nobody guesses."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.kernel.ids import (
    case_number,
    normalise_case_number,
    normalise_tracking_code,
    tracking_code,
    uuid7,
    uuid7_floor,
    valid_case_number,
)

YEARS, SERIALS = st.integers(2020, 2119), st.integers(1, 10**9)
NUMBERS = st.builds(case_number, YEARS, SERIALS)
KEY = b"k" * 32


def test_keys_are_version_7_and_rise() -> None:
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(set(made))
    assert type(made[0]) is uuid.UUID
    assert {(key.version, key.variant) for key in made} == {(7, uuid.RFC_4122)}


def test_the_floor_is_below_every_key_made_then_and_above_those_before() -> None:
    early = uuid7()
    at = datetime.fromtimestamp((early.int >> 80) / 1000, UTC)
    assert uuid7_floor(at - timedelta(seconds=1)) < early < uuid7_floor(at + timedelta(seconds=1))
    assert uuid7_floor(at).version == 7


@given(st.integers(0, 2**42))
def test_the_floor_keeps_the_millisecond(milliseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    floor = uuid7_floor(at)
    assert floor.int >> 80 == milliseconds
    assert uuid7_floor(at + timedelta(microseconds=999)) == floor
    assert floor.int & ((1 << 80) - 1) == (7 << 76) | (2 << 62)


@given(st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis wants naive bounds
       st.timedeltas(timedelta(0), timedelta(days=400)))
def test_floors_rise_with_time(at: datetime, later: timedelta) -> None:
    if at.year < 9990:
        assert uuid7_floor(at) <= uuid7_floor(at + later)


def test_instants_that_cannot_be_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        uuid7_floor(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="1970"):
        uuid7_floor(datetime(1969, 12, 31, tzinfo=UTC))


def test_how_a_case_number_looks() -> None:
    assert re.fullmatch(r"26-0004217-\d", case_number(2026, 4217))
    assert case_number(2026, 123456789).startswith("26-123456789-")
    assert case_number(2103, 1).startswith("03-0000001-")
    with pytest.raises(ValueError, match="start at 1"):
        case_number(2026, 0)


@given(NUMBERS)
def test_a_number_is_valid_and_normal(number: str) -> None:
    assert valid_case_number(number)
    assert normalise_case_number(number) == number


FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")


@given(NUMBERS, st.sampled_from(["", " ", "  ", "-", "—", "－", "·", "\u3000", "‐", "−", "."]), st.booleans())
def test_however_it_is_typed(number: str, mark: str, wide: bool) -> None:
    said = f" {number.replace('-', mark)}\n"
    assert normalise_case_number(said.translate(FULL_WIDTH) if wide else said) == number


@given(NUMBERS, st.data())
def test_one_wrong_digit_is_noticed(number: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([i for i, char in enumerate(number) if char != "-"]))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not valid_case_number(number[:place] + digit + number[place + 1 :])


@given(NUMBERS, st.data())
def test_two_digits_swapped_are_noticed(number: str, data: st.DataObject) -> None:
    digits = number.replace("-", "")
    place = data.draw(st.integers(0, len(digits) - 2))
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    assert valid_case_number(swapped) == (swapped == digits)


@given(st.one_of(st.text(max_size=30), st.text(st.sampled_from("0123456789- ٣²①Ⅷ"), max_size=30)))
def test_anything_typed_gives_a_number_or_nothing(said: str) -> None:
    number = normalise_case_number(said)
    assert number == "" or re.fullmatch(r"\d{2}-\d{7,17}-\d", number)
    assert number or not valid_case_number(said)


@pytest.mark.parametrize("said", ["", "26", "26-4217-3", "26-0004217", "二六", "٢٦-٠٠٠٤٢١٧-٣", "1" * 400])
def test_what_is_no_number(said: str) -> None:
    assert normalise_case_number(said) == ""
    assert not valid_case_number(said)


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_how_a_tracking_code_looks(case_id: uuid.UUID, key: bytes) -> None:
    code = tracking_code(key, case_id)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code)
    assert tracking_code(key, case_id) == code
    assert normalise_tracking_code(code) == code


@given(st.uuids(), st.sampled_from(["", " ", "-", "—", "－", "\u3000"]), st.booleans(), st.data())
def test_however_a_code_is_typed(case_id: uuid.UUID, mark: str, wide: bool, data: st.DataObject) -> None:
    code = tracking_code(KEY, case_id)
    said = code.replace("-", mark)
    misread = {"0": "0Oo", "1": "1IiLl"}
    said = "".join(data.draw(st.sampled_from(misread.get(char, char + char.lower()))) for char in said)
    if wide:
        said = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in said)
    assert normalise_tracking_code(said) == code


def test_codes_do_not_follow_from_each_other() -> None:
    ids = [uuid7() for _ in range(2000)]
    codes = {tracking_code(KEY, case_id) for case_id in ids}
    assert len(codes) == 2000
    assert codes.isdisjoint({tracking_code(b"x" * 32, case_id) for case_id in ids})
    firsts = {code[0] for code in codes}
    assert len(firsts) == 32


@pytest.mark.parametrize("said", ["", "K7QM3", "K7QM3-9XTP", "K7QM3-9XTPAA", "K7QM3-9XTPU", "路灯路灯路灯路灯路灯"])
def test_what_is_no_code(said: str) -> None:
    assert normalise_tracking_code(said) == ""
