"""Figures, changes and periods in words, in the reader's language."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from lianxin.kernel.language import in_english, named

from ..figures import Change, Figure, FigureKind, Period, PeriodKind, Report, Row, Verdict

TITLES: Final[dict[PeriodKind, str | Promise]] = {
    PeriodKind.WEEK: gettext_lazy("诉求办理周报"), PeriodKind.MONTH: gettext_lazy("诉求办理月报"),
    PeriodKind.QUARTER: gettext_lazy("诉求办理季报"), PeriodKind.YEAR: gettext_lazy("诉求办理年报"),
    PeriodKind.CUSTOM: gettext_lazy("诉求办理统计报告"),
}
BEFORE: Final[dict[PeriodKind, str | Promise]] = {
    PeriodKind.WEEK: gettext_lazy("比上周"), PeriodKind.MONTH: gettext_lazy("比上月"),
    PeriodKind.QUARTER: gettext_lazy("比上季度"), PeriodKind.YEAR: gettext_lazy("比上年"),
    PeriodKind.CUSTOM: gettext_lazy("比上一期"),
}
VERDICTS: Final[dict[Verdict, str | Promise]] = {
    Verdict.BETTER: gettext_lazy("好转，超出偶然范围"), Verdict.WORSE: gettext_lazy("变差，超出偶然范围"),
    Verdict.HIGHER: gettext_lazy("升高，超出偶然范围"), Verdict.LOWER: gettext_lazy("降低，超出偶然范围"),
    Verdict.NONE: gettext_lazy("变化在偶然范围内"), Verdict.TOO_FEW: gettext_lazy("件数太少，不作比较"),
    Verdict.NO_BEFORE: gettext_lazy("没有可比的数"),
}


def sentences(*said: str) -> str:
    """Whole sentences one after another: with a space between them in English."""
    return (" " if in_english() else "").join(part for part in said if part)


def day(at: date) -> str:
    return _("%(year)d 年 %(month)d 月 %(day)d 日") % {"year": at.year, "month": at.month, "day": at.day}


def period_said(period: Period) -> str:
    """A period for a heading: `2026 年第 47 周（2026 年 11 月 16 日 至 2026 年 11 月 22 日）`."""
    span = _("%(first)s 至 %(last)s") % {"first": day(period.start), "last": day(period.last_day)}
    if period.kind is PeriodKind.WEEK:
        year, week, _weekday = period.start.isocalendar()
        return _("%(year)d 年第 %(week)d 周（%(span)s）") % {"year": year, "week": week, "span": span}
    if period.kind is PeriodKind.MONTH:
        return _("%(year)d 年 %(month)d 月") % {"year": period.start.year, "month": period.start.month}
    if period.kind is PeriodKind.QUARTER:
        return _("%(year)d 年第 %(quarter)d 季度") % {
            "year": period.start.year, "quarter": (period.start.month + 2) // 3}
    if period.kind is PeriodKind.YEAR:
        return _("%(year)d 年") % {"year": period.start.year}
    return span


def period_short(period: Period) -> str:
    """A period under an axis."""
    if period.kind is PeriodKind.WEEK:
        return f"W{period.start.isocalendar().week:02}"
    if period.kind is PeriodKind.MONTH:
        return f"{period.start:%y-%m}"
    if period.kind is PeriodKind.QUARTER:
        return f"{period.start:%y}Q{(period.start.month + 2) // 3}"
    return str(period.start.year) if period.kind is PeriodKind.YEAR else f"{period.start:%m-%d}"


def row_name(row: Row) -> str:
    return named(row.name, row.name_en) or row.code or _("未定")


def value_said(figure: Figure) -> str:
    """The value alone: `86.2%`, or so many in a hundred rounds; nothing for what is too small or empty."""
    if figure.value is None or figure.small:
        return ""
    if figure.kind is FigureKind.COUNT:
        return _("每百轮 %(n)s 次") % {"n": f"{figure.value * 100:.1f}"}
    return f"{figure.value * 100:.1f}%"


def range_said(figure: Figure) -> str:
    """The 95 % interval: `68.3%–92.1%`."""
    if figure.low is None or figure.high is None or figure.small:
        return ""
    ends = f"{figure.low * 100:.1f}", f"{figure.high * 100:.1f}"
    return "–".join(ends) if figure.kind is FigureKind.COUNT else f"{ends[0]}%–{ends[1]}%"


def few_said(figure: Figure) -> str:
    """Why there is no value."""
    return _("没有") if figure.empty else _("件数太少")


def figure_said(figure: Figure) -> str:
    """A whole figure in a line: value, parts, interval."""
    parts = f"{figure.numerator}/{figure.denominator}"
    value = value_said(figure)
    if not value:
        return _("%(few)s（%(parts)s），不计算比率") % {"few": few_said(figure), "parts": parts}
    return _("%(value)s（%(parts)s，95%% 区间 %(range)s）") % {
        "value": value, "parts": parts, "range": range_said(figure)}


def difference_said(change: Change) -> str:
    """`+3.1 个百分点`; empty when nothing is compared: a difference of few cases would be read as one."""
    if change.difference is None or change.verdict in (Verdict.TOO_FEW, Verdict.NO_BEFORE):
        return ""
    said = f"{change.difference * 100:+.1f}".replace("-", "−")
    said = "±0.0" if said in ("+0.0", "−0.0") else said
    return _("%(n)s 次/百轮") % {"n": said} if change.now.kind is FigureKind.COUNT else _("%(n)s 个百分点") % {"n": said}


def change_said(change: Change) -> str:
    """The difference and what may be made of it."""
    verdict, difference = str(VERDICTS[change.verdict]), difference_said(change)
    if not difference:
        return verdict
    # Translators: a difference, then the sentence that judges it.
    return pgettext("difference and verdict", "%(difference)s，%(verdict)s") % {
        "difference": difference, "verdict": verdict}


def mood_of(change: Change) -> Literal["", "good", "bad"]:
    if change.verdict is Verdict.BETTER:
        return "good"
    return "bad" if change.verdict is Verdict.WORSE else ""


def scope_name(names: tuple[str, ...], city: str) -> str:
    """What the report is about: the city, or what it was narrowed to."""
    return " · ".join(names) if names else city


def file_name(report: Report, codes: tuple[str, ...]) -> str:
    """ASCII, for a download: `report-2026-11-unit01`."""
    return "-".join(("report", report.period.code.replace("..", "-to-"), *codes))
