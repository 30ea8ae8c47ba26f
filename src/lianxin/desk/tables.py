"""Lists that are taken away as files: CSV with a byte order mark, or XLSX; in neither does a cell become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from lianxin.kernel.sheets import MEDIA, Head, Sheet, neutral, written


def table_file(rows: Iterable[Sequence[object]], *, name: str, form: str) -> HttpResponse:
    """The rows, the first of which are the heads, as a file `name` in `form`: `csv` or `xlsx`."""
    if form == "xlsx":
        return _xlsx(list(rows), name)
    out = io.StringIO()
    csv.writer(out).writerows([[neutral(cell) for cell in row] for row in rows])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _xlsx(rows: list[Sequence[object]], name: str) -> HttpResponse:
    heads = [Head(str(cell), width=max(12, min(40, 2 * len(str(cell)) + 4))) for cell in (rows[0] if rows else ())]
    response = HttpResponse(written([Sheet(name[:31], heads, rows[1:])]), content_type=MEDIA)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response
