"""并案: cases about one matter are handled as one, under a master, and each reporter stays a reporter of their own.

A merged case keeps its number, its page, its answer and its clocks: they run on, and what is late is late. The master
is due when the earliest of its family is. Those under it follow whatever happens to it (`follow`, called by the
engine after every write): its units may see them, its reply meets their clocks, its approval answers them, and each
is then asked, rated and closed by itself. A master that ends without an answer leaves them to the oldest of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import SYSTEM, Actor

from .. import policy
from ..engine import On, Step, action, plain
from ..families import CALLS, merged_under, promises
from ..models import (
    RUNNING,
    TERMINAL,
    Assignment,
    AssignmentRole,
    Case,
    Clock,
    ClockKind,
    Event,
    EventText,
    Linkage,
    Outcome,
    Reply,
    State,
    Supervised,
    Urgency,
)
from ..reference import today_of
from ..search import number_in
from ..states import BY_ACTION
from .dispatching import give, relimit, words
from .handing_over import come_back, go_there

MOST = 200  # cases under one master: more are another kind of matter, and every step writes to each of them
# What a case that joins takes from its master where it has nothing of its own.
_ELEMENTS = ("category_id", "kind", "urgency", "area_id", "county_id", "accepted_at")


def _for(step: Step) -> Actor:
    """The system, carrying out on another case of the family what this person has done to one."""
    return replace(SYSTEM, staff_id=step.by.staff_id, unit_id=step.by.unit_id, via=step.by.via)


def _wrong(errors: Sequence[object]) -> Invalid:
    return Invalid(_("有的工单不能并入，请核对后再提交。已填的内容都在。"),
                   fields={"duplicates": " ".join(str(one) for one in errors)})


def named_cases(said: Sequence[str]) -> tuple[list[Case], list[str]]:
    """Cases by number or id, locked in the order of their ids, each once; and what names none."""
    ids: dict[uuid.UUID, str] = {}
    numbers: dict[str, str] = {}
    unknown: list[str] = []
    for one in dict.fromkeys(clean_text(str(each), max_length=60, multiline=False) for each in said):
        if number := number_in(one):
            numbers[number] = one
            continue
        try:
            ids[uuid.UUID(one)] = one
        except ValueError:
            unknown.append(one)
    found = list(Case.objects.select_for_update().filter(Q(pk__in=ids) | Q(number__in=numbers)).order_by("id"))
    seen = {case.pk for case in found} | {case.number for case in found}
    unknown += [one for key, one in (*ids.items(), *numbers.items()) if key not in seen]
    return found, unknown


def why_not(by: Actor, master: Case, case: Case) -> object | None:
    """Why somebody cannot merge a case under this master; None when they can."""
    shown = {"number": case.number}
    if case.pk == master.pk:
        return _("%(number)s 就是这件工单自己。") % shown
    if case.state == State.MERGED:
        already = case.master_id == master.pk
        return (_("%(number)s 已经并在这件下面。") if already else _("%(number)s 已并入别的工单，要先拆分。")) % shown
    if case.linkage == Linkage.OFFERED:
        return _("%(number)s 正在移交别的单位，先撤回移交才能并入。") % shown
    if case.state == State.HANDED_OVER:
        return _("%(number)s 已移交别的单位，只能作主件，把别的并到它下面。") % shown
    if not BY_ACTION["merge"].leads_from(case.state):
        return _("%(number)s 已答复或已办结，不能并入。") % shown
    if case.for_supervisor or case.supervised > max(master.supervised, Supervised.REMINDER):
        return _("%(number)s 正在督办，只能作主件，把别的并到它下面。") % shown
    if not policy.can(by, "merge", case):
        return _("%(number)s 不在您负责的区域。") % shown
    return None


@action("merge")
def merge(step: Step, *, duplicates: Sequence[str], reason: str) -> None:
    """并案: these cases – by number or id – are about the same matter and are handled with this one from now on.

    Their clocks run on; the case is due when the earliest of them is, and urgent when one of them is. What was merged
    under one of them comes along.
    """
    step.require(duplicates=[one for one in duplicates if one.strip()], reason=reason)
    step.say("reason", words(reason, "reason"), public=False)
    found, unknown = named_cases(duplicates)
    hidden = [case for case in found if not policy.can_see(step.by, case)]
    errors: list[object] = [_("没有找到 %s。") % one for one in (*unknown, *(case.number for case in hidden))]
    errors += [why for case in found if case not in hidden for why in [why_not(step.by, step.case, case)] if why]
    if errors:
        raise _wrong(errors)
    under = list(Case.objects.select_for_update().filter(
        master__in=[case.pk for case in found], state=State.MERGED).order_by("id"))
    if merged_under(step.case.pk).count() + len(found) + len(under) > MOST:
        raise _wrong([_("一件主件下面最多并 %d 件。") % MOST])
    for case in (*found, *under):
        join_master(On(case.pk, _for(step)), master=step.case.pk)
    step.data.update(duplicates=[case.number for case in found], merged=len(found) + len(under))
    step.set(duplicate_count=step.case.duplicate_count + len(found) + len(under))
    if step.case.urgency != Urgency.URGENT and any(case.urgency == Urgency.URGENT for case in (*found, *under)):
        step.data.update(urgency_before=step.case.urgency)
        step.set(urgency=Urgency.URGENT.value)


@action("join_master")
def join_master(step: Step, *, master: uuid.UUID) -> None:
    """并入主件: the units' own parts end, the promises to the reporter do not. A pause or a request for more time that
    a unit had asked for ends with its part."""
    head = Case.objects.get(pk=master)
    if step.case.state != State.MERGED:
        step.data.update(before={name: plain(getattr(step.case, name)) for name in _ELEMENTS})
    step.data.update(master=head.number)
    step.end_all()
    step.to(State.MERGED)
    step.set(master_id=head.pk)
    if step.case.duplicate_count:
        step.set(duplicate_count=step.case.duplicate_count - merged_under(step.case.pk).count())
    if step.case.accepted_at is None:
        step.set(accepted_at=step.at)
    _follow(step, head)


def _follow(step: Step, head: Case) -> None:
    """Bring a merged case in line with its master: unit, who may see it, what it is about, whether it was replied to."""
    case = step.case
    if case.lead_unit_id != head.lead_unit_id:
        step.set(lead_unit_id=head.lead_unit_id)
    if more := [unit for unit in head.unit_ids if unit not in case.unit_ids]:
        step.set(unit_ids=[*case.unit_ids, *more])
    if case.county_id is None and head.county_id is not None:
        step.set(area_id=head.area_id, county_id=head.county_id)
    if case.category_id is None and head.category_id is not None:
        step.set(category_id=head.category_id, kind=head.kind)
        relimit(step, never_later=True)
    if head.state == State.HANDED_OVER:
        go_there(step)
    elif head.state == State.REPLIED:
        come_back(step)
        step.meet(ClockKind.RESOLVE)
    elif not come_back(step):
        step.unmeet(ClockKind.RESOLVE)


def _behind(case: Case, head: Case, *, owed: bool, there: bool) -> bool:
    """Whether `_follow` would change anything. `owed` says that the resolve clock of the merged case runs, `there` that of a
    handover."""
    return (
        case.lead_unit_id != head.lead_unit_id
        or not set(head.unit_ids) <= set(case.unit_ids)
        or (case.county_id is None and head.county_id is not None)
        or (case.category_id is None and head.category_id is not None)
        or there != (head.state == State.HANDED_OVER)
        or (not there and owed == (head.state == State.REPLIED))
    )


@action("follow_master")
def follow_master(step: Step, *, because: str) -> None:
    """随主件变动: what happened to the master happens to this case, as far as it is about the matter."""
    if step.case.master is None:
        raise AssertionError("a merged case has a master")
    step.data.update(because=because)
    _follow(step, step.case.master)
    if unit := step.reference.units.get(step.case.lead_unit_id or 0):
        step.data.update(lead_unit=unit.code)


@action("answer_with_master")
def answer_with_master(step: Step, *, reply: uuid.UUID) -> None:
    """随主件答复: the approved answer is this reporter's too; they are called, rate and are closed by themselves."""
    given = Reply.objects.select_related("assignment").get(pk=reply)
    said = EventText.objects.filter(event_id=given.event_id, field="public_answer").first()
    step.meet(ClockKind.RESOLVE)
    step.take_part(given.assignment)
    step.set(lead_unit_id=given.assignment.unit_id)
    if all(call(step) for call in CALLS):
        step.owe(ClockKind.CALLBACK)
    step.data.update(reply_id=str(given.pk), solved=given.solved)
    step.say("public_answer", said.body if said else "", public=True)
    step.to(State.CALLBACK)


@action("close_with_master")
def close_with_master(step: Step, *, closing: uuid.UUID) -> None:
    """随主件办结: the outcome that the other service told of the master is this reporter's answer too. `closing` is the event by
    which the master was closed."""
    event = Event.objects.get(pk=closing)
    said = EventText.objects.filter(event_id=closing, field="public_answer").first()
    step.data.update({name: event.data[name] for name in ("partner", "partner_name", "partner_name_en") if name in event.data})
    step.data.update(outcome=Outcome.HANDED_OVER.value)
    step.say("public_answer", said.body if said else "", public=True)
    step.meet(ClockKind.HANDOVER)
    step.set(outcome=Outcome.HANDED_OVER.value)
    step.to(State.CLOSED)
    step.finish()


def _before(step: Step) -> Event:
    """The event by which the case stopped being one of its own."""
    return Event.objects.filter(case=step.case, action="join_master").exclude(from_state=State.MERGED).order_by("-id")[0]


def _open_code(step: Step, unit_id: int | None) -> str:
    unit = step.reference.units.get(unit_id or 0)
    return unit.code if unit is not None and unit.open_on(today_of(step.at)) else ""


def _on_its_own(step: Step, parts: Sequence[Assignment], *, otherwise: State) -> None:
    """Let a merged case go on by itself: with the units of `parts` where their lead is still there, else in a state
    that waits for dispatch. Only signing starts anew."""
    if not come_back(step):
        step.unmeet(ClockKind.RESOLVE)
    own = Assignment.objects.filter(case=step.case).order_by("assigned_at", "id").values_list("unit_id", flat=True)
    step.set(unit_ids=list(dict.fromkeys(own)), lead_unit_id=None)
    lead = next((code for one in parts if one.role == AssignmentRole.LEAD for code in [_open_code(step, one.unit_id)]), "")
    if lead:
        others = [_open_code(step, one.unit_id) for one in parts if one.role == AssignmentRole.ASSIST]
        give(step, lead, [code for code in others if code and code != lead])
        step.to(State.DISPATCHED)
        return
    if otherwise == State.REGISTERED:
        step.set(accepted_at=None)
    step.to(otherwise)


@action("unmerge")
def unmerge(step: Step, *, reason: str) -> None:
    """拆分: it was another matter after all. Back to where it was: to be accepted, to be dispatched, or with the unit
    that had it, which signs again. The other clocks have run on."""
    step.require(reason=reason)
    step.say("reason", words(reason, "reason"), public=False)
    joined = _before(step)
    parts = list(Assignment.objects.filter(case=step.case, pk__in=list(joined.changes.get("assignments", {})))
                 .order_by("assigned_at", "id"))
    if joined.from_state == State.REGISTERED:
        held = joined.data["before"]
        step.set(**{name: held[name] for name in _ELEMENTS if name != "accepted_at"})
    _on_its_own(step, parts, otherwise=State.REGISTERED if joined.from_state == State.REGISTERED else State.ACCEPTED)


@action("take_over")
def take_over(step: Step, *, parts: Sequence[Assignment], rest: Sequence[uuid.UUID]) -> None:
    """接任主件: the master ended without an answer; the oldest under it goes on in its place, with the same units."""
    new = step.case.category_id is None
    _on_its_own(step, parts, otherwise=State.REGISTERED if new else State.ACCEPTED)
    for one in rest:
        join_master(On(one, _for(step)), master=step.case.pk)
    step.set(duplicate_count=len(rest))


@action("release_duplicate")
def release_duplicate(step: Step, *, number: str) -> None:
    """拆出: a case has left this master. It is due as those that stay are, and urgent only if it or one of them is."""
    step.data.update(duplicate=number)
    step.set(duplicate_count=step.case.duplicate_count - 1)
    if merged_under(step.case.pk).filter(urgency=Urgency.URGENT).exists():
        return
    last = next((event for event in Event.objects.filter(case=step.case).order_by("-id")
                 if "urgency" in event.changes.get("case", {})), None)
    if last is not None and last.action == "merge":
        step.set(urgency=last.data["urgency_before"])


def _successor(members: Sequence[Case]) -> Case:
    return min(members, key=lambda case: (case.registered_at, case.pk))


def follow(step: Step, left: uuid.UUID | None) -> None:
    """What a write to one case means for the others of its family. Called by the engine when it has written.

    `left` is the master that a merged case has just left, or the case itself when it ended as a master.
    """
    case, by = step.case, _for(step)
    if left is not None and left != case.pk and step.row.action != "take_over":
        release_duplicate(On(left, by), number=case.number)
    members = list(merged_under(case.pk).select_for_update().order_by("id"))
    if not members:
        return
    if step.row.action == "close_handover":
        for one in members:
            close_with_master(On(one.pk, by), closing=step.event_id)
    elif case.state in TERMINAL:
        heir = _successor(members)
        ended = step.ended_parts if step.came_from != State.OBJECTED else []
        take_over(On(heir.pk, by), parts=ended, rest=[one.pk for one in members if one.pk != heir.pk])
    elif case.state == State.CALLBACK:
        reply = Reply.objects.filter(case=case).order_by("-at", "-id")[0]
        for one in members:
            answer_with_master(On(one.pk, by), reply=reply.pk)
    else:
        owed = set(promises(case.pk).filter(RUNNING).values_list("case_id", flat=True))
        there = set(Clock.objects.filter(
            RUNNING, case__in=members, kind=ClockKind.HANDOVER).values_list("case_id", flat=True))
        for one in members:
            if _behind(one, case, owed=one.pk in owed, there=one.pk in there):
                follow_master(On(one.pk, by), because=step.row.action)


def contact_too(step: Step, duplicates: Sequence[str], *, means: str, reached: bool, contacted_at: datetime | None,
                note: str) -> None:
    """Record one contact for reporters of merged cases as well: each has it written down as theirs."""
    from .handling import record_contact

    found, unknown = named_cases(duplicates)
    errors = [_("没有找到 %s。") % one for one in unknown]
    errors += [_("%s 没有并在这件下面。") % case.number for case in found
               if policy.can_see(step.by, case) and (case.state != State.MERGED or case.master_id != step.case.pk)]
    errors += [_("没有找到 %s。") % case.number for case in found if not policy.can_see(step.by, case)]
    if errors:
        raise _wrong(errors)
    for case in found:
        record_contact(On(case.pk, step.by), means=means, reached=reached, contacted_at=contacted_at, note=note)
    step.data.update(duplicates=[case.number for case in found])
