"""docs/reference/linkage/: the interface between two desks as the documents that every desk serves."""

from __future__ import annotations

import json
from typing import Any

from lianxin.linkage import published


def _said(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def openapi() -> str:
    """OpenAPI 3.1, with the desk's own address left open."""
    return _said(published.openapi())


def schema() -> str:
    """JSON Schema 2020-12 of one message."""
    return _said(published.schema())
