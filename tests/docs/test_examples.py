"""Examples marked `<!-- tested -->` run as they stand, page by page, in an empty directory with the small city."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.docs.prose import Block, blocks, files, name_of
from tests.world import World

pytestmark = pytest.mark.django_db
MARKED = [(path, [block for block in blocks(path) if block.tested]) for path in files()]
MARKED = [(path, found) for path, found in MARKED if found]


def _run(block: Block, scope: dict[str, object]) -> None:
    if block.language == "python":
        exec(compile(block.body, "example", "exec"), scope)
    elif block.language == "console":
        for line in block.body.splitlines():
            if not line.startswith("$ "):
                continue
            words = shlex.split(line[2:])
            words = words[2:] if words[:2] == ["./run", "lianxin"] else words[1:] if words[0] == "lianxin" else []
            assert words, f"only lianxin's commands run here: {line}"
            call_command(*words)  # as the command line would, but on the test's own connection
    else:
        raise AssertionError(f"a tested block is python, console or a file, not {block.language!r}")


def test_there_are_examples() -> None:
    assert len(MARKED) >= 2


@pytest.mark.parametrize(("path", "found"), MARKED, ids=[name_of(path) for path, _found in MARKED])
def test_examples_run(path: Path, found: list[Block], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                      capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in found:
        if block.file:
            (tmp_path / block.file).write_text(block.body, encoding="utf-8")
        else:
            _run(block, scope)
