"""Codes of sites prove their site and no other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.kernel.errors import Invalid
from lianxin.patrols.codes import LENGTH, letters_of, qr_of, site_of
from tests.patrols.made import sites
from tests.world import World

CODES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,39}", fullmatch=True)


@given(CODES, CODES)
def test_letters_are_a_sites_own_and_can_be_read_aloud(one: str, other: str) -> None:
    letters = letters_of(one)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", letters)
    assert (letters == letters_of(other)) is (one == other)
    assert len(one) < 6 or one.upper() not in letters.replace("-", "")
    assert qr_of(one) == f"LX1:{one}:{letters.replace('-', '')}"
    assert len(letters) == LENGTH + 1


@pytest.mark.django_db
def test_a_code_is_read_as_it_is_written_by_hand(world: World) -> None:
    sites(world)
    letters = letters_of("school")
    mistaken = letters.replace("1", "l").replace("0", "o").replace("V", "u").lower()
    for said in (qr_of("school"), letters, f"  {letters} ", letters.replace("-", ""), letters.replace("-", " "), mistaken):
        assert site_of(said).code == "school"


@pytest.mark.django_db
@pytest.mark.parametrize("said", [
    "", "school", "LX1:school:", "LX1::", "LX1:school", "0" * 10, "LX2:school:0000000000", "x" * 500, "一二三四五六七八九十"])
def test_what_is_no_code(world: World, said: str) -> None:
    sites(world)
    with pytest.raises(Invalid):
        site_of(said)


@pytest.mark.django_db
def test_another_keyring_makes_other_codes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a process that holds the letters of before."""
    from lianxin.kernel import crypto

    sites(world)
    before = letters_of("school")
    assert site_of(before).code == "school"
    other = crypto.Keyring.fresh()
    monkeypatch.setattr(crypto, "keyring", lambda: other)
    assert letters_of("school") != before
    with pytest.raises(Invalid):
        site_of(before)
    assert site_of(letters_of("school")).code == "school"
