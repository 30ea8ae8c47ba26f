"""Campaigns: who is called is drawn so that it can be drawn again; who is not is asked to rate, and nothing counts for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.cases.engine import On
from lianxin.cases.messages import announce_event
from lianxin.cases.models import Case, Clock, Event, Notification
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.actors import SYSTEM
from lianxin.quality import campaigns
from lianxin.quality.actions import close_unasked
from lianxin.quality.models import Campaign, CampaignDraw
from lianxin.quality.tasks import settle
from tests.cases.ways import take, walk
from tests.world import World

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
TO_REVIEW = ("accept", "dispatch", "sign", "reply")


def order(world: World, **more: Any) -> Campaign:
    fields: dict[str, Any] = {"name": "抽样", "starts_on": TODAY, "ends_on": TODAY + timedelta(days=30), "share": 1, "seed": "s"}
    return campaigns.define(by=world.actor("supervisor"), **(fields | more))


def approved(world: World, **intake: Any) -> Any:
    return walk(world, world.case(**intake), (*TO_REVIEW, "approve"))


def not_drawn(world: World) -> Any:
    """A case that passed review under a campaign that did not draw it."""
    order(world)
    for _ in range(10):
        case_id = approved(world)
        if not CampaignDraw.objects.get(case=case_id).drawn:
            return case_id
    raise AssertionError("one per cent drew ten in a row")


def test_without_a_campaign_everybody_is_called(world: World, monday: Frozen) -> None:
    case_id = approved(world)
    assert not CampaignDraw.objects.exists()
    assert Clock.objects.filter(case=case_id, kind="callback").count() == 1


@given(seed=st.text(max_size=8), number=st.text(max_size=12), round=st.integers(1, 9))
def test_the_draw_is_always_the_same_and_fair_in_range(seed: str, number: str, round: int) -> None:
    drawn = campaigns.chance(seed, number, round)
    assert 0 <= drawn < 1
    assert drawn == campaigns.chance(seed, number, round)


def test_shares_come_out_about_right() -> None:
    for share in (10, 50, 90):
        campaign = Campaign(seed="x", share=share)
        drawn = sum(campaigns.is_drawn(campaign, number=f"26-{n:07d}-1", round=1, position=n) for n in range(1, 3001))
        assert abs(drawn / 3000 - share / 100) < 0.03


def test_each_unit_has_its_minimum_and_draws_can_be_made_again(world: World, monday: Frozen) -> None:
    campaign = order(world, minimum=2, share=1)
    cases = [approved(world) for _ in range(6)]
    draws = [CampaignDraw.objects.get(case=case_id) for case_id in cases]
    assert [draw.position for draw in draws] == [1, 2, 3, 4, 5, 6]
    assert [draw.drawn for draw in draws[:2]] == [True, True]
    assert list(campaigns.mistakes(campaign)) == []
    event = Event.objects.get(pk=draws[0].event_id)
    assert (event.data["campaign"], event.data["drawn"], event.data["position"]) == (campaign.pk, True, 1)
    wrong = next(draw for draw in draws if not draw.drawn)
    CampaignDraw.objects.filter(pk=wrong.pk).update(drawn=True, rate_until=None)
    assert [one.pk for one in campaigns.mistakes(campaign)] == [wrong.pk]


def test_the_person_decides_nothing(world: World, monday: Frozen) -> None:
    """The same numbers and rounds are drawn whoever raised the cases."""
    campaign = order(world, share=50)
    for more in ({"phone": "13812342201"}, {"phone": "", "name": ""}, {"confidential": True}, {"phone": "13900000000"}):
        case_id = world.case(**more)
        walk(world, case_id, ("accept", "dispatch", "sign"))
        take(world, case_id, "reply", **({"means": "not_left"} if more.get("phone") == "" else {}))
        take(world, case_id, "approve")
        case, draw = Case.objects.get(pk=case_id), CampaignDraw.objects.get(case=case_id)
        assert draw.drawn == campaigns.is_drawn(campaign, number=case.number, round=1, position=draw.position)


def test_a_campaign_covers_what_it_says(world: World, monday: Frozen) -> None:
    def decided(**more: Any) -> bool:
        Campaign.objects.all().delete() if not CampaignDraw.objects.exists() else None
        campaign = order(world, **more)
        case_id = approved(world)
        return CampaignDraw.objects.filter(case=case_id, campaign=campaign).exists()

    assert not decided(unit="housing")
    assert not decided(category="010101")
    assert not decided(county="990102")
    assert not decided(starts_on=TODAY + timedelta(days=1))
    assert decided(unit="urban", category="0101", county="990101")
    campaigns.end(by=world.actor("supervisor"), campaign_id=Campaign.objects.latest("id").pk)
    assert not CampaignDraw.objects.filter(case=approved(world)).exists()
    with pytest.raises(Conflict):
        campaigns.end(by=world.actor("supervisor"), campaign_id=Campaign.objects.latest("id").pk)


def test_who_orders_and_what_is_refused(world: World, monday: Frozen) -> None:
    for name in ("operator", "callback", "east_supervisor", "leader", "urban"):
        with pytest.raises(NotAllowed):
            campaigns.define(by=world.actor(name), name="x", starts_on=TODAY, ends_on=TODAY)
    for fields, named in (({"name": " "}, "name"), ({"starts_on": TODAY - timedelta(days=1)}, "starts_on"),
                          ({"ends_on": TODAY - timedelta(days=1)}, "ends_on"), ({"share": 0}, "share"),
                          ({"share": 101}, "share"), ({"minimum": -1}, "minimum"), ({"unit": "nobody"}, "unit"),
                          ({"category": "zz"}, "category"), ({"county": "990101001"}, "county")):
        with pytest.raises(Invalid) as caught:
            order(world, **fields)
        assert named in caught.value.fields
    assert len(order(world, seed="").seed) == 16


def test_not_drawn_is_invited_to_rate_and_not_called(world: World, monday: Frozen) -> None:
    case_id = not_drawn(world)
    assert not Clock.objects.filter(case=case_id, kind="callback").exists()
    event = Event.objects.get(case=case_id, action="approve")
    announce_event(str(event.pk))
    assert Notification.objects.get(event_id=event.pk).template == "invited"
    with pytest.raises(Conflict) as caught:
        take(world, case_id, "record_callback_attempt")
    assert caught.value.code == "not_drawn"
    with pytest.raises(Conflict):  # nobody was called: a person cannot close it either
        take(world, case_id, "close")


def test_nobody_answering_is_closed_unasked_and_never_satisfied(world: World, monday: Frozen) -> None:
    case_id = not_drawn(world)
    draw = CampaignDraw.objects.get(case=case_id)
    assert draw.rate_until is not None
    with pytest.raises(Conflict) as caught:
        close_unasked(On(case_id, SYSTEM))
    assert caught.value.code == "may_still_rate"
    assert settle(draw.rate_until - timedelta(seconds=1)) == 0
    monday.set(draw.rate_until)
    assert settle(draw.rate_until) == 1
    assert settle(draw.rate_until) == 0, "run twice, it closes once"
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.outcome) == ("closed", "unasked")
    assert differences(case_id) == []
    assert case.ratings.count() == case.callback_attempts.count() == 0


def test_a_good_rating_closes_what_was_not_drawn(world: World, monday: Frozen) -> None:
    case_id = not_drawn(world)
    take(world, case_id, "rate", solved=True, satisfaction="dissatisfied")
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.outcome) == ("closed", "solved")
    assert differences(case_id) == []


def test_a_bad_rating_sends_it_back(world: World, monday: Frozen) -> None:
    case_id = not_drawn(world)
    take(world, case_id, "rate", solved=False, satisfaction="dissatisfied")
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.round) == ("dispatched", 2)
    draw = CampaignDraw.objects.get(case=case_id, round=1)
    monday.set(draw.rate_until)
    assert settle(draw.rate_until) == 0, "the round is over: nothing to close"
    assert CampaignDraw.objects.get(pk=draw.pk).settled_at is not None


def test_a_case_that_must_be_called_is_never_closed_by_itself(world: World, monday: Frozen) -> None:
    for case_id in (approved(world),):
        with pytest.raises(Conflict) as caught:
            close_unasked(On(case_id, SYSTEM))
        assert caught.value.code == "to_be_called"


def test_the_same_order_sent_again_is_the_same_campaign(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    key = b"c" * 32
    made = order(world, key=key)
    for other in ({"county": "990101"}, {"unit": "urban"}, {"seed": "t"}, {"seed": ""}, {"category": "0101"}, {"share": 2}):
        with pytest.raises(Conflict) as caught:
            order(world, key=key, **other)
        assert caught.value.code == "key_reused"
    monday.move(days=3)  # it began in the past by now
    assert order(world, key=key).pk == made.pk
    monday.move(days=-3)
    look, seen = campaigns._defined_already, list[int]()

    def not_yet(key: bytes | None, asked: bytes) -> Campaign | None:
        seen.append(1)
        return look(key, asked) if len(seen) > 1 else None  # the other's was not there when this one looked

    monkeypatch.setattr(campaigns, "_defined_already", not_yet)
    assert order(world, key=key).pk == made.pk
    assert Campaign.objects.count() == 1
