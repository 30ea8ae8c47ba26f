"""What a report says, apart from how it is shown: one document for the page, the PDF and the DOCX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases behind one number: what is counted (`cases.MEASURES`), in which period, narrowed to which codes."""

    measure: str
    period: str
    unit: str = ""
    county: str = ""
    town: str = ""
    category: str = ""

    @property
    def query(self) -> dict[str, str]:
        """As the address of its list has it."""
        held = {name: getattr(self, name) for name in ("measure", "period", "unit", "county", "town", "category")}
        return {name: value for name, value in held.items() if value}

    @property
    def query_string(self) -> str:
        return urlencode(self.query)


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table. `parts` are numbers that lead to their cases, written one after another with
    `/` between: a numerator and its denominator. `text` stands before them, `note` under them. `mood` is good, bad or
    nothing: said in the text as well. `few` marks what has too few cases for a value."""

    text: str = ""
    parts: tuple[tuple[str, Cases | None], ...] = ()
    note: str = ""
    mood: Literal["", "good", "bad"] = ""
    few: bool = False

    @property
    def plain(self) -> str:
        """All of it in a line."""
        said = "/".join(words for words, _cases in self.parts)
        first = f"{self.text}（{said}）" if self.text and said else self.text or said
        return f"{first} {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    look: Literal["", "lead", "help", "notice"] = ""
    what: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines to type."""

    lines: tuple[str, ...]
    what: Literal["commands"] = "commands"


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    what: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG, with what it shows in words for who does not see it."""

    title: str
    told: str
    svg: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """Charts side by side, two to a row where there is room."""

    shown: tuple[Picture, ...]
    what: Literal["pictures"] = "pictures"


Block = Paragraph | Commands | Table | Pictures


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`language` is that of its words; `name` is a file name without its ending."""

    title: str
    subtitle: str
    stand: str
    name: str
    language: str
    sections: tuple[Section, ...]
