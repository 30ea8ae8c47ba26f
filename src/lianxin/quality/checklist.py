"""What a reviewer answers of a reply, and whether the answers let it pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Case
from lianxin.cases.reference import Reference
from lianxin.kernel.errors import Invalid

from .models import ANSWERS, Answer, ChecklistItem


def items_for(case: Case, held: Reference) -> list[ChecklistItem]:
    """The questions asked of this case's reply, in the city's order. Of the rows with one code the nearest category's
    stands; those for field matters are left out of others. One query."""
    node = held.nodes.get(case.category_id) if case.category_id else None
    lineage: tuple[int | None, ...] = (*(node.lineage if node else ()), None)
    nearest: dict[str, ChecklistItem] = {}
    for item in ChecklistItem.objects.filter(active=True):
        if item.category_id not in lineage or (item.field_only and not (node and node.field_matter)):
            continue
        other = nearest.get(item.code)
        if other is None or lineage.index(item.category_id) < lineage.index(other.category_id):
            nearest[item.code] = item
    return sorted(nearest.values(), key=lambda item: (item.position, item.code))


def _refuse(faults: Sequence[str]) -> Invalid:
    return Invalid(_("审核清单还有没过的项目，补上再提交。已填的内容都在。"), fields={"answers": " ".join(faults)})


def checked(items: Sequence[ChecklistItem], answers: Mapping[str, str]) -> dict[str, str]:
    """The answers, in the order of the questions. Raises Invalid for a question that is not asked of this case, an
    answer that is none, and `na` where the question always applies."""
    asked = {item.code: item for item in items}
    faults: list[str] = []
    for code, answer in answers.items():
        item = asked.get(code)
        if item is None:
            faults.append(str(_("没有“%s”这一项。") % str(code)[:24]))
        elif answer not in ANSWERS:
            faults.append(str(_("“%s”请答是、否或不适用。") % item.said))
        elif answer == Answer.NOT_APPLICABLE and not item.na_allowed:
            faults.append(str(_("“%s”不能答不适用。") % item.said))
    if faults:
        raise _refuse(faults)
    return {item.code: answers[item.code] for item in items if item.code in answers}


def passed(items: Sequence[ChecklistItem], answers: Mapping[str, str]) -> dict[str, str]:
    """As `checked`, and raises Invalid naming what keeps the reply from passing: a required question that is not
    answered, or any that is answered with no where it is required."""
    given = checked(items, answers)
    faults = [
        str((_("“%s”还没有核对。") if item.code not in given else _("“%s”答了否：请退回重办。")) % item.said)
        for item in items if item.required and given.get(item.code) not in (Answer.YES, Answer.NOT_APPLICABLE)
    ]
    if faults:
        raise _refuse(faults)
    return given
