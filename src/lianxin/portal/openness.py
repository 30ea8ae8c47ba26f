"""What the pages of public figures share: charts, files of numbers, answers that another site may frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import wraps
from typing import Any, Final, cast

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_supported_language_variant, override
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.clickjacking import xframe_options_exempt

from lianxin.analysis.charts import Caption, Column, columns
from lianxin.analysis.reports.document import Picture
from lianxin.analysis.reports.words import sentences
from lianxin.publishing import figure_rows
from lianxin.publishing.areas import Page

from .templatetags.openness import long_said

THEMES: Final = ("light", "dark")
FRAME_SECONDS: Final = 3600
View = Callable[..., HttpResponse]


def open_to_frames(view: View) -> View:
    """This page may stand in a frame of any site: it shows nothing of whoever looks, and takes nothing from them."""
    made: Any = xframe_options_exempt(csp_replace({"frame-ancestors": ["*"]})(view))
    return cast(View, wraps(view)(made))


def _wished(request: HttpRequest) -> str:
    """The language of `?lang=`, or the first the browser asks for that there is. No cookie is read: what is sent may be kept for all."""
    asked = request.GET.get("lang", "")
    if asked in dict(settings.LANGUAGES):
        return asked
    for code, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        with suppress(LookupError):
            return get_supported_language_variant(code)
    return settings.LANGUAGE_CODE


def embedded(request: HttpRequest, template: str, context: Callable[[], dict[str, Any]]) -> HttpResponse:
    """A page without cookies, scripts or forms. `?lang=` and `?theme=` choose how it looks; else the browser's wish holds."""
    language = _wished(request)
    theme = request.GET.get("theme", "")
    with override(language):
        # Not with the request: nothing on the page may ask for a session, or a cookie would be set.
        text = render_to_string(template, context() | {
            "theme": theme if theme in THEMES else "", "here": request.build_absolute_uri("/")[:-1]})
    response = HttpResponse(text)
    response["Cache-Control"] = f"public, max-age={FRAME_SECONDS}"
    response["Content-Language"] = language
    return response


def sent_file(name: str, kind: str, names: tuple[str, ...], rows: Iterator[figure_rows.Row], as_of: datetime) -> HttpResponse:
    """Rows as `csv` or `json`, which any page of any site may read."""
    if kind == "csv":
        response = HttpResponse(figure_rows.as_csv(names, rows), content_type="text/csv; charset=utf-8")
    elif kind == "json":
        response = HttpResponse(figure_rows.as_json(rows, as_of), content_type="application/json")
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=600"
    return response


def blocks_chart(page: Page) -> Picture | None:
    """The typical time over two years; None where no stretch has enough. A stretch without is a gap."""
    held = [(block, None if block.typical.few else block.typical) for block in page.blocks]
    known = [times for _block, times in held if times is not None and times.half is not None]
    if len(known) < 2:
        return None
    drawn = [Column(f"{block.window.start:%y-%m}", *(_days(times.half), _days(times.quarter), _days(times.three_quarters or times.half))
                    if times is not None and times.half is not None else (0.0, 0.0, 0.0)) for block, times in held]
    last = next(times for _block, times in reversed(held) if times is not None and times.half is not None)
    told = sentences(_("每十三周一根柱，共两年，单位是天；柱高是一半的事办结要多久，竖线是中间一半的范围。没有柱的，件数太少。"),
                     _("最近有数的一段：一半在 %(half)s之内办结。") % {"half": long_said(last.half)})
    caption = Caption("blocks", _("多久办结"), told)
    return Picture(caption.title, told, columns(drawn, caption=caption))


def _days(hours: int | None) -> float:
    return (hours or 0) / 24
