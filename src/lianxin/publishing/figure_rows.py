"""The numbers behind the public figures, as rows: what the pages show, to be downloaded and counted again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from lianxin.analysis.figures import Figure
from lianxin.analysis.rates import DEFINITIONS

from .areas import Page, Standing, Window
from .performance import FIGURES, GROUPS, IN_ROWS, Performance, by_name

RATE_COLUMNS: Final = ("period", "first_day", "last_day", "scope", "code", "name", "figure", "label", "numerator", "denominator", "value",
                       "low", "high", "note")
AREA_COLUMNS: Final = ("first_day", "last_day", "scope", "code", "name", "registered", "matters", "closed", "open", "hours_quarter",
                       "hours_half", "hours_three_quarters", "note")
KEPT_BACK: Final = "kept_back"  # one to four, or what would give such a number away
SMALL: Final = "small"  # below LIANXIN_SMALL_NUMBERS: compared with nothing
Row = dict[str, Any]


def _figure(figure: Figure | None) -> Row:
    if figure is None:
        return {"numerator": None, "denominator": None, "value": None, "low": None, "high": None, "note": KEPT_BACK}
    return {"numerator": figure.numerator, "denominator": figure.denominator, "value": figure.value, "low": figure.low,
            "high": figure.high, "note": SMALL if figure.small else ""}


def of_performance(made: Performance) -> Iterator[Row]:
    """The city's figures, its counties' and units', and the points of the series."""
    def row(period: Any, scope: str, code: str, name: str, figure_code: str, figure: Figure | None) -> Row:
        return {"period": period.code, "first_day": period.start.isoformat(), "last_day": period.last_day.isoformat(), "scope": scope,
                "code": code, "name": name, "figure": figure_code, "label": str(DEFINITIONS[figure_code].label), **_figure(figure)}

    for code in FIGURES:
        yield row(made.period, "city", "", "", code, made.figures[code])
    for by in GROUPS:
        for one in by_name(made.groups[by]):
            for code in IN_ROWS:
                yield row(made.period, by, one.code, one.name, code, one.figures[code])
    for code, series in made.series.items():
        for point in series.points[:-1]:
            if not point.figure.empty:
                yield row(point.period, "city", "", "", code, point.figure)


def _standing(window: Window, scope: str, one: Standing) -> Row:
    tally, times = one.tally, one.typical
    return {
        "first_day": window.start.isoformat(), "last_day": window.last_day.isoformat(), "scope": scope, "code": one.code, "name": one.name,
        "registered": tally.registered if tally else None, "matters": tally.matters if tally else None,
        "closed": tally.closed if tally else None, "open": one.open_said,
        "hours_quarter": times.quarter if times else None, "hours_half": times.half if times else None,
        "hours_three_quarters": times.three_quarters if times else None, "note": "" if tally else KEPT_BACK,
    }


def of_area(page: Page) -> Iterator[Row]:
    """The area, its year before, its parts, and its blocks of thirteen weeks (times only)."""
    from .areas import WEEKS

    yield _standing(page.window, "area", page.area)
    yield _standing(page.window.back(WEEKS), "area", page.before)
    for part in page.parts:
        yield _standing(page.window, "part", part)
    for block in page.blocks:
        few = block.typical.few
        yield {
            **dict.fromkeys(AREA_COLUMNS), "first_day": block.window.start.isoformat(), "last_day": block.window.last_day.isoformat(),
            "scope": "block", "code": page.area.code, "name": page.area.name,
            "hours_quarter": None if few else block.typical.quarter, "hours_half": None if few else block.typical.half,
            "hours_three_quarters": None if few else block.typical.three_quarters, "note": KEPT_BACK if few else "",
        }


def as_csv(columns: tuple[str, ...], rows: Iterator[Row]) -> str:
    """With a byte-order mark, so that a spreadsheet reads the Chinese."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return "\ufeff" + out.getvalue()


def as_json(rows: Iterator[Row], as_of: datetime, **more: Any) -> str:
    return json.dumps({"as_of": as_of.isoformat(), **more, "rows": list(rows)}, ensure_ascii=False, indent=1)
