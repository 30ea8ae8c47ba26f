"""Listed supervision (挂牌督办): a matter on the public list, with plan, milestones and an end that someone else confirms.

Every step is one function: it locks the listing, checks who asks and what they have seen, writes an entry, and tells the
cases it is about. Errors are those of the cases: NotAllowed, Conflict (someone was quicker, or it is not the time for
the step), Invalid that names the fields.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from lianxin.cases import policy
from lianxin.cases.engine import KEY_REUSED, On, submission_key, told_when_held
from lianxin.cases.models import OPEN_STATES, Case
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import normalise_case_number
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import SYSTEM, Actor
from lianxin.organisations.models import Role
from lianxin.organisations.scopes import named

from .actions import delist_supervision, list_supervision, next_serial
from .models import Level, Listing, ListingCase, ListingEntry, ListingState, ListingStep, Milestone

SCOPE = named("listings", _("挂牌督办：挂牌和每一步"))
LONG = 4000
MOST_CASES = 200
MOST_MILESTONES = 20
INDEPENDENT = (Role.SUPERVISOR, Role.REVIEWER, Role.CALLBACK)


@dataclass(frozen=True, slots=True)
class Planned:
    """One milestone as a unit plans it."""

    title: str
    due_on: date


def can_issue(actor: Actor) -> bool:
    return actor.holds_in_hotline(Role.SUPERVISOR)


def is_of_unit(actor: Actor, listing: Listing) -> bool:
    """Whether someone works for the unit that answers for the matter, as its clerk or its head."""
    return any(g.unit_id == listing.unit_id and g.role in (Role.CLERK, Role.HEAD) for g in actor.grants)


def can_confirm(actor: Actor, listing: Listing) -> bool:
    """Delisting is confirmed by the hotline's people who neither put it on the list, nor asked for its end, nor have
    anything to do with the unit."""
    return (
        actor.holds_in_hotline(*INDEPENDENT)
        and actor.staff_id not in (listing.issued_by_id, listing.requested_by_id)
        and all(grant.unit_id != listing.unit_id for grant in actor.grants)
    )


def steps_for(actor: Actor, listing: Listing) -> list[ListingStep]:
    """What someone may do with the matter now, in the order of the process."""
    found: list[ListingStep] = []
    if is_of_unit(actor, listing):
        found += {
            ListingState.LISTED: [ListingStep.PLAN],
            ListingState.PLANNED: [ListingStep.MILESTONE, ListingStep.PLAN, ListingStep.REQUEST],
        }.get(ListingState(listing.state), [])
    if listing.state == ListingState.DELISTING:
        found += [ListingStep.CONFIRM] if can_confirm(actor, listing) else []
        found += [ListingStep.REFUSE] if can_confirm(actor, listing) or can_issue(actor) else []
    if can_issue(actor) and listing.state in (ListingState.LISTED, ListingState.PLANNED):
        found.append(ListingStep.MOVE)
    return found


def _line(value: str, name: str, limit: int, *, multiline: bool = False) -> str:
    cleaned = clean_text(value or "", max_length=limit + 1, multiline=multiline)
    if not cleaned:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: str(_("请填写这一项。"))})
    if len(cleaned) > limit:
        raise Invalid(_("内容太长，请删减后再提交。"), fields={name: str(_("最多 %s 个字。") % limit)})
    return cleaned


def _cases(actor: Actor, numbers: Sequence[str]) -> list[Case]:
    wanted = list(dict.fromkeys(filter(None, (normalise_case_number(number) for number in numbers))))
    if len(wanted) < len([n for n in numbers if n.strip()]) or not wanted:
        raise Invalid(_("请填工单编号，每行一个。"), fields={"cases": str(_("有的编号不对。"))})
    if len(wanted) > MOST_CASES:
        raise Invalid(_("一次最多 %s 件。") % MOST_CASES, fields={"cases": str(_("太多了。"))})
    found = {c.number: c for c in Case.objects.filter(policy.visible_to(actor), number__in=wanted)}
    for number in wanted:
        case = found.get(number)
        if case is None or case.state not in OPEN_STATES:
            raise Invalid(
                _("%s 不在办理中，不能列入。") % number, fields={"cases": str(_("没有 %s，或已办结。") % number)}
            )
    return sorted(found.values(), key=lambda case: case.pk)


def _issued_already(key: bytes | None, asked: bytes) -> Listing | None:
    """What a key was used for before. Raises Conflict when that was another matter."""
    earlier = Listing.objects.filter(key=key).first() if key is not None else None
    if earlier is not None and bytes(earlier.asked or b"") != asked:
        raise Conflict(KEY_REUSED, code="key_reused")
    return earlier


def issue(*, by: Actor, title: str, criteria: str, unit: str, leader_name: str, leader_title: str, due_on: date,
          cases: Sequence[str], key: bytes | None = None) -> Listing:
    """挂牌: a matter that open cases are about goes on the public list. `cases` are numbers, `unit` a unit's code.

    With `key`, the same matter sent again is answered with the listing made the first time.
    """
    if not can_issue(by):
        raise NotAllowed(_("挂牌督办由督办员办理。"))
    asked = submission_key(title, criteria, unit, leader_name, leader_title, due_on.isoformat(), *cases)
    if (earlier := _issued_already(key, asked)) is not None:
        return earlier
    at = now()
    fields = {
        "title": _line(title, "title", 80), "criteria": _line(criteria, "criteria", LONG, multiline=True),
        "leader_name": _line(leader_name, "leader_name", 40), "leader_title": _line(leader_title, "leader_title", 80),
    }
    body = reference().units_by_code.get(unit)
    if body is None or not body.open_on(today_of(at)):
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={"unit": str(_("没有这个单位。"))})
    if due_on <= today_of(at):
        raise Invalid(_("摘牌期限要晚于今天。"), fields={"due_on": str(_("要晚于今天。"))})
    members = _cases(by, cases)
    try:
        with told_when_held(), transaction.atomic():
            year = localtime(at).year
            listing = Listing.objects.create(
                year=year, serial=next_serial(Level.LISTED, year), unit_id=body.id, due_on=due_on, issued_at=at,
                issued_by_id=by.staff_id or 0, key=key, asked=asked, **fields,
            )
            _enter(listing, ListingStep.ISSUE, by, at, fields["criteria"])
            for case in members:
                list_supervision(On(case.pk, SYSTEM), listing=str(listing.pk), year=year, serial=listing.serial)
    except IntegrityError:  # the same was sent twice at one moment
        if (earlier := _issued_already(key, asked)) is None:
            raise
        return earlier
    return listing


def _enter(listing: Listing, step: ListingStep, by: Actor, at: datetime, words: str = "") -> None:
    ListingEntry.objects.create(listing=listing, step=step, at=at, by_id=by.staff_id or 0, words=words)


def _held(listing_id: uuid.UUID, by: Actor, step: ListingStep, version: int | None) -> Listing:
    """The listing, locked, when `by` may take `step` and has seen its present version."""
    listing = Listing.objects.select_for_update().filter(pk=listing_id).first()
    if listing is None:
        raise NotFound(_("没有找到这件挂牌督办。"))
    if version is not None and version != listing.version:
        raise Conflict(_("在您填写的时候，这件挂牌督办有了变化。您填的内容还在，请看过变化再提交。"),
                       current={"version": listing.version, "state": listing.state})
    if step not in steps_for(by, listing):
        mine = is_of_unit(by, listing) or by.holds_in_hotline(*INDEPENDENT)
        if mine and step is ListingStep.CONFIRM and listing.state == ListingState.DELISTING:
            raise NotAllowed(_("摘牌须由没有经手的人核实：挂牌的人、申请摘牌的人和责任单位的人都不能核实。"))
        if mine:
            raise Conflict(_("现在还不能做这一步。"), code="wrong_state",
                           current={"version": listing.version, "state": listing.state})
        raise NotAllowed(_("这一步由其他岗位办理。"))
    return listing


def _save(listing: Listing, **columns: object) -> None:
    for name, value in columns.items():
        setattr(listing, name, value)
    listing.version += 1
    listing.save(update_fields=[*columns, "version"])


def plan(listing_id: uuid.UUID, *, by: Actor, words: str, milestones: Sequence[Planned],
         version: int | None = None) -> Listing:
    """报方案: the unit says what it will do and by when. Milestones that are done stay; the others are planned anew."""
    said = _line(words, "plan", LONG, multiline=True)
    if not 1 <= len(milestones) <= MOST_MILESTONES:
        raise Invalid(_("请列出 1 到 %s 个节点，每个写明做什么、哪天完成。") % MOST_MILESTONES,
                      fields={"milestones": str(_("请列出节点。"))})
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.PLAN, version)
        for one in milestones:
            if not today_of(at) <= one.due_on <= listing.due_on:
                raise Invalid(_("节点的日期要在今天和摘牌期限之间。"),
                              fields={"milestones": str(_("“%s”的日期不对。") % one.title)})
        listing.milestones.filter(done_at__isnull=True).delete()
        kept = max(listing.milestones.values_list("position", flat=True), default=0)
        Milestone.objects.bulk_create(
            Milestone(listing=listing, position=kept + place, title=_line(one.title, "milestones", 120), due_on=one.due_on)
            for place, one in enumerate(sorted(milestones, key=lambda one: one.due_on), start=1)
        )
        _save(listing, plan=said, state=ListingState.PLANNED)
        _enter(listing, ListingStep.PLAN, by, at, said)
    return listing


def complete(listing_id: uuid.UUID, *, by: Actor, milestone: int, proof: str, version: int | None = None) -> Listing:
    """完成节点: with what shows it, read by everyone. A milestone is done once."""
    said = _line(proof, "proof", 300)
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.MILESTONE, version)
        done = listing.milestones.filter(pk=milestone, done_at__isnull=True).update(
            done_at=at, done_by_id=by.staff_id, proof=said
        )
        if not done:
            raise Conflict(_("没有这个节点，或已经完成。"), code="milestone_done")
        _save(listing)
        _enter(listing, ListingStep.MILESTONE, by, at, said)
    return listing


def move(listing_id: uuid.UUID, *, by: Actor, due_on: date, words: str, version: int | None = None) -> Listing:
    """调整期限: by a supervisor, in the open; the entry keeps the day it was promised for."""
    said = _line(words, "words", LONG, multiline=True)
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.MOVE, version)
        if due_on <= today_of(at) or due_on == listing.due_on:
            raise Invalid(_("摘牌期限要晚于今天。"), fields={"due_on": str(_("要晚于今天。"))})
        entry = f"{listing.due_on.isoformat()} → {due_on.isoformat()}\n{said}"
        _save(listing, due_on=due_on)
        _enter(listing, ListingStep.MOVE, by, at, entry)
    return listing


def request_delisting(listing_id: uuid.UUID, *, by: Actor, words: str, version: int | None = None) -> Listing:
    """申请摘牌: every milestone is done, and the unit says how each criterion is met."""
    said = _line(words, "words", LONG, multiline=True)
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.REQUEST, version)
        if listing.milestones.filter(done_at__isnull=True).exists():
            raise Conflict(_("还有节点没有完成，不能申请摘牌。"), code="milestones_open")
        _save(listing, state=ListingState.DELISTING, requested_at=at, requested_by_id=by.staff_id)
        _enter(listing, ListingStep.REQUEST, by, at, said)
    return listing


def refuse_delisting(listing_id: uuid.UUID, *, by: Actor, words: str, version: int | None = None) -> Listing:
    """不同意摘牌: back to the unit, with what is missing."""
    said = _line(words, "words", LONG, multiline=True)
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.REFUSE, version)
        _save(listing, state=ListingState.PLANNED)
        _enter(listing, ListingStep.REFUSE, by, at, said)
    return listing


def confirm_delisting(listing_id: uuid.UUID, *, by: Actor, finding: str, version: int | None = None) -> Listing:
    """核实摘牌: someone who had no hand in it says what they looked at, and the matter leaves the list."""
    said = _line(finding, "finding", LONG, multiline=True)
    at = now()
    with told_when_held(), transaction.atomic():
        listing = _held(listing_id, by, ListingStep.CONFIRM, version)
        members = list(
            ListingCase.objects.filter(listing=listing, case__anonymised_at__isnull=True)
            .order_by("case_id").values_list("case_id", flat=True)
        )
        _save(listing, state=ListingState.DELISTED, delisted_at=at, delisted_by_id=by.staff_id, finding=said)
        for case_id in members:
            delist_supervision(On(case_id, SYSTEM), listing=str(listing.pk), year=listing.year, serial=listing.serial)
        _enter(listing, ListingStep.CONFIRM, by, at, said)
    return listing


@dataclass(frozen=True, slots=True)
class Taking:
    """How a step is taken: the function, the name of its words there, and what it needs beside them."""

    run: Callable[..., Listing]
    words: str = "words"
    more: tuple[str, ...] = ()


STEPS: dict[ListingStep, Taking] = {
    ListingStep.PLAN: Taking(plan, more=("milestones",)),
    ListingStep.MILESTONE: Taking(complete, "proof", ("milestone",)),
    ListingStep.REQUEST: Taking(request_delisting),
    ListingStep.REFUSE: Taking(refuse_delisting),
    ListingStep.CONFIRM: Taking(confirm_delisting, "finding"),
    ListingStep.MOVE: Taking(move, more=("due_on",)),
}


def take(step: ListingStep, listing_id: uuid.UUID, *, by: Actor, words: str, version: int | None = None,
         **more: object) -> Listing:
    """Any of the steps but the first, as both faces take them. Raises what the step raises."""
    how = STEPS[step]
    return how.run(listing_id, by=by, version=version, **{how.words: words}, **more)
