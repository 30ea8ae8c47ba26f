"""Callback campaigns: who is called and who is asked to rate, decided by a draw that can be made again.

The draw looks at the campaign's seed, the case's number, its round and how many cases of the unit came before. Nothing
about the person who raised the case enters it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases.clocks import WORKING_DAY, promise
from lianxin.cases.engine import KEY_REUSED, Step, submission_key
from lianxin.cases.models import Case
from lianxin.cases.reference import Reference, reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import WORKING, Role
from lianxin.organisations.scopes import named

from .models import Campaign, CampaignDraw

SCOPE = named("campaigns", _("回访计划"))


def chance(seed: str, number: str, round: int) -> float:
    """A number in 0–1 that is always the same for one seed, case and round (SHA-256, first 64 bits)."""
    digest = hashlib.sha256(f"{seed}\x1f{number}\x1f{round}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_drawn(campaign: Campaign, *, number: str, round: int, position: int) -> bool:
    """Whether the unit's `position`-th case of a campaign is called."""
    return position <= campaign.minimum or chance(campaign.seed, number, round) < campaign.share / 100


def fitting(case: Case, held: Reference, on: date) -> Campaign | None:
    """The campaign that a case passing review on `on` belongs to: of several, the one defined last."""
    node = held.nodes.get(case.category_id) if case.category_id else None
    lineage = node.lineage if node else ()
    for campaign in Campaign.objects.filter(starts_on__lte=on, ends_on__gte=on, ended_at__isnull=True).order_by("-id"):
        if (
            (campaign.category_id is None or campaign.category_id in lineage)
            and campaign.county_id in (None, case.county_id)
            and campaign.unit_id in (None, case.lead_unit_id)
        ):
            return campaign
    return None


def draw(step: Step) -> bool:
    """Decide for the round that has just passed review, write it down, and say whether the reporter is to be called.
    Without a campaign everybody is."""
    case = step.case
    campaign = fitting(case, step.reference, today_of(step.at))
    if campaign is None or case.lead_unit_id is None:
        return True
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)  # positions are given one after another
    last = CampaignDraw.objects.filter(campaign=campaign, unit_id=case.lead_unit_id).order_by("-position").first()
    position = (last.position if last else 0) + 1
    drawn = is_drawn(campaign, number=case.number, round=case.round, position=position)
    until = None if drawn else promise(
        start=step.at, minutes=settings.LIANXIN_RATING_DAYS * WORKING_DAY, calendar=WORKING).due_at
    CampaignDraw.objects.create(
        campaign=campaign, case=case, event_id=step.event_id, round=case.round, unit_id=case.lead_unit_id,
        position=position, drawn=drawn, at=step.at, rate_until=until,
    )
    step.data.update(campaign=campaign.pk, drawn=drawn, position=position)
    if until is not None:
        step.data.update(rate_until=until.isoformat())
    return drawn


def mistakes(campaign: Campaign) -> Iterator[CampaignDraw]:
    """Draws that do not come out the same when they are made again: none, unless somebody wrote into the table."""
    places: dict[int, int] = {}
    for one in CampaignDraw.objects.filter(campaign=campaign).select_related("case").order_by("unit_id", "position"):
        places[one.unit_id] = places.get(one.unit_id, 0) + 1
        wanted = is_drawn(campaign, number=one.case.number, round=one.round, position=places[one.unit_id])
        if (one.position, one.drawn) != (places[one.unit_id], wanted):
            yield one


def draw_of(case: Case) -> CampaignDraw | None:
    """What was decided for the case's present round, if a campaign did."""
    return CampaignDraw.objects.filter(case=case, round=case.round).first()


def may_order(by: Actor) -> bool:
    """Whether somebody may order campaigns: a supervisor of the whole city."""
    return by.holds_in_hotline(Role.SUPERVISOR)


def _supervisor(by: Actor) -> int:
    if not may_order(by) or by.staff_id is None or not by.scoped(SCOPE):
        raise NotAllowed(_("回访计划由热线的督办员制定。"))
    return by.staff_id


def _defined_already(key: bytes | None, asked: bytes) -> Campaign | None:
    """What a key was used for before. Raises Conflict when that was another order."""
    earlier = Campaign.objects.filter(key=key).first() if key is not None else None
    if earlier is not None and bytes(earlier.asked or b"") != asked:
        raise Conflict(KEY_REUSED, code="key_reused")
    return earlier


def define(*, by: Actor, name: str, starts_on: date, ends_on: date, share: int = 100, minimum: int = 0, seed: str = "",
           category: str = "", county: str = "", unit: str = "", key: bytes | None = None) -> Campaign:
    """Order a campaign. `share` is a percentage; `category`, `county` and `unit` are codes; an empty seed is drawn.

    Raises NotAllowed, Invalid, and Conflict when `key` was used for another order. A campaign cannot begin in the past: what
    has passed review has been decided.
    """
    staff_id = _supervisor(by)
    asked = submission_key(name, starts_on.isoformat(), ends_on.isoformat(), str(share), str(minimum), seed, category, county, unit)
    if (earlier := _defined_already(key, asked)) is not None:
        return earlier
    held, faults = reference(), dict[str, str]()
    title = clean_text(name, max_length=60, multiline=False)
    if not title:
        faults["name"] = str(_("请填写这一项。"))
    if starts_on < today_of(now()):
        faults["starts_on"] = str(_("不能早于今天。"))
    if ends_on < starts_on:
        faults["ends_on"] = str(_("不能早于开始日期。"))
    if not 1 <= share <= 100:
        faults["share"] = str(_("请填 1 到 100。"))
    if not 0 <= minimum <= 1000:
        faults["minimum"] = str(_("请填 0 到 1000。"))
    node, place, body = held.nodes_by_code.get(category), held.places_by_code.get(county), held.units_by_code.get(unit)
    if category and node is None:
        faults["category"] = str(_("没有这个事项。"))
    if county and (place is None or place.level != "county"):
        faults["county"] = str(_("没有这个县市区。"))
    if unit and body is None:
        faults["unit"] = str(_("没有这个单位。"))
    if faults:
        raise Invalid(fields=faults)
    try:
        with transaction.atomic():
            return Campaign.objects.create(
                name=title, starts_on=starts_on, ends_on=ends_on, share=share, minimum=minimum, key=key, asked=asked,
                created_by_id=staff_id, created_at=now(), category_id=node.id if node else None,
                county_id=place.id if place else None, unit_id=body.id if body else None,
                seed=clean_text(seed, max_length=32, multiline=False) or secrets.token_hex(8),
            )
    except IntegrityError:  # the same was sent twice at one moment
        if (earlier := _defined_already(key, asked)) is None:
            raise
        return earlier


def end(*, by: Actor, campaign_id: int) -> Campaign:
    """End a campaign before its last day. What it has decided stays decided. Raises NotFound and Conflict."""
    staff_id = _supervisor(by)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().filter(pk=campaign_id).first()
        if campaign is None:
            raise NotFound()
        if campaign.ended_at is not None:
            raise Conflict(_("这个回访计划已经停止。"))
        campaign.ended_at, campaign.ended_by_id = now(), staff_id
        campaign.save(update_fields=["ended_at", "ended_by"])
    return campaign
