"""Cities to load: a small one of three villages, copied so that a test may spoil it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HILL = Path(__file__).parent / "hill"
YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang"


@pytest.fixture
def hill(tmp_path: Path) -> Path:
    folder = tmp_path / "hill"
    shutil.copytree(HILL, folder)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace what stands once in a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def append(file: Path, *lines: str) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))
