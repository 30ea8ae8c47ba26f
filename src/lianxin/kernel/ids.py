"""Identifiers: UUIDv7 keys, case numbers people can say on the phone, tracking codes nobody can guess."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import uuid_utils
from stdnum import damm

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
_MISREAD = str.maketrans("OIL", "011")
CODE_LENGTH = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SEPARATORS = re.compile(r"[\s\-‐-―−_.·、/]")


def uuid7() -> uuid.UUID:
    """A time-ordered UUID (RFC 9562, version 7)."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def uuid7_after(earlier: uuid.UUID) -> uuid.UUID:
    """A new UUIDv7 that sorts after `earlier`, whatever the machine's clock says now."""
    fresh = uuid7()
    return fresh if fresh > earlier else uuid.UUID(int=earlier.int + 1)


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The lowest UUIDv7 of an instant's millisecond: the bound of a range by time. `at` must be aware."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    milliseconds = (at - _EPOCH) // _MILLISECOND  # in integers: a float loses the millisecond
    if milliseconds < 0:
        raise ValueError("UUIDv7 begins with 1970")
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))


def uuid7_time(key: uuid.UUID) -> datetime:
    """The instant a UUIDv7 was made, to the millisecond, in UTC."""
    return _EPOCH + (key.int >> 80) * _MILLISECOND


def case_number(year: int, serial: int) -> str:
    """`26-0004217-3`: two-digit year, serial of at least seven digits, Damm check digit over both.

    The check digit catches every single wrong digit and every swap of neighbours (Damm 2004).
    """
    if serial < 1:
        raise ValueError("serials start at 1")
    short, body = f"{year % 100:02d}", f"{serial:07d}"
    return f"{short}-{body}-{damm.calc_check_digit(short + body)}"


def normalise_case_number(said: str) -> str:
    """The number as stored, from what was typed: spaces, full-width digits and missing hyphens are mended.

    Returns an empty string when it cannot be a number.
    """
    digits = _SEPARATORS.sub("", normalize("NFKC", said))
    if not digits.isascii() or not digits.isdigit() or not 10 <= len(digits) <= 20:
        return ""
    return f"{digits[:2]}-{digits[2:-1]}-{digits[-1]}"


def valid_case_number(said: str) -> bool:
    """Whether what was typed is a case number with the right check digit."""
    number = normalise_case_number(said)
    return bool(number) and bool(damm.is_valid(number.replace("-", "")))


def tracking_code(key: bytes, case_id: uuid.UUID) -> str:
    """`K7QM3-9XTPA`: fifty bits of HMAC-SHA256 of the case's id; the same key gives the same code again."""
    number = int.from_bytes(hmac.digest(key, case_id.bytes, hashlib.sha256)[:8], "big") >> 14
    letters = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(45, -1, -5))
    return f"{letters[:5]}-{letters[5:]}"


def normalise_tracking_code(said: str) -> str:
    """The code as made, from what was typed: lower case, spaces, O for 0, I or L for 1. Empty when it is none."""
    letters = _SEPARATORS.sub("", normalize("NFKC", said)).upper()
    letters = letters.translate(_MISREAD)
    if len(letters) != CODE_LENGTH or any(letter not in _ALPHABET for letter in letters):
        return ""
    return f"{letters[:5]}-{letters[5:]}"
