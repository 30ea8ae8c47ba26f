"""XML and JSON of one structure, as GeoReport v2 maps them onto each other (the Spark convention).

In JSON a list is an array, one thing too, and nothing is `null`. In XML a list is an element that holds one element for each item,
named in `ITEMS`, and nothing is an empty element. All is UTF-8, and the headers say so.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any, Final
from xml.sax.saxutils import escape

from django.http import HttpResponse

# What one item of a list is called in XML; a list's own name in JSON is not written at the root.
ITEMS: Final = {
    "services": "service", "service_requests": "request", "attributes": "attribute", "values": "value", "errors": "error",
    "endpoints": "endpoint", "formats": "format", "notes": "note", "service_request_updates": "request_update",
}
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


class Format(StrEnum):
    """What may stand behind the dot, with its media type."""

    XML = "xml"
    JSON = "json"

    @property
    def content_type(self) -> str:
        return {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}[self.value]


def format_of(suffix: str, accept: str) -> Format | None:
    """The format of an address: its suffix; without one, what `Accept` asks for, XML where it asks for neither. None for a suffix
    that is no format."""
    if suffix:
        return Format(suffix) if suffix in list(Format) else None
    wanted = accept.lower()
    return Format.JSON if "json" in wanted and "xml" not in wanted else Format.XML


def _text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return escape(_FORBIDDEN.sub("", str(value)))


def _written(name: str, value: Any, out: list[str]) -> None:
    if value is None or value == "" or value == []:
        out.append(f"<{name}/>")
    elif isinstance(value, dict):
        out.append(f"<{name}>")
        for key, inner in value.items():
            _written(key, inner, out)
        out.append(f"</{name}>")
    elif isinstance(value, list):
        out.append(f"<{name}>")
        for inner in value:
            _written(ITEMS[name], inner, out)
        out.append(f"</{name}>")
    else:
        out.append(f"<{name}>{_text(value)}</{name}>")


def to_xml(root: str, content: Any) -> str:
    out = ['<?xml version="1.0" encoding="utf-8"?>\n']
    _written(root, content, out)
    return "".join(out)


def answer(form: Format, root: str, content: Any, *, status: int = 200) -> HttpResponse:
    """`content` as the answer to a request; `root` names it in XML."""
    body = to_xml(root, content) if form is Format.XML else json.dumps(content, ensure_ascii=False)
    # A half character that a database can hold but UTF-8 cannot write is no reason to fail.
    return HttpResponse(body.encode("utf-8", "replace"), status=status, content_type=form.content_type)
