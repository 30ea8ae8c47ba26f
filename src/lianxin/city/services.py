"""What is asked of whoever reports through an outside app, in a city's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from lianxin.services.models import LISTS, ServiceAttribute

from . import files
from .checks import known, once
from .tables import Row, read_table

if TYPE_CHECKING:
    from .plan import Plan

_PLAIN = ("datatype", "required", "question", "question_en", "hint", "hint_en")


def read(plan: Plan) -> None:
    plan.service_attributes = once(read_table(plan.directory, files.SERVICE_ATTRIBUTES, plan.faults), ("category", "code"), plan.faults)


def check(plan: Plan) -> None:
    """Every fault of the file that one cell alone does not show."""
    faults = plan.faults
    parents = {row["code"]: row["parent"] for row in plan.categories}
    asked = {(row["category"], row["code"]) for row in plan.service_attributes}
    for row in plan.service_attributes:
        listed = row["datatype"] in LISTS
        if row["told_only"]:
            if row["required"]:
                faults.add(row.file, row.line, _("只是告知的，不能写 required"))
        elif listed and not row["options"]:
            faults.add(row.file, row.line, _("%s 要写明 options") % row["datatype"])
        elif not listed and row["options"]:
            faults.add(row.file, row.line, _("只有 singlevaluelist 和 multivaluelist 才有 options"))
        if not known(faults, row, "category", parents):
            continue
        if any((above, row["code"]) in asked for above in _above(row["category"], parents)):
            faults.add(row.file, row.line, _("%s 在上级事项里已经问过") % row["code"])


def _above(code: str, parents: dict[str, str]) -> list[str]:
    found: list[str] = []
    above = parents.get(code, "")
    while above and above not in found:
        found.append(above)
        above = parents.get(above, "")
    return found


def _made(row: Row, place: int, category_ids: dict[str, int]) -> ServiceAttribute:
    return ServiceAttribute(
        category_id=category_ids[row["category"]], code=row["code"], variable=not row["told_only"], position=row["order"] or place,
        options=[list(option) for option in row["options"]], active=True, **{name: row[name] for name in _PLAIN})


def store(plan: Plan, category_ids: dict[str, int]) -> int:
    """Questions by category and code; one that is gone is asked no more."""
    made = [_made(row, place, category_ids) for place, row in enumerate(plan.service_attributes, start=1)]
    kept = ServiceAttribute.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["category", "code"],
        update_fields=[*_PLAIN, "variable", "position", "options", "active"])
    ServiceAttribute.objects.exclude(pk__in=[one.pk for one in kept]).update(active=False)
    return len(made)
