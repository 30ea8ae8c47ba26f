"""Words of danger and the emergency service they call for. A miss is worse than a false alarm.

How it reads: traditional characters and a few slips of the pen are folded, blanks dropped; expressions that only look
like danger (短视频火了, 打人热线, 万一着火) are covered up; what is left is searched by the rules of each kind. An
expression is looked for only around the characters it cannot match without and none may repeat without a bound, so the
time grows in proportion to the length of the text, whatever it says.

The rules are plain regular expressions of the kind browsers know too: `browser_rules` hands them to pages that warn
while the network is away. How well they read is in docs/reference/triage-words.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from .danger_words import FOLD_FROM, FOLD_TO, HARMLESS, RULES, SLIPS
from .expressions import Points, Search

READ_LIMIT = 12_000  # characters
SERVICES = ("110", "119", "120", "122")  # police, fire and rescue, ambulance, traffic police
_COVER = "□"
_WORDS_SHOWN = 6
_FOLD = str.maketrans(FOLD_FROM, FOLD_TO)
_NEEDS_FOLD = re.compile(f"[{FOLD_FROM}]")
_LINES = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An emergency service the words call for, and the words."""

    service: str
    words: tuple[str, ...]


@cache
def _danger() -> tuple[Search, tuple[str, ...]]:
    """The expressions and the service of each."""
    pairs = [(source, rule.service) for rule in RULES for source in rule.sources]
    return Search([source for source, _service in pairs]), tuple(service for _source, service in pairs)


@cache
def _harmless() -> Search:
    return Search(HARMLESS)


def folded(text: str) -> str:
    """`text` as the rules read it: simplified, half width where it matters, small letters, without
    blanks within a line."""
    text = "\n".join(["".join(line.split()) for line in text.split("\n")]).lower()
    if "\n\n" in text:
        text = _LINES.sub("\n", text)
    if _NEEDS_FOLD.search(text):
        text = text.translate(_FOLD)
    for said, meant in SLIPS:
        if said in text:
            text = text.replace(said, meant)
    return text


def _covered(said: Points) -> str:
    search = _harmless()
    characters: list[str] | None = None
    for number, start, end in search.windows(said):
        for match in search.patterns[number].finditer(said.text, start, end):
            characters = characters or list(said.text)
            characters[match.start() : match.end()] = _COVER * (match.end() - match.start())
    return "".join(characters) if characters else said.text


def alarms(text: str) -> list[Alarm]:
    """The emergency services the words call for, most words first. Only the first 12,000 characters are read."""
    said = Points(folded(text[:READ_LIMIT]))
    search, services = _danger()
    found: dict[str, dict[str, None]] = {}
    covered = ""
    for number, start, end in search.windows(said):
        pattern = search.patterns[number]
        if pattern.search(said.text, start, end):
            covered = covered or _covered(said)
            if words := pattern.findall(covered, start, end):
                found.setdefault(services[number], {}).update(dict.fromkeys(words))
    made = [Alarm(service, tuple(sorted(words, key=len)[:_WORDS_SHOWN])) for service, words in found.items()]
    return sorted(made, key=lambda alarm: (-len(alarm.words), SERVICES.index(alarm.service)))


def browser_rules() -> dict[str, Any]:
    """The same rules for a page's own script: `fold` (two strings of equal length), `slips`, `harmless`, `rules` by
    service, all expressions as sources that JavaScript reads."""
    by_service: dict[str, list[str]] = {}
    for rule in RULES:
        by_service.setdefault(rule.service, []).extend(rule.sources)
    return {"fold": [FOLD_FROM, FOLD_TO], "slips": [list(slip) for slip in SLIPS], "harmless": "|".join(HARMLESS),
            "rules": {service: "|".join(sources) for service, sources in by_service.items()}}
