"""`{% t "中文" n=3 %}` and `{% label "state" handover.state %}` in the language of the screen."""

from __future__ import annotations

from typing import Any

from django import template

from ..options import Options
from ..words import LABELS, tell
from ..words import label as labelled

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: dict[str, Any], text: str, **values: Any) -> str:
    return tell(context["language"], text, **values)


@register.simple_tag(takes_context=True)
def label(context: dict[str, Any], what: str, code: str) -> str:
    return labelled(context["language"], what, code)


@register.simple_tag(takes_context=True)
def side(context: dict[str, Any], which: str) -> str:
    """The desk's own title, or the other's."""
    desk: Options = context["desk"]
    return desk.title if which == "us" else desk.peer_title


@register.simple_tag(takes_context=True)
def choices(context: dict[str, Any], what: str, without: str = "") -> list[tuple[str, str]]:
    return [(code, tell(context["language"], text)) for code, text in LABELS[what].items() if code not in without.split()]
