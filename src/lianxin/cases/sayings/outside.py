"""What is said, to staff only, of another system that has a case as well."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lianxin.kernel.language import named

from ..models import Event


def _noted(event: Event, _by: str) -> str:
    data = event.data
    values = {"system": named(str(data.get("system_name", "")), str(data.get("system_name_en", ""))) or str(data.get("system", "")),
              "reference": data.get("reference", ""), "count": data.get("count", 1)}
    made: dict[str, Callable[[], str]] = {
        "sent": lambda: _("已发到%(system)s，对方编号 %(reference)s。"),
        "imported": lambda: _("从%(system)s转来，对方编号 %(reference)s。"),
        "progress": lambda: _("%(system)s（%(reference)s）的进展："),
        "closed": lambda: _("%(system)s（%(reference)s）已办结。这里仍由承办单位答复："),
        "reopened": lambda: _("%(system)s（%(reference)s）又打开了这件事："),
        "aside": lambda: _("%(system)s（%(reference)s）的办结说明没有采用。"),
        "photo": lambda: ngettext("%(system)s（%(reference)s）传来 %(count)d 张照片。",
                                  "%(system)s（%(reference)s）传来 %(count)d 张照片。", values["count"]),
        "photo_lost": lambda: _("%(system)s（%(reference)s）有一张照片取不下来："),
        "lost": lambda: _("%(system)s里没有找到编号 %(reference)s。"),
    }
    told = made.get(str(data.get("stage", "")))
    return (told() if told else _("%(system)s有新的情况。")) % values


INSIDE = {"note_outside": _noted}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {}
