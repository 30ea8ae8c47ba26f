"""HTML printed as PDF, by everything that prints: case files, reports, charts on their way to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def printed(html: str, *, styles: Sequence[str | Path] = (), tagged: bool = False) -> bytes:
    """The PDF of a page that holds all it needs: nothing is fetched, whatever an address in it says. `styles` are
    stylesheets on disk; `tagged` makes a PDF/UA, which a screen reader can read."""
    from weasyprint import CSS, HTML

    more: dict[str, Any] = {"pdf_ua": True} if tagged else {}
    source = HTML(string=html, url_fetcher=_no_fetch)
    return bytes(source.write_pdf(stylesheets=[CSS(filename=str(path)) for path in styles], **more))


def _no_fetch(url: str) -> dict[str, Any]:
    return {"string": "", "mime_type": "text/plain"}
