"""The lines of a list, worked out in one pass: language, time zone and address are asked once for all of them.

A template would ask for each at every line, some two thousand look-ups for fifty cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import AssignmentRole, Case, Linkage, State, Urgency
from lianxin.faces.templatetags.lianxin import mood_at, said_name, short_name, short_time_on
from lianxin.kernel.clock import now
from lianxin.organisations.models import WORKING

from .templatetags.desk import excerpt

_NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Badge:
    """A short word in a coloured field. `mood` is its class: `vermilion`, `amber`, `green`, `accent` or none."""

    words: str
    mood: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of one case. `urgent` is the word for it, empty when it is not; `time` is when it was closed,
    else when it is due; `quiet` says that the time only orders the list, since nobody owes it any more; `late` is the
    badge under the time, and `provisional` the one of a date that rests on a year whose holidays are not published."""

    id: UUID
    address: str
    number: str
    urgent: str
    words: SafeString
    badges: tuple[Badge, ...]
    about: str
    state: Badge
    who: str
    closed: bool
    outcome: str
    time: str
    quiet: bool
    late: Badge | None
    provisional: Badge | None


def _badges(case: Case) -> Iterable[Badge]:
    """What sets a case apart from others in its state."""
    if case.duplicate_count:
        yield Badge(f"×{case.duplicate_count + 1}", "accent")
    if case.round > 1:
        yield Badge(_("第 %(n)s 次办理") % {"n": case.round}, "amber")
    if case.returns:
        yield Badge(_("退单 %(n)s 次") % {"n": case.returns})
    if case.confidential:
        yield Badge(_("保密"))
    if case.paused:
        yield Badge(_("挂起"), "accent")
    if case.linkage == Linkage.OFFERED:
        yield Badge(_("移交中"), "accent")
    if case.task and case.task.role == AssignmentRole.ASSIST:
        yield Badge(_("协办"), "accent")


def _who(case: Case) -> str:
    if case.task and case.task.officer:
        return said_name(case.task.officer)
    if case.linkage == Linkage.THERE:
        return _("联动单位")
    return short_name(case.lead_unit) if case.lead_unit else case.get_channel_display()


def due_of(case: Case) -> datetime | None:
    """When the next step is due: of a unit's own part, of the ruling, or of the case."""
    return case.task.due_at if case.task else case.ruling_due or case.due_at


def _unpublished(today: datetime) -> datetime:
    """The start of the first year from this one on whose calendar is not published. A unit's own date may lie before it
    where the case's lies after."""
    calendar = calendar_named(WORKING)
    year = next((year for year in range(today.year, today.year + 3) if not calendar.is_published(year)), today.year + 3)
    return today.replace(year=year, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def lines(cases: Iterable[Case], searched: str = "") -> list[Line]:
    """The cases of one page, in their order, with the words that were looked for marked. No queries of its own: the
    cases come from `cases.queries.rows` or with their `task`."""
    at = now()
    today = localtime(at)
    before, after = reverse("desk:case", args=[_NOWHERE]).split(str(_NOWHERE))
    cases = list(cases)
    unpublished = _unpublished(today) if any(case.due_provisional for case in cases) else today
    nothing, nowhere = _("未定事项"), _("未定地点")
    found = []
    for case in cases:
        task = case.task
        due = due_of(case)
        quiet = case.state in (State.REPLIED, State.CALLBACK)
        feeling = mood_at(due, at) if case.owes else ""
        state = task.get_state_display() if task else case.get_state_display()
        about = (
            said_name(case.category) if case.category else nothing,
            said_name(case.area) if case.area else case.place_text or nowhere,
            short_time_on(case.registered_at, today),
        )
        found.append(Line(
            id=case.pk, address=f"{before}{case.pk}{after}", number=case.number,
            urgent=case.get_urgency_display() if case.urgency == Urgency.URGENT else "",
            words=excerpt(case, searched), badges=tuple(_badges(case)), about=" · ".join(about),
            state=Badge(state, "green" if case.state == State.CLOSED else ""), who=_who(case),
            closed=case.closed_at is not None, outcome=case.get_outcome_display() if case.outcome else "",
            time=short_time_on(case.closed_at or due, today), quiet=quiet,
            late=Badge(_("裁定超时") if case.ruling_due else _("超时"), "vermilion") if feeling == "late"
            else Badge(_("将到期"), "amber") if feeling else None,
            provisional=Badge(_("暂定")) if case.due_provisional and due is not None and due >= unpublished else None,
        ))
    return found
