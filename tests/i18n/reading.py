"""A page as its readers meet it: text, and the attributes that are read out, shown on hover or handed to scripts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff01-\uff5e]")
SPOKEN = frozenset({"title", "alt", "placeholder", "aria-label", "aria-description", "content", "value", "label"})
# Attributes that carry the reader's own input or a key, not words of the page.
NOT_WORDS = frozenset({"data-value", "data-place", "data-draft", "data-key", "data-preview"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.quiet: list[str] = []
        self.languages: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        # The name of a language stands in that language on purpose.
        own = (given.get("lang") or "").startswith("zh") and tag != "html"
        if tag not in ("input", "meta", "link", "br", "img", "hr", "source", "wbr", "area", "col"):
            self.languages.append((tag, own))
        if tag in ("script", "style"):
            self.quiet.append(tag)
        if own or any(flag for _tag, flag in self.languages):
            return
        kept = given.get("type") in ("hidden", "text", "search", "email", "tel", "password")
        for name, value in given.items():
            if value and (name in SPOKEN or (name.startswith("data-") and name not in NOT_WORDS)) and not (kept and name == "value"):
                self.pieces.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.quiet:
            self.quiet.remove(tag)
        while self.languages:
            if self.languages.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self.quiet and data.strip() and not any(flag for _tag, flag in self.languages):
            self.pieces.append(data)


def read(page: str) -> list[str]:
    """Every piece of words of a page, in order."""
    reader = _Reader()
    reader.feed(page)
    return [" ".join(piece.split()) for piece in reader.pieces]


def chinese_in(page: str) -> list[str]:
    """The pieces that hold Chinese characters or punctuation."""
    return [piece for piece in read(page) if CHINESE.search(piece)]
