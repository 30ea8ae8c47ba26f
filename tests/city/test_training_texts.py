"""The texts the demo learns categories from: labelled with leaves, each in its own words, of nobody; and what a load says of bad ones."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from lianxin.city.load import check
from lianxin.kernel.bigrams import bigrams
from lianxin.triage.personal import find, masked
from tests.city.conftest import YUEYANG

FOLDER = YUEYANG / "training"
FILES = sorted(FOLDER.glob("*.csv"))
MESSAGES, LEAVES, EACH = 1_500, 200, 3
ALIKE = 0.6  # Jaccard of bigrams
# Numbers of nobody: kept free for these texts.
RESERVED = re.compile(r"0730[ -]?55\d{2} ?\d{4}|1990000\d{4}")
TRADITIONAL = re.compile("[個們說來還對開關沒過會門間車邊請無長電買賣養與麼嗎這裡後樓錢寫領證號戶業費壞離]")


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, strict=True))


def _leaves() -> set[str]:
    rows = _read(YUEYANG / "categories.csv")
    return {row["code"] for row in rows} - {row["parent"] for row in rows}


TEXTS = {path.name: _read(path) for path in FILES}
ALL = [row for rows in TEXTS.values() for row in rows]


def test_there_are_enough() -> None:
    assert len(ALL) >= MESSAGES
    each = Counter(row["category"] for row in ALL)
    assert len(each) >= LEAVES
    assert {code: n for code, n in each.items() if n < EACH} == {}, "too few to learn from"


def test_every_leaf_with_keywords_has_some() -> None:
    assert {row["category"] for row in _read(YUEYANG / "keywords.csv")} - {row["category"] for row in ALL} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_one_top_category(path: Path) -> None:
    data = path.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    assert data.decode("utf-8").startswith("title,detail,category\n")
    assert {row["category"] for row in TEXTS[path.name]} <= _leaves()
    assert {row["category"][:2] for row in TEXTS[path.name]} == {path.stem}


@pytest.mark.parametrize("name", TEXTS)
def test_lengths(name: str) -> None:
    wrong = [(row["title"], len(row["title"]), len(row["detail"])) for row in TEXTS[name]
             if not (6 <= len(row["title"]) <= 20 and 20 <= len(row["detail"]) <= 160)]
    assert wrong == []
    assert [row["title"] for row in TEXTS[name] for cell in row.values() if cell != cell.strip()] == []


def test_each_is_in_its_own_words() -> None:
    of_category: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for row in ALL:
        text = row["title"] + row["detail"]
        of_category[row["category"]].append((text, frozenset(bigrams(text))))
    alike = [(one, other) for texts in of_category.values() for (one, mine), (other, theirs) in combinations(texts, 2)
             if len(mine & theirs) > ALIKE * len(mine | theirs)]
    assert alike == []
    assert [text for text, n in Counter(row["detail"] for row in ALL).items() if n > 1] == []


def test_they_do_not_all_begin_alike() -> None:
    openings = Counter(row["detail"][:4] for row in ALL)
    assert openings.most_common(1)[0][1] <= len(ALL) / 100


def test_nobody_is_in_them() -> None:
    """What is found as a name is left out here: a sand dealer (沙石老板) is found as one too, and the texts stay as people talk."""
    found = []
    for row in ALL:
        text = RESERVED.sub("", f"{row['title']}。{row['detail']}")
        found += [(span.kind, text[span.start:span.end], row["title"]) for span in find(text) if span.kind != "name"]
        found += [("number", text, row["title"]) for _number in re.findall(r"\d{6,}", text)]
        found += [("name", text, row["title"]) for _name in re.findall("我叫|我姓|本人姓|姓名[是:：]", text)]
    assert found == []


def test_numbers_are_there_to_be_masked() -> None:
    numbers = [(number, row["detail"]) for row in ALL for number in RESERVED.findall(row["detail"])]
    assert 0.005 <= len(numbers) / len(ALL) <= 0.02
    assert {number.startswith("0730") for number, _detail in numbers} == {True, False}
    seen = [number for number, detail in numbers if number in masked(detail)]
    assert seen == []


def test_some_are_in_traditional_characters_and_some_long() -> None:
    assert 0.02 <= sum(len(TRADITIONAL.findall(row["detail"])) > 2 for row in ALL) / len(ALL) <= 0.05
    assert sum(len(row["detail"]) > 80 for row in ALL) >= 60


def test_the_page_says_what_is_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "training-texts.md").read_text(encoding="utf-8")
    each = Counter(row["category"] for row in ALL)
    lengths = sorted(len(row["detail"]) for row in ALL)
    for said in (f"{len(ALL):,}, in {len(FILES)} files", f"{len(each)} of them, with {min(each.values())} to {max(each.values())} messages",
                 f"{lengths[len(ALL) // 2]} in the middle; {sum(length > 80 for length in lengths)} are"):
        assert said in page, said


# ---- loading a city with such a folder ----

def _with(folder: Path, data: bytes) -> list[tuple[str, int, str]]:
    (folder / "training").mkdir()
    (folder / "training" / "water.csv").write_bytes(data)
    return [(fault.file, fault.line, fault.reason) for fault in check(folder)]


def test_a_good_file_is_no_fault(hill: Path) -> None:
    assert _with(hill, "category,detail,title\n010101,屋里没水三天了,\n\n# 备注\n010102,水管冻爆了,水管爆了\n".encode()) == []


@pytest.mark.parametrize(("data", "line", "reason"), [
    ("title,detail,category\n停水,屋里没水,010101\n停电,屋里没电,0199\n".encode(), 3, "没有 0199"),
    ("title,detail,category\n停水,屋里没水,0101\n".encode(), 2, "不是末级事项"),
    ("title,detail,category\n停水,,010101\n".encode(), 2, "detail 不能为空"),
    ("title,detail,category\n停水,屋里没水,\n".encode(), 2, "category 不能为空"),
    (f"title,detail,category\n{'水' * 201},屋里没水,010101\n".encode(), 2, "最多 200 个字"),
    ("title,detail,category\n停水,屋里没水,谁管,010101\n".encode(), 2, "4 格"),
    ("title,detail\n停水,屋里没水\n".encode(), 1, "缺少列：category"),
    ("title,detail,category\n停水,屋里没水,010101\n".encode("gb18030"), 2, "UTF-8"),
    (b"", 0, "空文件"),
], ids=["unknown", "branch", "no words", "no category", "long title", "cells", "no column", "encoding", "empty"])
def test_a_bad_row_is_named(hill: Path, data: bytes, line: int, reason: str) -> None:
    (fault,) = _with(hill, data)
    assert fault[:2] == ("training/water.csv", line)
    assert reason in fault[2]


def test_without_categories_the_texts_do_not_drown_the_cause(hill: Path) -> None:
    (hill / "categories.csv").unlink()
    found = _with(hill, "title,detail,category\n停水,屋里没水,010101\n".encode())
    assert ("categories.csv", 0, "缺少这个文件") in found
    assert not [fault for fault in found if fault[0].startswith("training/")]
