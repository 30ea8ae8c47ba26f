"""A little Markdown: what the generated pages need and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence


def cell(value: object) -> str:
    """One cell of a table: on one line, its bars escaped."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def code(value: object) -> str:
    return f"`{value}`" if str(value) else ""


def codes(values: Iterable[object]) -> str:
    return ", ".join(code(value) for value in values)


def page(title: str, made_from: str, *parts: str) -> str:
    """A whole generated page: its title, where it comes from, and its parts with an empty line between them."""
    note = f"<!-- Made by `./run lianxin docs` from {made_from}. Edit that, not this file. -->"
    return "\n\n".join([note, f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def sentence(thing: object) -> str:
    """The first paragraph of a docstring, on one line."""
    text = (getattr(thing, "__doc__", "") or "").strip().split("\n\n")[0]
    return " ".join(text.split())


Page = Callable[[], str]
