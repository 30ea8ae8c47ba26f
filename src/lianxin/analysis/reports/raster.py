"""Charts as pixels, for documents that hold no SVG: WeasyPrint draws, PDFium reads it back, with the same fonts as the PDF."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence

from .paper import printed

# Units of a chart are CSS pixels, 96 to an inch; a PDF has 72 points to one.
_SHARPNESS = 3.0
_alone = threading.Lock()  # PDFium is made for one thread


def pixels(charts: Sequence[str]) -> list[bytes]:
    """Each SVG as PNG, three pixels to a unit, on white. One run of WeasyPrint for all of them."""
    import pypdfium2

    if not charts:
        return []
    pages = "".join(f'<div class="page p{index}">{svg}</div>' for index, svg in enumerate(charts))
    sizes = "".join(f"@page p{index} {{ size: {wide}px {high}px; margin: 0 }} .p{index} {{ page: p{index} }}"
                    for index, (wide, high) in enumerate(map(_size, charts)))
    style = f"<style>{sizes} body {{ margin: 0 }} .page {{ break-after: page }} svg {{ display: block }}</style>"
    body = printed(f"<!doctype html><title>-</title>{style}{pages}")
    with _alone:
        held = pypdfium2.PdfDocument(body)
        try:
            return [_png(held[index].render(scale=_SHARPNESS * 96 / 72).to_pil()) for index in range(len(charts))]
        finally:
            held.close()


def _size(svg: str) -> tuple[float, float]:
    """Width and height as the chart says them."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(svg)
    return float(root.attrib["width"]), float(root.attrib["height"])


def _png(image: object) -> bytes:
    from PIL import Image

    assert isinstance(image, Image.Image)
    out = io.BytesIO()
    image.convert("RGB").quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()
