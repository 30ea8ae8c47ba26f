"""Whom to call now, what was tried before, and what became of campaigns."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

from lianxin.cases import policy
from lianxin.cases.models import Case, Outcome, State
from lianxin.cases.queries import PAGE, Filters, Page, by_due
from lianxin.cases.turns import URGENT, in_turn
from lianxin.organisations.actors import Actor

from .attempts import DayPart, part_of
from .models import CallbackAttempt, CallbackOutcome, Campaign, CampaignDraw, Contest, Rating

_OWN = {"case": OuterRef("pk"), "round": OuterRef("round")}


def contested() -> Q:
    """Cases whose closing of this round the reporter does not accept."""
    return Q(Exists(Contest.objects.filter(**_OWN)))


def to_call() -> Q:
    """Of the cases that wait for a callback, those that somebody is to be called for: not those that a campaign did not
    draw, unless they were contested, and not those that a supervisor decides."""
    undrawn = Exists(CampaignDraw.objects.filter(**_OWN, drawn=False))
    return Q(for_supervisor=False) & (~Q(undrawn) | contested())


def tried_lately(at: datetime) -> Q:
    """Cases tried within the hours in which a number is left alone. A try before a contest leaves nobody alone: the reporter
    has spoken since."""
    since = at - timedelta(hours=settings.LIANXIN_CALLBACK_REST_HOURS)
    spoken_since = Exists(Contest.objects.filter(case=OuterRef("case"), round=OuterRef("round"), at__gte=OuterRef("at")))
    unreached = ~Q(outcome=CallbackOutcome.REACHED)  # whoever was reached waits for the closing, not for another call
    return Q(Exists(CallbackAttempt.objects.filter(~spoken_since, unreached, **_OWN, at__gt=since)))


@dataclass(frozen=True, slots=True)
class Tries:
    """What is known of one case that waits for its callback. `untried` are the parts of the day not tried yet; `solved` is
    what the reporter said last in this round, None when they said nothing."""

    times: tuple[datetime, ...] = ()
    untried: tuple[DayPart, ...] = tuple(DayPart)
    contested: bool = False
    rated: bool = False
    solved: bool | None = None


def tries_of(cases: Sequence[Case]) -> dict[uuid.UUID, Tries]:
    """Three queries, whatever the number of cases."""
    rounds = {case.pk: case.round for case in cases}
    times: dict[uuid.UUID, list[datetime]] = {}
    said: dict[uuid.UUID, tuple[datetime, bool]] = {}
    for pk, round, at, solved in CallbackAttempt.objects.filter(case__in=rounds).order_by("at").values_list(
            "case_id", "round", "at", "solved"):
        if rounds[pk] == round:
            times.setdefault(pk, []).append(at)
            if solved is not None:
                said[pk] = (at, solved)
    ratings = {pk: (at, solved) for pk, round, at, solved in Rating.objects.filter(case__in=rounds).values_list(
        "case_id", "round", "at", "solved") if rounds[pk] == round}
    for pk, word in ratings.items():
        said[pk] = max(said.get(pk, word), word)
    objected = {pk for pk, round in Contest.objects.filter(case__in=rounds).values_list("case_id", "round") if rounds[pk] == round}
    found = {}
    for case in cases:
        tried = tuple(times.get(case.pk, ()))
        parts = {part_of(at) for at in tried}
        last = None if case.pk in objected else said.get(case.pk)  # a contest is the last word, until they are called
        found[case.pk] = Tries(tried, tuple(part for part in DayPart if part not in parts), case.pk in objected,
                               case.pk in ratings, last[1] if last else None)
    return found


def call_list(actor: Actor, *, filters: Filters, after: str, at: datetime, everybody: bool = False,
              limit: int = PAGE) -> Page:
    """Whom to call now: contested closings first, then what is urgent, then in order of what is due; on one page, who was
    not tried in this part of the day stands before who was. Those tried within the last hours are left out unless
    `everybody` is asked for."""
    wanted = filters.also & to_call()
    if not everybody:
        wanted &= ~tried_lately(at)
    parts = (contested(), ~contested() & URGENT, ~contested() & ~URGENT)
    found = in_turn(actor, parts, states=(State.CALLBACK.value,), filters=replace(filters, also=wanted), after=after,
                    limit=limit)
    tries, part = tries_of(found.rows), part_of(at)
    first = [case for case in found.rows if tries[case.pk].contested or case.urgency == "urgent"]
    ordinary = [case for case in found.rows if case not in first]
    ordinary.sort(key=lambda case: part not in tries[case.pk].untried)
    return Page([*first, *ordinary], found.after)


def resting(actor: Actor, *, filters: Filters, at: datetime) -> int:
    """How many the list leaves out because they were tried within the last hours. Reads recent attempts only."""
    since = at - timedelta(hours=settings.LIANXIN_CALLBACK_REST_HOURS)
    recent = CallbackAttempt.objects.filter(at__gt=since).values("case_id")
    return Case.objects.filter(
        policy.visible_to(actor), filters.q(), to_call(), tried_lately(at), pk__in=recent, state=State.CALLBACK).count()


def to_decide(actor: Actor, *, filters: Filters, after: str, limit: int = PAGE) -> Page:
    """交督办决定: redone and still not solved, or contested after that; in order of what is due."""
    return by_due(actor, states=(State.CALLBACK.value,), filters=replace(filters, also=filters.also & Q(for_supervisor=True)),
                  after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """One campaign with what it has decided: how many cases, how many of them called for, how many of those reached, and of
    the others how many rated by themselves and how many were closed unasked."""

    campaign: Campaign
    decided: int
    drawn: int
    reached: int
    rated: int
    unasked: int


def campaign_figures(campaign_id: int | None = None) -> list[CampaignFigures]:
    """Every campaign, newest first, or one. One query for the campaigns and one for the numbers."""
    def same(model: Any, **more: Any) -> Exists:
        return Exists(model.objects.filter(case=OuterRef("case"), round=OuterRef("round"), **more))

    one = Q() if campaign_id is None else Q(pk=campaign_id)
    of_it = Q() if campaign_id is None else Q(campaign=campaign_id)
    rows = CampaignDraw.objects.filter(of_it).annotate(
        was_reached=same(CallbackAttempt, outcome="reached"), was_rated=same(Rating)
    ).values("campaign_id").order_by().annotate(
        decided=Count("id"), called=Count("id", filter=Q(drawn=True)),
        reached=Count("id", filter=Q(drawn=True, was_reached=True)),
        rated=Count("id", filter=Q(drawn=False, was_rated=True)),
        unasked=Count("id", filter=Q(drawn=False, was_rated=False, case__outcome=Outcome.UNASKED)),
    )
    numbers = {row["campaign_id"]: row for row in rows}
    none = dict.fromkeys(("decided", "called", "reached", "rated", "unasked"), 0)
    found = []
    for campaign in Campaign.objects.filter(one).select_related("category", "county", "unit", "created_by"):
        row = numbers.get(campaign.pk, none)
        found.append(CampaignFigures(campaign, row["decided"], row["called"], row["reached"], row["rated"], row["unasked"]))
    return found
