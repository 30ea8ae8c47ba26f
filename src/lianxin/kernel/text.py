"""Text as it comes from outside, made safe without changing what was said."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls but tab and newline, and the marks that reorder text or hide in it.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(value: str, *, max_length: int, multiline: bool) -> str:
    """NFC, newlines as \\n, no control or direction marks, ends trimmed, at most `max_length` characters."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    value = _SURROGATE.sub("", _CONTROL.sub("", value))
    if not multiline:
        value = re.sub(r"\s+", " ", value)
    return unicodedata.normalize("NFC", value).strip()[:max_length].rstrip()


def to_half_width(value: str) -> str:
    """Full-width ASCII and the ideographic space as their half-width forms."""
    return "".join(
        chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else " " if char == "\u3000" else char for char in value
    )


def phone_normalise(said: str) -> str:
    """Digits only, with a leading + kept; a Chinese country code is dropped. Empty when there are no digits."""
    value = to_half_width(said).strip()
    plus = value.startswith("+")
    digits = re.sub(r"\D", "", value)
    if plus and digits.startswith("86"):
        return digits[2:]
    if digits.startswith("0086"):
        return digits[4:]
    return ("+" if plus and digits else "") + digits


def mask_phone(phone: str) -> str:
    """`138****2201`: enough to recognise one's own, not enough to call another's."""
    if len(phone) < 7:
        return "*" * len(phone)
    return phone[:3] + "****" + phone[-4:]
