"""What the returns of one case so far mean for the next step: when only a joint ruling is left, and whom it binds.

Source: the issue of unclear owners in 国办函〔2025〕66号: where units push a case to and fro, the hotline names a lead unit and
assisting units, and says on what law.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Case, Return, State
from .reference import reference

TOO_OFTEN = 3  # the return of one case that is ruled on jointly, whatever it says


def _unit(unit_id: int) -> str:
    return reference().units[unit_id].said


def waiting_return(case: Case) -> Return | None:
    """The return that has to be ruled on now."""
    return Return.objects.filter(case=case, ruling=Return.Ruling.WAITING).first()


def last_ruled(case: Case) -> Return | None:
    """The newest return of which the hotline said that the dispatch was wrong: what the catalogue may learn from."""
    return Return.objects.filter(
        case=case, ruling__in=(Return.Ruling.UPHELD, Return.Ruling.JOINT)).order_by("-raised_at", "-id").first()


def why_jointly(case: Case, entry: Return | None = None) -> str | Promise:
    """Why plain upholding will not do; empty when it will. `entry` is the waiting return, where it is at hand."""
    if case.state != State.OBJECTED:
        return ""
    if case.returns >= TOO_OFTEN:
        return _("这件工单已是第 %(n)d 次退单，须联合裁定：定主办和协办单位，写明依据。") % {"n": case.returns}
    entry = entry or waiting_return(case)
    if entry is None or entry.suggested_unit_id is None:
        return ""
    if Return.objects.filter(case=case, unit_id=entry.suggested_unit_id, suggested_unit_id=entry.unit_id).exists():
        return _("%(one)s和%(other)s各说是对方的职责，须联合裁定：定主办和协办单位，写明依据。") % {
            "one": _unit(entry.unit_id), "other": _unit(entry.suggested_unit_id)}
    return ""


def bound_jointly(case: Case, unit_id: int) -> bool:
    """Whether a joint ruling of this round has said that the unit takes part."""
    return case.returns > 0 and Return.objects.filter(
        case=case, round=case.round, ruling=Return.Ruling.JOINT, bound__contains=[unit_id]).exists()


NOT_AGAIN = _("联合裁定已定下你单位的分工，这一轮不能再退单。确有新情况，请用内部留言告诉热线。")


def barred(case: Case, unit_id: int | None) -> Mapping[str, str | Promise]:
    """Actions that the table allows and the returns so far do not, each with the sentence its button shows. `unit_id` is
    the unit acted for, if any. At most two queries, and none for a case that was never returned."""
    if not case.returns:
        return {}
    if case.state == State.OBJECTED:
        reason = why_jointly(case)
        return {"uphold_return": reason} if reason else {}
    if unit_id is not None and case.state in (State.DISPATCHED, State.IN_HAND) and bound_jointly(case, unit_id):
        return {"raise_return": NOT_AGAIN}
    return {}
