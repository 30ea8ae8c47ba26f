"""Returns in sentences: what the joint ruling settled. The reporter reads whose it is, not who pushed it to whom."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from lianxin.kernel.language import listed

from ..models import Event
from ..reference import reference


def _unit(code: object) -> str:
    found = reference().units_by_code.get(str(code or ""))
    return found.said if found else str(code or "")


def _values(event: Event, by: str) -> dict[str, str]:
    return {"by": by, "unit": _unit(event.data.get("lead_unit")),
            "others": listed(_unit(code) for code in event.data.get("assisting_units", ()))}


INSIDE: dict[str, Callable[[Event, str], str]] = {
    "rule_jointly": lambda event, by: _("%(by)s联合裁定：%(unit)s主办，%(others)s协办，本轮不再退单。") % _values(event, by),
}
OUTSIDE: dict[str, Callable[[Event, str], str]] = {
    "rule_jointly": lambda event, by: _("热线核定了由谁办：%(unit)s办理，%(others)s配合。") % _values(event, by),
}
