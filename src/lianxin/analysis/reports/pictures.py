"""A report's charts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.utils.translation import gettext as _

from lianxin.kernel.language import listed, named
from lianxin.places.maps import layer

from ..charts import Bar, Caption, Interval, Point, Region, bars, county_map, intervals, trend
from ..charts.county_map import Shade
from ..figures import Breakdown, Figure, Hot, Report, Row, Series
from ..rates import DEFINITIONS
from . import words
from .document import Picture

MOST_ROWS = 24
ROW_CHARTS = ("resolution", "on_time_resolve")  # the figures drawn for each row of a breakdown


def of_series(series: Series) -> Picture:
    """One figure over time with its control limits, and a sentence on the last point."""
    definition = DEFINITIONS[series.code]
    last = series.points[-1] if series.points else None
    told = [_("%(label)s，%(n)d 期。") % {"label": definition.label, "n": len(series.points)}]
    if series.centre is not None:
        told.append(_("长期水平 %(value)s。") % {"value": f"{series.centre * 100:.1f}%"})
    if last is not None:
        told.append(_("最近一期 %(figure)s。") % {"figure": words.figure_said(last.figure)})
        told.append(standing_said(series))
    points = [Point(words.period_short(point.period), point.figure.value, point.lower, point.upper, point.figure.small, point.outside)
              for point in series.points]
    caption = Caption(f"trend-{series.code}", str(definition.label), words.sentences(*told))
    return Picture(caption.title, caption.told, trend(points, caption=caption, centre=series.centre))


def standing_said(series: Series) -> str:
    """The last point against its limits, in a sentence."""
    last = series.points[-1] if series.points else None
    if last is None or last.figure.empty:
        return _("这一期没有可算的件。")
    if last.figure.small:
        return _("这一期件数太少，不作判断。")
    if last.outside:
        return _("与长期水平比，超出控制限：不像是偶然，应查原因。")
    if last.run:
        return _("连续八期以上在长期水平的同一侧：水平可能已经变了。")
    return _("与长期水平比，在控制限之内。")


def _with(breakdown: Breakdown, code: str) -> list[Row]:
    return [row for row in breakdown.rows if not row.figures[code].empty]


def left_out(breakdown: Breakdown, codes: Sequence[str] = ROW_CHARTS) -> int:
    """How many rows the chart that holds most has no room for."""
    return max(0, max(len(_with(breakdown, code)) for code in codes) - MOST_ROWS)


def of_rows(breakdown: Breakdown, code: str, whole: Figure) -> Picture:
    """One figure for each row with its interval, in the order of codes; too small ones say so."""
    definition = DEFINITIONS[code]
    rows = _with(breakdown, code)[:MOST_ROWS]
    drawn = [_interval(row, row.figures[code]) for row in rows]
    few = sum(row.value is None for row in drawn)
    told = _("%(label)s，%(n)d 行，每行一个点和它的 95%% 区间；虚线是全部的水平。其中 %(few)d 行件数太少，不画。") % {
        "label": definition.label, "n": len(drawn), "few": few}
    if more := len(_with(breakdown, code)) - len(rows):
        told = words.sentences(told, _("另有 %(more)d 行没有画，都在表里。") % {"more": more})
    caption = Caption(f"rows-{breakdown.by}-{code}", str(definition.label), told)
    return Picture(caption.title, told, intervals(drawn, caption=caption, whole=None if whole.small else whole.value))


def _interval(row: Row, figure: Figure) -> Interval:
    parts = f"{figure.numerator}/{figure.denominator}"
    if figure.small or figure.value is None:
        return Interval(words.row_name(row), None, None, None, f"{parts} {words.few_said(figure)}")
    return Interval(words.row_name(row), figure.value, figure.low, figure.high, parts)


def of_hot(hot: Sequence[Hot]) -> Picture:
    """What was raised most, with a tick where the period before stood."""
    rows = [Bar(named(one.name, one.name_en), one.cases, one.before, f"{one.cases} ({one.before})") for one in hot]
    said = listed(f"{row.name} {row.said}" for row in rows)
    told = _("登记最多的事项，括号里和竖线是上一期：%(rows)s。") % {"rows": said}
    caption = Caption("hot", str(_("登记最多的事项")), told)
    return Picture(caption.title, told, bars(rows, caption=caption))


def shade_of(figure: Figure, whole: Figure) -> Shade:
    """Whether a rate's whole interval lies above or below the whole's rate."""
    if figure.small or whole.value is None or figure.low is None or figure.high is None:
        return ""
    return "high" if figure.low > whole.value else "low" if figure.high < whole.value else ""


def of_counties(report: Report, code: str = "resolution") -> Picture | None:
    """Circles for the cases registered, a shade where a rate lies beyond chance; None where no county has a border."""
    features = json.loads(layer("county").text)["features"]
    if not features:
        return None
    counts = {density.code: density.registered for density in report.counties}
    figures = {row.code: row.figures[code] for row in report.breakdowns["county"].rows}
    regions, told, made = [], [], []
    for feature in features:
        held = feature["properties"]
        name = named(held["name"], held["name_en"])
        figure = figures.get(held["code"])
        shade = shade_of(figure, report.figures[code]) if figure is not None else ""
        count = counts.get(held["code"], 0)
        regions.append(Region(name, feature["geometry"], count, shade, held["synthetic"]))
        told.append(f"{name} {count}")
        if held["synthetic"]:
            made.append(name)
    label = str(DEFINITIONS[code].label)
    said = _("圆的面积是登记的件数：%(rows)s。绿色的县市区%(label)s高于全部，黄色的低于全部，都超出偶然范围；其余没有差别或件数太少。") % {
        "rows": listed(told), "label": label}
    if made:
        said = words.sentences(said, _("虚线边界是推算的，不是测绘的：%(names)s。") % {"names": listed(made)})
    caption = Caption("map-counties", _("各县市区登记的件数"), said)
    return Picture(caption.title, said, county_map(regions, caption=caption))
