"""A document as a file: HTML that stands alone, PDF, DOCX; its tables as XLSX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import override

from lianxin.kernel import sheets

from .document import Document
from .docx_file import as_docx
from .paper import printed
from .workbook import as_xlsx

MEDIA: Final = {
    "html": "text/html; charset=utf-8", "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": sheets.MEDIA,
}


def as_html(document: Document) -> bytes:
    """One file with its style inside it: for a mailbox or a printer, never served as a page."""
    with override(document.language):
        return render_to_string("reports/file.html", {"document": document, "style": _style()}).encode()


def as_pdf(document: Document) -> bytes:
    with override(document.language):
        source = render_to_string("reports/file.html", {"document": document, "style": _style(), "paper": True})
    return printed(source, tagged=True)


def _style() -> str:
    """The sheets of print: the case file's, and what reports add."""
    return "\n".join(Path(path).read_text(encoding="utf-8") for name in ("faces/print.css", "reports/report-print.css")
                     if (path := finders.find(name)))


WRITERS: Final[dict[str, Callable[[Document], bytes]]] = {"html": as_html, "pdf": as_pdf, "docx": as_docx, "xlsx": as_xlsx}
