"""The city's own names in the reader's language: 简 as loaded, 繁 through OpenCC, English where a name has one.

Only names go through here. What a reporter wrote is never altered.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import get_language, pgettext

# Characters as Taiwan's standard writes them, words as the source has them: with s2twp a 社区 becomes a 社群 and an
# office's own name is changed. Why, in docs/howto/translate.md.
OPENCC_CONFIG = "s2tw"
CORRECTIONS = Path(__file__).resolve().parents[1] / "locale" / "zh_Hant" / "corrections.yaml"


@cache
def corrections() -> dict[str, dict[str, str]]:
    """What a proof-reader settled: `characters` for every text, `words` and whole `messages` for the interface only."""
    held: dict[str, dict[str, str]] = yaml.safe_load(CORRECTIONS.read_text(encoding="utf-8"))
    return held


@cache
def _converter() -> Any:
    import opencc

    return opencc.OpenCC(OPENCC_CONFIG)


def corrected(text: str, kind: str) -> str:
    """`text` with one kind of corrections made, in the order in which they stand in the file."""
    for wrong, right in corrections()[kind].items():
        text = text.replace(wrong, right)
    return text


@lru_cache(maxsize=8192)
def traditional(text: str) -> str:
    """`text` in traditional characters. Text without Chinese comes back as it is."""
    return corrected(_converter().convert(text), "characters")


def in_english() -> bool:
    return (get_language() or "").startswith("en")


def named(name: str, name_en: str = "") -> str:
    """A name for the reader of now: `name_en` in English where there is one, 繁 for its readers, else as it is."""
    language = get_language() or ""
    if language.startswith("en"):
        return name_en or name
    return traditional(name) if language == "zh-hant" else name


def listed(parts: Iterable[str]) -> str:
    """Several names in a row: `甲、乙`; `A, B`."""
    # Translators: between names in a row.
    return pgettext("between names", "、").join(parts)
