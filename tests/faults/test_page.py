"""docs/explanation/when-things-go-wrong.md: every test it names is there, and every test here is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from lianxin.kernel.syntax import parsed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "when-things-go-wrong.md"
NAMED = re.compile(r"\[(test_\w+)\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


def named() -> set[tuple[str, str]]:
    return {(path, name) for name, path in NAMED.findall(PAGE.read_text(encoding="utf-8"))}


def written_in(path: str) -> set[str]:
    tree = parsed((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_test_it_names_is_there() -> None:
    assert [f"{path}::{name}" for path, name in sorted(named()) if not (ROOT / path).is_file() or name not in written_in(path)] == []


def test_every_row_names_a_test() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    assert {lines[number] for number in heads} == {"| What happens | What the person sees | What is kept | Shown by |"}
    rows = [line for number, line in enumerate(lines) if line.startswith("| ") and number not in heads]
    assert len(rows) > 20
    assert [row for row in rows if not NAMED.search(row)] == []


def test_every_test_of_faults_is_named() -> None:
    here = {(f"tests/faults/{path.name}", name) for path in Path(__file__).parent.glob("test_*.py") if path.name != "test_page.py"
            for name in written_in(f"tests/faults/{path.name}")}
    assert here - named() == set()
