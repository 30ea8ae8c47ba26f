"""Text as it comes from outside, made safe without changing what was said."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

# C0 and C1 controls but tab and newline, and the marks that reorder text or hide in it.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_EXTENSION = re.compile("(?:转|轉|ext\\.?|#).*$", re.IGNORECASE)
BLACK = "■"  # one for each character: the length of what was there can still be seen
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(value: str, *, max_length: int, multiline: bool) -> str:
    """NFC, newlines as \\n, no control or direction marks, ends trimmed, at most `max_length` characters.

    What is longer is cut: where the reporter's own words must not be, ask for one character more and refuse.
    """
    value = _SURROGATE.sub("", _CONTROL.sub("", _NEWLINE.sub("\n", value)))
    if not multiline:
        value = re.sub(r"\s+", " ", value)
    return unicodedata.normalize("NFC", value).strip()[:max_length].rstrip()


def from_json(said: str | bytes) -> Any:
    """What a text of JSON holds. Raises ValueError for what is none, and for what lies so deep in brackets that nobody means it."""
    try:
        return json.loads(said)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def small_number(text: str) -> int | None:
    """The number that up to eight plain digits say; None for anything else, such as `²`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def to_half_width(value: str) -> str:
    """Full-width ASCII and the ideographic space as their half-width forms."""
    return "".join(
        chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else " " if char == "\u3000" else char for char in value
    )


def phone_normalise(said: str) -> str:
    """Digits only, with a leading + kept; a Chinese country code and an extension (转 801) are dropped.

    Empty when there are no digits.
    """
    value = _EXTENSION.sub("", to_half_width(said)).strip().lstrip("(")
    plus = value.startswith("+")
    digits = re.sub("[^0-9]", "", value)
    if plus and digits.startswith("86"):
        return digits[2:]
    if digits.startswith("0086"):
        return digits[4:]
    if len(digits) == 13 and digits.startswith("861"):
        return digits[2:]
    return ("+" if plus and digits else "") + digits


def mask_name(name: str) -> str:
    """`张*`: the surname of a Chinese name, the first letter of another."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 3) if name else ""


def mask_phone(phone: str) -> str:
    """`138****2201`: enough to recognise one's own, not enough to call another's. Four digits at least are hidden."""
    shown = min(max(len(phone) - 4, 0), 7)
    tail = (shown + 1) // 2
    if shown < 3:
        return "*" * len(phone)
    return phone[: shown - tail] + "****" + phone[-tail:]


def only_blacked_out(original: str, said: str) -> bool:
    """Whether `said` is `original` with stretches of it blacked out, each by one ■ or more, and nothing else of it changed."""
    first, *kept = re.split(f"{BLACK}+", said)
    if not kept:
        return said == original
    at, last = len(first), len(original) - len(kept[-1])
    for part in kept[:-1]:
        found = original.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return original.startswith(first) and original.endswith(kept[-1]) and at < last
