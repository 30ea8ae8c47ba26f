"""What may not be pushed down: a department's own work to a town, anybody's statutory work to a village or a grid.

Source: 国办函〔2025〕66号 (no pushing of departmental work onto the grassroots). A unit's level is its area's and its kind's;
a village committee or a grid has no statutory duty of its own that a case could be sent to it for.
"""

from __future__ import annotations

import re
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.organisations.models import UnitKind

from .models import Case
from .reference import Body, Reference

DEPARTMENT, TOWN, VILLAGE, GRID = range(4)
NOT_TO_A_TOWN = _("部门职责内的事项不得下推给乡镇街道、村社区或网格。")
NOT_TO_A_VILLAGE = _("村（社区）和网格不承担法定职责，工单不得下推给它们。")

# 由社区办理, 转村委会处理, 交网格员解决 – but not 不应由社区办理. Only what hands the matter over; a place may be named.
_HANDED_DOWN = re.compile(
    r"(?<!不)(?<!不应)(?<!不得)(?<!不能)(?<!不该)(?<!不宜)(?:移交|下派|下转|责成|交|由|转|派|请|让)(?:给|由|至|到)?"
    r"[^。；，、,;\n]{0,12}?(?:村委会|村民委员会|居委会|居民委员会|社区|网格员|网格|村里|村组)"
    r"[^。；，、,;\n]{0,3}?(?:办理|处理|处置|承办|负责|解决|落实|牵头|接手)"
)


def level_of(held: Reference, unit: Body) -> int:
    """`DEPARTMENT` for city and county bodies and their stations, then `TOWN`, `VILLAGE`, `GRID`."""
    place = held.places.get(unit.area_id or 0)
    if place is not None and place.level in ("village", "grid"):
        return VILLAGE if place.level == "village" else GRID
    return TOWN if unit.kind == UnitKind.TOWN_GOVERNMENT else DEPARTMENT


def pushed_down(held: Reference, case: Case, *, by: Body, to: Body, on: date) -> str | Promise:
    """Why `by` may not say that the case is `to`'s; empty when it may. A town may be named for what the dispatch
    catalogue itself gives to it."""
    below, above = level_of(held, to), level_of(held, by)
    if below >= VILLAGE and below > above:
        return NOT_TO_A_VILLAGE
    if below == TOWN and above == DEPARTMENT:
        says = held.responsible(category_id=case.category_id, area_id=case.area_id, on=on)
        return "" if says is not None and says.lead.id == to.id else NOT_TO_A_TOWN
    return ""


def refuse_grassroots(held: Reference, unit: Body, field: str) -> None:
    """Raise Invalid for a village or a grid as a unit that a case is given to."""
    if level_of(held, unit) >= VILLAGE:
        raise Invalid(NOT_TO_A_VILLAGE, fields={field: str(_("请选有这项法定职责的单位。"))})


def refuse_handing_down(held: Reference, by: Body, evidence: str) -> None:
    """Raise Invalid for evidence that hands the matter to a village or a grid in so many words."""
    found = _HANDED_DOWN.search(evidence)
    if found is not None and level_of(held, by) < VILLAGE:
        raise Invalid(NOT_TO_A_VILLAGE, fields={"evidence": str(_("“%s”：请写明有这项职责的单位。") % found[0])})
