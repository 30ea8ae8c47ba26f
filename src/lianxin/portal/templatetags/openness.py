"""Public figures in words: plain ones, with what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.analysis.figures import Change, Figure
from lianxin.analysis.rates import DEFINITIONS
from lianxin.analysis.reports import words
from lianxin.faces.templatetags.lianxin import duration
from lianxin.kernel.language import named
from lianxin.publishing.typical import Typical
from lianxin.publishing.withholding import few

register = template.Library()
register.filter("period_said", words.period_said)
register.filter("day_of", words.day)


@register.filter
def long_said(hours: int | None) -> str:
    """`5 小时`, `3.2 天`; the first hour is called so."""
    if hours is None:
        return ""
    return _("不到 1 小时") if hours < 1 else duration(hours * 60)


@register.filter
def typical_said(found: Typical | None) -> str:
    """The typical time in a sentence, with its spread."""
    if found is None:
        return _("办结的太少，说不出一般要多久。")
    if found.half is None:
        return _("一半以上还没办结，说不出一般要多久。")
    if found.three_quarters is None:
        return _("一半在%(half)s之内办结；四分之一在%(quarter)s之内，四分之一以上还在等。") % {
            "half": long_said(found.half), "quarter": long_said(found.quarter)}
    return _("一半在%(half)s之内办结；中间一半用了%(quarter)s到%(most)s。") % {
        "half": long_said(found.half), "quarter": long_said(found.quarter), "most": long_said(found.three_quarters)}


@register.filter
def typical_short(found: Typical | None) -> str:
    """For a table: the median and the middle half."""
    if found is None or found.half is None:
        return _("说不出")
    if found.three_quarters is None:
        return _("%(half)s（%(quarter)s以上）") % {"half": long_said(found.half), "quarter": long_said(found.quarter)}
    return _("%(half)s（%(quarter)s–%(most)s）") % {
        "half": long_said(found.half), "quarter": long_said(found.quarter), "most": long_said(found.three_quarters)}


@register.filter
def many(count: int | None) -> str:
    """A count of cases; what is kept back is said so."""
    if count is None:
        return _("少于 5 件")
    return _("没有") if count == 0 else ngettext("%(n)d 件", "%(n)d 件", count) % {"n": count}


@register.filter
def said_by(count: int) -> str:
    return ngettext("%(n)d 人次", "%(n)d 人次", count) % {"n": count}


@register.filter
def rate_value(figure: Figure | None) -> str:
    """The value alone, or why there is none."""
    if figure is None:
        return _("件数太少，不公布")
    return words.value_said(figure) or words.few_said(figure)


@register.filter
def kept_back(figures: Mapping[str, Figure | None], codes: Iterable[str]) -> bool:
    """Whether a row has nothing to say but that its cases are too few to be published."""
    return all(figures.get(code) is None for code in codes)


@register.filter
def rate_parts(figure: Figure | None) -> str:
    """`61 / 71`; nothing where it is kept back."""
    return "" if figure is None or figure.empty else f"{figure.numerator} / {figure.denominator}"


@register.filter
def rate_range(figure: Figure | None) -> str:
    return "" if figure is None else words.range_said(figure)


@register.filter
def rate_said(figure: Figure | None) -> str:
    """A whole figure in a sentence for everyone."""
    if figure is None or few(figure.denominator):
        return _("件数太少，不公布。")
    if figure.empty:
        return _("还没有可以算的。")
    parts = {"whole": figure.denominator, "part": figure.numerator}
    value = words.value_said(figure)
    if not value:
        return _("%(whole)d 件里有 %(part)d 件（件数太少，不算百分比）") % parts
    return _("%(value)s：%(whole)d 件里有 %(part)d 件，可信区间 %(range)s") % {
        **parts, "value": value, "range": words.range_said(figure)}


@register.filter
def change_words(change: Change | None) -> str:
    return _("没有可比的数") if change is None else words.change_said(change)


@register.filter
def label_of(code: str) -> str:
    return str(DEFINITIONS[code].label)


@register.filter
def method_of(code: str) -> str:
    return str(DEFINITIONS[code].says)


@register.filter
def name_of(one: object) -> str:
    """The name in the reader's language of a row or an area; what has none is what was not assigned."""
    name = named(getattr(one, "name", ""), getattr(one, "name_en", ""))
    return name or _("没有归属的")


@register.filter
def span_said(first: date, last: date) -> str:
    return _("%(first)s 至 %(last)s") % {"first": words.day(first), "last": words.day(last)}
