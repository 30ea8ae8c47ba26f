"""docs/reference/api.md: written by hand but for its table of operations, which is the OpenAPI document's."""

from __future__ import annotations

from lianxin.api.document import build, operations_table

from .settings import CHECKOUT

BEGIN, END = "<!-- operations -->", "<!-- end of operations -->"


def render() -> str:
    """The page as it stands, with the table as the operations have it now."""
    page = (CHECKOUT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    before, _mark, rest = page.partition(BEGIN)
    _table, _mark, after = rest.partition(END)
    return f"{before}{BEGIN}\n{operations_table(build())}\n{END}{after}"
