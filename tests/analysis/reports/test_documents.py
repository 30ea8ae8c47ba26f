"""One report as a page, as PDF and as DOCX: the same numbers, readable, with nothing of any person in them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import docx
import pypdfium2
import pytest
from django.utils.translation import override
from openpyxl import load_workbook

from lianxin.analysis.figures import Period
from lianxin.analysis.rates import DEFINITIONS
from lianxin.analysis.reports.cases import MEASURES
from lianxin.analysis.reports.compose import compose
from lianxin.analysis.reports.document import Document, Pictures, Table
from lianxin.analysis.reports.files import WRITERS, as_html
from lianxin.analysis.reports.source import Asked, FiguresFailed, gather
from lianxin.kernel.errors import Invalid, NotFound
from tests.analysis.conftest import Town
from tests.world import World

pytestmark = pytest.mark.django_db
OCTOBER = Asked(Period.of("2026-10"))


def tables(document: Document) -> dict[str, Table]:
    return {block.caption: block for section in document.sections for block in section.blocks if isinstance(block, Table)}


def row(table: Table, name: str) -> list[str]:
    return next([cell.plain for cell in row] for row in table.rows if row[0].text == name)


def pdf_text(body: bytes) -> tuple[int, str]:
    held = pypdfium2.PdfDocument(body)
    try:
        words = "".join(page.get_textpage().get_text_bounded() for page in held)
        return len(held), re.sub(r"\s+", "", words)
    finally:
        held.close()


def docx_text(body: bytes) -> str:
    held = docx.Document(io.BytesIO(body))
    cells = [cell.text for table in held.tables for line in table.rows for cell in line.cells]
    return "\n".join([paragraph.text for paragraph in held.paragraphs] + cells)


def sheet_text(body: bytes) -> str:
    book = load_workbook(io.BytesIO(body))
    return " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None)


# How the words of each kind of file are read.
READ: dict[str, Callable[[bytes], str]] = {
    "html": bytes.decode, "pdf": lambda body: pdf_text(body)[1], "docx": docx_text, "xlsx": sheet_text}


def test_numbers_stand_with_what_they_are_made_of(town: Town, settings: Any) -> None:
    settings.LIANXIN_SMALL_NUMBERS = 3
    made = tables(compose(gather(OCTOBER)))
    assert row(made["三率和未联系上"], "解决率")[1] == "50.0%（2/4） 15.0%–85.0%"
    assert row(made["三率和未联系上"], "未联系上比例")[1].startswith("42.9%（3/7）")
    assert row(made["三率和未联系上"], "解决率")[3] == "没有可比的数"
    assert [cell.plain for cell in made["件数"].rows[0]] == ["9", "2", "1", "7", "4", "3"]
    assert row(made["退单、返工与重办"], "退单次数")[1].startswith("每百轮 14.3 次（1/7）")


def test_small_numbers_say_so_and_get_no_rate(town: Town) -> None:
    document = compose(gather(OCTOBER))
    made = tables(document)
    assert row(made["三率和未联系上"], "解决率")[1] == "件数太少（2/4）"
    by_county = made["按县市区"]
    assert all("%" not in cell.plain for line in by_county.rows for cell in line)
    summary = " ".join(getattr(block, "text", "") for block in document.sections[0].blocks)
    assert "解决率：件数太少（2/4），不计算比率" in summary
    assert "其中 3 轮没有联系上" in summary


def test_an_empty_period_says_so_and_how_it_would_be_counted(world: World, monday: object) -> None:
    document = compose(gather(Asked(Period.of("2026-10"))))
    assert [section.key for section in document.sections] == ["summary", "how"]
    assert "没有登记" in docx_text(WRITERS["docx"](document))
    pages, words = pdf_text(WRITERS["pdf"](document))
    assert pages >= 1
    assert "没有登记" in words


def test_a_period_that_has_not_begun_and_codes_there_are_none_of(town: Town) -> None:
    with pytest.raises(Invalid, match="还没有开始"):
        gather(Asked(Period.of("2027-03")))
    with pytest.raises(NotFound):
        gather(Asked(Period.of("2026-10"), unit="nobody"))


def test_an_engine_that_fails_is_told_in_words(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr("lianxin.analysis.counting.count", broken)
    with pytest.raises(FiguresFailed) as caught:
        gather(OCTOBER)
    assert "统计暂时算不出来" in str(caught.value)


@pytest.mark.parametrize("narrowed", [{}, {"unit": "urban"}, {"county": "990101"}, {"category": "01"}])
def test_the_same_words_stand_in_all_three(town: Town, narrowed: dict[str, str]) -> None:
    document = compose(gather(Asked(Period.of("2026-10"), **narrowed)))
    pages, words = pdf_text(WRITERS["pdf"](document))
    other = re.sub(r"\s+", "", docx_text(WRITERS["docx"](document)))
    page = re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", as_html(document).decode()))
    assert pages > 1
    for section in document.sections:
        for table in (block for block in section.blocks if isinstance(block, Table)):
            for cell in (cell for line in table.rows for cell in line):
                for said in filter(None, (cell.text, cell.note)):
                    wanted = re.sub(r"\s+", "", said)
                    assert wanted in words, (section.title, said)
                    assert wanted in other, (section.title, said)
                    assert wanted.replace("<", "&lt;").replace(">", "&gt;") in page, (section.title, said)


def test_docx_has_headings_header_rows_and_told_pictures(town: Town) -> None:
    document = compose(gather(OCTOBER))
    held = docx.Document(io.BytesIO(WRITERS["docx"](document)))
    headings = [one.text for one in held.paragraphs if one.style is not None and one.style.name == "Heading 1"]
    assert headings == [section.title for section in document.sections]
    drawn = [picture for section in document.sections for block in section.blocks if isinstance(block, Pictures)
             for picture in block.shown]
    told = [node.get("descr") for node in held.element.body.iter() if node.tag.endswith("}docPr")]
    assert told == [picture.told for picture in drawn]
    assert all(len(part.blob) > 2000 for part in held.part.package.iter_parts() if "png" in part.content_type)


def test_charts_are_well_formed_told_and_hold_no_style(town: Town) -> None:
    document = compose(gather(OCTOBER))
    drawn = [picture for section in document.sections for block in section.blocks if isinstance(block, Pictures)
             for picture in block.shown]
    keys = set()
    for picture in drawn:
        root = ElementTree.fromstring(picture.svg)
        title, told = root[0], root[1]
        assert (title.text, told.text) == (picture.title, picture.told)
        assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {told.attrib['id']}"
        assert not {name for node in root.iter() for name in node.attrib if name == "style" or name.startswith("on")}
        assert "NaN" not in picture.svg
        keys.add(title.attrib["id"])
    assert len(keys) == len(drawn)


def test_no_words_of_a_reporter_and_no_name_of_staff_get_in(town: Town) -> None:
    for form, writer in WRITERS.items():
        body = writer(compose(gather(OCTOBER)))
        words = READ[form](body)
        assert "10" in words, form
        for needle in ("王小明", "13812342201", "路灯不亮三天", "甲"):
            assert needle not in words, form


def test_english_is_english(town: Town) -> None:
    with override("en"):
        document = compose(gather(OCTOBER))
    said = [document.title, document.subtitle, document.stand, *(section.title for section in document.sections)]
    said += [cell.text for table in tables(document).values() for line in table.rows for cell in line]
    said += [words for table in tables(document).values() for words in table.head]
    names = {"试验市", "东区", "西县", "市城管局", "市住建局", "市水务公司", "城乡建设", "路灯", "施工噪声", "东区政府", "桥头街道办"}
    left = [words for words in said if re.search(r"[一-鿿]", words) and not any(name in words for name in names)]
    assert left == []


def test_every_measure_of_a_definition_has_a_name() -> None:
    wanted = {name for one in DEFINITIONS.values() for name in (one.numerator, one.denominator)}
    assert wanted <= MEASURES.keys()
