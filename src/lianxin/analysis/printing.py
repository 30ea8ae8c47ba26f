"""Figures for the terminal and for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.kernel.language import named

from .figures import By, Change, Figure, FigureKind, Period, Report, Row
from .rates import DEFINITIONS, THREE_RATES
from .reports.words import VERDICTS

ORDER: Final[tuple[By, ...]] = ("county", "unit", "category")


def _plain(value: Any) -> Any:
    if isinstance(value, Period):
        return {"code": value.code, "start": value.start.isoformat(), "end": value.end.isoformat(), "kind": value.kind.value}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def as_plain(report: Report) -> dict[str, Any]:
    """The whole report as JSON types; proportions are 0–1, times ISO 8601, `end` of a period is the first day after it."""
    plain: dict[str, Any] = _plain(report)
    return plain


def as_json(report: Report) -> str:
    return json.dumps(as_plain(report), ensure_ascii=False, indent=1)


def _number(figure: Figure, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if figure.kind is FigureKind.PROPORTION else f"{value:.3f}"


def said(figure: Figure) -> str:
    """`93.1%（27/29，78.0%–98.1%）` – with a word where the numbers are small."""
    if figure.empty:
        return _("没有可统计的")
    words = _("%(value)s（%(numerator)d/%(denominator)d，%(low)s–%(high)s）") % {
        "value": _number(figure, figure.value), "numerator": figure.numerator, "denominator": figure.denominator,
        "low": _number(figure, figure.low), "high": _number(figure, figure.high)}
    return _("%s 数量小") % words if figure.small else words


def _change(change: Change) -> str:
    words = str(VERDICTS[change.verdict])
    return words if change.p_value is None else f"{words} p={change.p_value:.2g}"


def _row(row: Row) -> str:
    name = named(row.name, row.name_en) or _("（无）")
    shown = "; ".join(f"{DEFINITIONS[code].label} {said(row.figures[code])}" for code in THREE_RATES)
    return f"  {row.code:<14} {name}: {shown}"


def as_text(report: Report) -> str:
    lines = [
        _("%(period)s：登记 %(registered)d 件，归档 %(closed)d 件，不予受理 %(declined)d 件；数据截至 %(as_of)s") % {
            "period": report.period.code, "registered": report.registered, "closed": report.closed,
            "declined": report.declined, "as_of": f"{localtime(report.as_of):%Y-%m-%d %H:%M}"},
        _("括号内为分子/分母和 95%% 区间；与 %(previous)s、%(year)s 相比：") % {
            "previous": report.previous_period.code, "year": report.year_before_period.code},
    ]
    lines += [
        f"{DEFINITIONS[code].label} {said(figure)}\n    {_change(report.changes[code])} | {_change(report.year_changes[code])}"
        for code, figure in report.figures.items()
    ]
    for breakdown in report.breakdowns.values():
        lines += ["", *(_row(row) for row in breakdown.rows)]
    return "\n".join(lines)
