"""The desk's copy of the interface is what is published, and it knows nothing else of `lianxin`."""

from __future__ import annotations

import ast
import json

from lianxin.kernel.syntax import parsed
from lianxin.linkage import published, states, wire
from lianxin_110_desk import states as others
from lianxin_110_desk import wire as copied
from tests.desk110.world import ROOT

SOURCE = ROOT / "src" / "lianxin_110_desk"


def as_file() -> str:
    return json.dumps(published.schema(), ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def test_the_copy_is_what_is_published() -> None:
    told = "write it anew: python -c 'from tests.desk110.test_schema import *; copied.SCHEMA.write_text(as_file())'"
    assert copied.SCHEMA.read_text(encoding="utf-8") == as_file(), told


def test_examples_of_the_interface_are_understood() -> None:
    for example in published.schema()["examples"]:
        assert copied.read(json.dumps(example, default=str).encode())["kind"] == example["kind"]


def test_the_address_and_the_limit_are_the_published_ones() -> None:
    assert copied.PATH == wire.PATH
    assert copied.LARGEST == wire.LARGEST


def test_both_ends_read_the_states_alike() -> None:
    """Written twice on purpose; a difference is a fault of one of them or of the interface."""
    ours = {row.kind.value: (set(row.sources), row.target, row.who.value) for row in states.TABLE}
    for kind, (who, sources, target) in others.TABLE.items():
        assert ours[kind][0] == set(sources), kind
        assert ours[kind][1] == target, kind
        assert ours[kind][2] == ("either" if len(who) == 2 else who[0]), kind
    assert set(ours) == set(others.TABLE)
    assert {state.value for state in states.HandoverState} == set(others.STATES)


def test_it_imports_nothing_of_lianxin() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(parsed(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
                [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not [name for name in names if name.split(".")[0] == "lianxin"], path
