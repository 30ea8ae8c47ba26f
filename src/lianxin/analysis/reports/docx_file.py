"""A document as DOCX: real headings, tables with header rows, pictures with a text alternative."""

from __future__ import annotations

import io
from typing import Any, Final

from .document import Block, Cell, Commands, Document, Paragraph, Pictures, Table
from .raster import pixels

_LATIN: Final = "Arial"
_CHINESE: Final = {"zh-hans": "Microsoft YaHei", "zh-hant": "Microsoft JhengHei"}
_ROW_OF: Final = 2  # charts
_WIDE_TABLE: Final = 7  # columns from which the letters are smaller


def as_docx(document: Document) -> bytes:
    """A4; the fonts are named, not carried: an office has them or takes its own."""
    from docx import Document as new

    out = new()
    _page(out)
    _fonts(out, document.language)
    out.core_properties.title = document.title
    out.core_properties.subject = document.subtitle
    out.core_properties.language = document.language
    out.core_properties.author = ""
    drawn = iter(pixels([picture.svg for section in document.sections for block in section.blocks
                         if isinstance(block, Pictures) for picture in block.shown]))
    out.add_heading(document.title, 0)
    out.add_paragraph(document.subtitle)
    out.add_paragraph(document.stand)
    for section in document.sections:
        out.add_heading(section.title, 1)
        for block in section.blocks:
            _block(out, block, drawn)
    held = io.BytesIO()
    out.save(held)
    return held.getvalue()


def _page(out: Any) -> None:
    from docx.shared import Mm

    page = out.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(18)
    page.top_margin = page.bottom_margin = Mm(18)


def _fonts(out: Any, language: str) -> None:
    """One family for Latin letters, one for Chinese, in every style that is used; no theme's blue."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name, size in (("Normal", 10.5), ("Title", 20), ("Heading 1", 14), ("Caption", 10)):
        style = out.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = _LATIN, Pt(size), RGBColor(0x1F, 0x1D, 0x19)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for given in list(fonts.attrib):
            if "Theme" in given:
                del fonts.attrib[given]
        fonts.set(qn("w:ascii"), _LATIN)
        fonts.set(qn("w:hAnsi"), _LATIN)
        fonts.set(qn("w:eastAsia"), _CHINESE.get(language, _CHINESE["zh-hans"]))


def _block(out: Any, block: Block, drawn: Any) -> None:
    if isinstance(block, Paragraph):
        run = out.add_paragraph().add_run(block.text)
        run.bold = block.look in ("lead", "notice")
    elif isinstance(block, Commands):
        for line in block.lines:
            out.add_paragraph().add_run(line).font.name = "Consolas"
    elif isinstance(block, Table):
        _table(out, block)
    else:
        _pictures(out, block, drawn)


def _table(out: Any, block: Table) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    caption = out.add_paragraph(block.caption, style="Caption")
    caption.paragraph_format.keep_with_next = True
    size = Pt(8 if len(block.head) >= _WIDE_TABLE else 9)
    table = out.add_table(rows=1, cols=len(block.head), style="Table Grid")
    for place, words in zip(table.rows[0].cells, block.head, strict=True):
        _write(place, words, size, bold=True)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for row in block.rows:
        made = table.add_row()
        keep = OxmlElement("w:cantSplit")
        keep.set(qn("w:val"), "true")
        made._tr.get_or_add_trPr().append(keep)
        for place, cell in zip(made.cells, row, strict=True):
            _write(place, _said(cell), size, bold=cell.mood != "")
    out.add_paragraph()


def _said(cell: Cell) -> str:
    """The cell in up to three lines: value, parts, note."""
    parts = "/".join(words for words, _cases in cell.parts)
    return "\n".join(part for part in (cell.text, parts, cell.note) if part)


def _write(place: Any, words: str, size: Any, *, bold: bool = False) -> None:
    paragraph = place.paragraphs[0]
    paragraph.paragraph_format.space_after = 0
    run = paragraph.add_run(words)
    run.font.size = size
    run.bold = bold


def _pictures(out: Any, block: Pictures, drawn: Any) -> None:
    from docx.shared import Mm

    alone = len(block.shown) == 1
    table = out.add_table(rows=0, cols=1 if alone else _ROW_OF)
    row: Any = None
    for index, picture in enumerate(block.shown):
        if row is None or index % _ROW_OF == 0:
            row = table.add_row()
        place = row.cells[index % _ROW_OF]
        place.paragraphs[0].add_run(picture.title).bold = True
        shown = place.add_paragraph().add_run().add_picture(io.BytesIO(next(drawn)), width=Mm(120 if alone else 82))
        shown._inline.docPr.set("descr", picture.told)
        shown._inline.docPr.set("title", picture.title)
    out.add_paragraph()
