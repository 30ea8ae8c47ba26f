"""What is said of grid workers' steps: settled on the spot, asked to look, what was seen."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..models import Event


def _seen(event: Event, by: str) -> str:
    if event.data.get("handled"):
        return _("%s到现场看过：已经办好。") % by
    return _("%s到现场看过：没有办好。") % by


INSIDE = {
    "settle_on_the_spot": lambda event, by: _("%s当场处置，附处置前后的照片：") % by,
    "ask_check": lambda event, by: _("%(by)s请%(worker)s到现场核查。") % {"by": by, "worker": event.data.get("worker_name", "")},
    "answer_check": _seen,
}
OUTSIDE = {
    "settle_on_the_spot": lambda event, by: _("网格员当场处理了："),
}
