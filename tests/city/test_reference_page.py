"""docs/reference/city-files.md names every file, column and key with its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianxin.city import files
from lianxin.city.tables import Table
from tests.city.conftest import HILL, YUEYANG

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "city-files.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("table", files.TABLES, ids=lambda table: table.file)
def test_every_column_with_its_meaning(table: Table) -> None:
    text = section(table.file)
    assert table.meaning in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{column.name}` | {'yes' if column.needed else ''} | {column.meaning.replace('|', chr(92) + '|')} |"
        for column in table.columns
    ]


@pytest.mark.parametrize(("title", "keys", "needed"), [
    ("city.yaml", files.CITY, files.CITY_NEEDED), ("knowledge/*.yaml", files.ARTICLE, files.ARTICLE_NEEDED)])
def test_every_key_with_its_meaning(title: str, keys: dict[str, str], needed: tuple[str, ...]) -> None:
    rows = [line for line in section(title).splitlines() if line.startswith("| `")]
    assert rows == [f"| `{key}` | {'yes' if key in needed else ''} | {meaning} |" for key, meaning in keys.items()]


def test_every_key_of_a_calendar_with_its_meaning() -> None:
    rows = [line for line in section(files.CALENDARS_FILE).splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{key}` | {'yes' if key in needed else ''} | {meaning} |"
        for keys, needed in ((files.CALENDARS, ()), (files.CALENDAR, files.CALENDAR_NEEDED),
                             (files.PUBLISHED_YEAR, files.PUBLISHED_YEAR_NEEDED))
        for key, meaning in keys.items()
    ]


@pytest.mark.parametrize("folder", [HILL, YUEYANG], ids=lambda folder: folder.name)
def test_cities_have_no_file_that_the_page_does_not_know(folder: Path) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(("knowledge/", "training/", "demo/")):
            assert name in PAGE, name
