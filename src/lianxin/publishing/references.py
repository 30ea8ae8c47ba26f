"""A number for the public that says nothing: the case's own serial, scrambled under a key, and back again.

Serials are given in order. Whoever raises two matters of their own knows between which numbers, and so between which minutes, every
other one was raised. The reference is a permutation of fifty bits (seven of the year, forty-three of the serial) by a balanced
Feistel network of eight rounds with HMAC-SHA256 (Luby and Rackoff 1988): two cases never share one, and of all references that could
be written hardly any belongs to a case.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

from lianxin.kernel.crypto import keyring
from lianxin.kernel.ids import case_number, normalise_tracking_code

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32, as in tracking codes
_NUMBER = re.compile(r"(\d{2})-(\d{7,13})-\d")
_HALF = 25
_MASK = (1 << _HALF) - 1
_SERIAL = 43
_ROUNDS = 8


@lru_cache(maxsize=4)
def _key(lookup: bytes) -> bytes:
    return hmac.digest(lookup, b"public reference", hashlib.sha256)


def _turned(key: bytes, number: int, half: int) -> int:
    made = hmac.digest(key, bytes((number,)) + half.to_bytes(4, "big"), hashlib.sha256)
    return int.from_bytes(made[:4], "big") & _MASK


def reference_of(number: str) -> str:
    """`R-7K2QM-9XTPA` for a case's own number. Raises ValueError for what is no case number."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise ValueError("not a case number")
    block = (int(match[1]) << _SERIAL) | int(match[2])
    key, left, right = _key(keyring().lookup), block >> _HALF, block & _MASK
    for turn in range(_ROUNDS):
        left, right = right, left ^ _turned(key, turn, right)
    made = (left << _HALF) | right
    letters = "".join(_ALPHABET[(made >> shift) & 31] for shift in range(45, -1, -5))
    return f"R-{letters[:5]}-{letters[5:]}"


def normalised(said: str) -> str:
    """The reference as made, from what was typed; empty for what cannot be one."""
    text = said.strip().upper()
    if not text.startswith("R"):
        return ""
    letters = normalise_tracking_code(text[1:])
    return f"R-{letters}" if letters else ""


def case_number_of(said: str) -> str:
    """The case's own number behind a reference; empty when it is none. Only for the house: nobody else is told."""
    reference = normalised(said)
    if not reference:
        return ""
    made = 0
    for letter in reference[2:].replace("-", ""):
        made = (made << 5) | _ALPHABET.index(letter)
    key, left, right = _key(keyring().lookup), made >> _HALF, made & _MASK
    for turn in reversed(range(_ROUNDS)):
        left, right = right ^ _turned(key, turn, left), left
    block = (left << _HALF) | right
    year, serial = block >> _SERIAL, block & ((1 << _SERIAL) - 1)
    return case_number(year, serial) if year < 100 and 0 < serial < 10**13 else ""
