"""docs/reference/linkage.md says what the types and the table say: every kind with every field, every state, every choice."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from lianxin.linkage import wire
from lianxin.linkage.inbound import _FAULTS
from lianxin.linkage.states import TABLE
from lianxin.linkage.wire import BODIES, Kind, Part
from tests.docs.prose import ROOT

PAGE = (ROOT / "docs" / "reference" / "linkage.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"# {title}\n")[2].partition("\n## ")[0]


def row_of(kind: Kind) -> str:
    [row] = [line for line in section("Messages").splitlines() if line.startswith(f"| `{kind}` |")]
    return row


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_with_every_field(kind: Kind) -> None:
    named = set(re.findall(r"`([a-z_]+)`", row_of(kind).partition("|")[2].split("|", 2)[2]))
    fields = set(BODIES[kind].model_fields)
    assert fields - named == set()
    nested = {name for part in (wire.Category, wire.Place, wire.Caller) for name in part.model_fields}
    choices = {one.value for enum in vars(wire).values() if isinstance(enum, type) and issubclass(enum, StrEnum) for one in enum}
    assert named - fields - nested - choices == set()


@pytest.mark.parametrize("part", [wire.Category, wire.Place, wire.Caller])
def test_every_part_of_an_offer(part: type[Part]) -> None:
    assert [name for name in part.model_fields if f"`{name}`" not in row_of(Kind.OFFER)] == []


def test_every_row_of_the_table_of_states() -> None:
    text = section("States")
    for row in TABLE:
        line = next(line for line in text.splitlines() if line.startswith("|") and f"`{row.kind}`" in line)
        if row.kind not in (Kind.SUPPLEMENT, Kind.PHONE):
            assert f"| {', '.join(row.sources)} |" in line, row.kind
            assert str(row.target) in line


def test_every_code_of_a_fault() -> None:
    text = section("Errors")
    assert [code for code in _FAULTS if f"`{code}`" not in text] == []
