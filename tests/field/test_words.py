"""What the telephone says: every key of the scripts has its sentence, every sentence its use, in three languages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lianxin.field import bundle, wording

OWN = bundle.OWN
CODE = {path.relative_to(OWN).as_posix(): path.read_text(encoding="utf-8") for path in sorted(OWN.rglob("*.js"))}
KEY = re.compile(r"""["']([a-z]+(?:_[a-z]+)*\.[a-z0-9_]+)["']""")
BUILT = re.compile(r"\bw\(`([a-z_]+\.)\$\{")
FILES = re.compile(r"\.(js|css|json|mjs)$")
HAN = re.compile("[\u3400-\u9fff\u3000-\u303f\uff01-\uff5e]")
# Languages are named in themselves.
NAMES = frozenset({"language.zh_hans", "language.zh_hant", "language.en"})


def _keys() -> set[str]:
    return {key.removesuffix(".one") for key in wording.every()}


def _used() -> set[str]:
    return {key for code in CODE.values() for key in KEY.findall(code) if not FILES.search(key)}


def _built() -> tuple[str, ...]:
    """Beginnings of keys that scripts complete themselves: `store.${code}`."""
    return tuple({start for code in CODE.values() for start in BUILT.findall(code)})


def test_every_key_of_the_scripts_has_a_sentence() -> None:
    topics = {key.split(".")[0] for key in _keys()}
    spoken = {key for code in CODE.values() for key in re.findall(r"""\bw\(["']([^"']+)["']""", code)}
    likely = {key for key in _used() if key.split(".")[0] in topics}
    assert sorted((spoken | likely) - _keys()) == []
    assert len(spoken) > 150


def test_every_sentence_is_said_somewhere() -> None:
    assert sorted(key for key in _keys() - _used() if not key.startswith(_built())) == []


def _holes(sentence: str) -> list[str]:
    return sorted(set(re.findall(r"\{(\w+)\}", sentence)))


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_a_language_is_whole(language: str) -> None:
    said: dict[str, Any] = json.loads(bundle.words(language))
    source: dict[str, Any] = json.loads(bundle.words("zh-hans"))
    assert said.keys() == source.keys()
    for key, sentence in said.items():
        assert sentence.strip(), key
        assert _holes(sentence) == _holes(source[key]), key
    if language == "en":
        assert [key for key, sentence in said.items() if HAN.search(sentence) and key not in NAMES] == []
        assert said["span.days.one"] != said["span.days"]
    if language == "zh-hant":
        assert said["nav.unsent"] == "未發送"


def test_a_script_fills_every_hole_it_names() -> None:
    """`w("key", { … })` with a literal: each hole of the sentence is given."""
    said: dict[str, str] = json.loads(bundle.words("zh-hans"))
    for name, code in CODE.items():
        for key, given in re.findall(r"""\bw\(["']([a-z0-9_.]+)["'](?:,\s*\{([^{}]*)\})?\)""", code):
            holes = _holes(said[key])
            filled = {part.split(":")[0].strip() for part in given.split(",")} if given else set()
            assert set(holes) <= filled, (name, key)
