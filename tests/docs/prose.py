"""Reading the documentation: its files, links, anchors and blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_FENCE = re.compile(r"^(```+)([^\n]*)\n(.*?)^\1[ ]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_MARK = re.compile(r"<!-- tested(?:: file ([\w.-]+))? -->\s*\Z")


def files() -> list[Path]:
    """Every page, by path."""
    return [ROOT / name for name in TOP] + sorted((ROOT / "docs").rglob("*.md"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `tested` says that the mark `<!-- tested -->` stands before it; `file` names what it makes."""

    language: str
    body: str
    line: int
    tested: bool = False
    file: str = ""


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        mark = _MARK.search(text[: match.start()])
        found.append(Block(match[2].strip(), match[3], text[: match.start()].count("\n") + 1, mark is not None,
                           (mark and mark[1]) or ""))
    return found


def without_blocks(text: str) -> str:
    """The prose alone: no fenced blocks, no code in backticks."""
    return re.sub(r"`[^`\n]*`", "``", _FENCE.sub("", text))


@dataclass(frozen=True, slots=True)
class Link:
    target: str
    words: str
    image: bool


def links(path: Path) -> Iterator[Link]:
    for match in _LINK.finditer(without_blocks(path.read_text(encoding="utf-8"))):
        yield Link(unquote(match[3]), match[2], match[1] == "!")


def anchors(path: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*$", _FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        number = 0
        while (slug if not number else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if not number else f"{slug}-{number}")
    return found
