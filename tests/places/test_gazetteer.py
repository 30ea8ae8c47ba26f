"""Names of places in text. Sentences of one city, labelled by hand, are in `data/sentences.csv`; its names are built from
the city's files, without a database."""

from __future__ import annotations

import ast
import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.kernel.syntax import parsed
from lianxin.places import gazetteer, loading
from lianxin.places.gazetteer import Entry, Gazetteer, Reading, short_forms
from lianxin.places.name_words import WORDS

ROOT = Path(__file__).resolve().parents[2]
CITY = ROOT / "cities" / "yueyang"
LIST = Path(__file__).parent / "data" / "sentences.csv"


@pytest.fixture(scope="module")
def names() -> Gazetteer:
    faults: list[Any] = []
    files = loading.read(CITY, loading.settings_of(CITY), lambda *fault: faults.append(fault))
    assert faults == []
    return gazetteer.of_tables(files.tables, loading.settings_of(CITY))


def rows(half: str) -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["half"] == half]


@pytest.mark.parametrize("half", ["tune", "held"])
def test_sentences_are_read_as_a_person_reads_them(names: Gazetteer, half: str) -> None:
    sentences = rows(half)
    assert len(sentences) >= 150
    wrong = []
    for row in sentences:
        found = names.find(row["text"])
        meant = set(row["codes"].split("|")) if row["codes"] else set()
        if (bool(found) != bool(meant)) or (meant and found[0].code not in meant):
            wrong.append((row["text"], [hit.name for hit in found]))
    assert len(wrong) / len(sentences) <= 0.03, wrong


def test_an_ambiguous_name_says_so_with_all_it_may_mean(names: Gazetteer) -> None:
    for half in ("tune", "held"):
        for row in rows(half):
            if row["kind"] == "ambiguous":
                hit = names.find(row["text"], limit=20)[0]
                assert {hit.code, *hit.ambiguous} == set(row["codes"].split("|")), row["text"]


def test_reading_gives_all_that_an_ambiguous_name_may_mean_to_ask_which(names: Gazetteer) -> None:
    for half in ("tune", "held"):
        for row in rows(half):
            if row["kind"] == "ambiguous":
                read = names.read(row["text"], limit=1)
                assert {hit.code for hit in read.choices} == set(row["codes"].split("|")), row["text"]
                assert read.clear is None
                assert read.hits == read.choices, "none of them is cut off by the limit"
    settled = names.read("注滋口镇新洲村的路", limit=3)
    assert settled.clear is not None
    assert (settled.clear.name, settled.choices, len(settled.hits) <= 3) == ("新洲村", (), True)
    assert names.read("孩子上学") == Reading((), None, ())


def test_a_slip_tells_what_was_written_and_what_it_was_read_as(names: Gazetteer) -> None:
    hit = names.find("荣加 湾镇的菜市场")[0]
    assert (hit.said, hit.form, hit.slip) == ("荣加湾镇", "荣家湾镇", True)
    hit = names.find("楼区的路灯")[0]
    assert (hit.said, hit.form, hit.slip) == ("楼区", "楼区", False)


def test_a_named_town_settles_it(names: Gazetteer) -> None:
    assert names.find("新洲村的路")[0].ambiguous
    settled = names.find("注滋口镇新洲村的路")[0]
    assert (settled.ambiguous, settled.path.split(" › ")[:2]) == ((), ["华容县", "注滋口镇"])


def test_what_is_an_everyday_word_here_the_citys_file_says() -> None:
    hill = Entry("东山镇", "town", "1", 2, None, None, True, frozenset({"东山镇", "东山"}), frozenset({"东山镇"}))
    places = ([hill], {1: None, 2: 1}, {1: "0", 2: "1"}, {1: "县", 2: "东山镇"})
    assert [hit.code for hit in Gazetteer(*places).find("东山下雨了")] == ["1"]
    here = Gazetteer(*places, everyday=["东山"])
    assert here.find("东山下雨了") == []
    for said in ("东山那边下雨了", "东山小学放学了", "东山镇下雨了"):
        assert [hit.code for hit in here.find(said)] == ["1"], said


def test_no_name_of_a_city_stands_in_the_program() -> None:
    """What the program says in strings names no town of the city that comes with it; cities are data. Words that any city may
    use (长寿) are in `WORDS`; the demo, the bench and the tour are of that city."""
    tables = loading.read(CITY, loading.settings_of(CITY), lambda *fault: None).tables
    names = {form for row in tables.areas.values() if row.level in ("county", "town")
             for form in {row.name, *short_forms(row.name, row.level)} if form not in WORDS and len(form) >= 2}
    source = Path(gazetteer.__file__).parents[1]
    said = {}
    for path in source.rglob("*.py"):
        if path.relative_to(source).parts[0] in ("demo", "bench", "docs"):
            continue
        tree = parsed(path.read_text("utf-8"))
        documented = {id(node.body[0].value) for node in ast.walk(tree)
                      if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                said.setdefault(node.value, path.name)
    assert WORDS.isdisjoint(loading.settings_of(CITY)["everyday_words"])
    wired = {text: path for text, path in said.items() if text in names}
    assert not wired


def test_one_wrong_character_is_a_slip_two_are_another_name(names: Gazetteer) -> None:
    hit = names.find("荣加湾镇的菜市场")[0]
    assert (hit.name, hit.slip) == ("荣家湾镇", True)
    assert not names.find("荣家湾镇的菜市场")[0].slip
    assert names.find("荣加弯阵的菜市场") == []


@pytest.mark.parametrize("text", ["巴陵北路堵车", "李家河街道的事", "我在洞庭湖大桥附近"])
def test_directions_and_family_names_are_no_slips(names: Gazetteer, text: str) -> None:
    assert not any(hit.slip for hit in names.find(text))


@pytest.mark.parametrize(("name", "level", "forms"), [
    ("金鹗山街道", "town", {"金鹗山街道", "金鹗山"}), ("岳阳楼区", "county", {"岳阳楼区", "岳阳楼", "楼区"}),
    ("南湖新区", "county", {"南湖新区", "南湖新"}),
    ("洪山村民委员会", "village", {"洪山村民委员会", "洪山"}), ("许市", "village", {"许市"}),
])
def test_short_forms(name: str, level: str, forms: set[str]) -> None:
    assert short_forms(name, level) == forms


def test_common_words_count_only_where_a_place_is_spoken_of(names: Gazetteer) -> None:
    assert names.find("大家和平解决，祝长寿") == []
    assert names.find("平江长寿的路")[0].name == "长寿镇"
    assert names.find("长寿那边的路")[0].name == "长寿镇"


@given(st.text(alphabet="岳阳楼区金鹗山街道花板桥社南湖新村镇路巴陵中东和平，的1 \n", max_size=60))
def test_any_text_gives_spans_that_stand_in_it(text: str) -> None:
    held = gazetteer._made(
        [(1, "1", "城", "", "city", None, (), None, None, False), (2, "2", "岳阳楼区", "", "county", 1, (), None, None, False),
         (3, "3", "金鹗山街道", "", "town", 2, (), None, None, False), (4, "4", "花板桥社区", "", "village", 3, (), None, None, False)],
        [("r", "巴陵中路", ("巴陵路",), 3, 113.1, 29.1, True)], {})
    plain = "".join(text.split())
    for hit in held.find(text, limit=50):
        assert 0 <= hit.start < hit.end <= len(plain)
        assert hit.slip or plain[hit.start : hit.end] in short_forms(hit.name, hit.level) | {"巴陵路"}


def test_the_work_per_character_does_not_grow(names: Gazetteer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons with names, not time: twice the text is twice the work."""
    compared = 0
    real = gazetteer._may_be_slip

    def counted(form: str, place: int, said: str) -> bool:
        nonlocal compared
        compared += 1
        return real(form, place, said)

    monkeypatch.setattr(gazetteer, "_may_be_slip", counted)
    text = "".join(row["text"] for half in ("tune", "held") for row in rows(half))
    names.find(text[:1_000])
    short, compared = compared, 0
    names.find(text[:1_000] * 4)
    assert compared <= 4 * short + 20
    assert short <= 1_000
