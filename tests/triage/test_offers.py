"""What was offered while a call was taken, and what became of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from lianxin.cases.models import Case, Event
from lianxin.kernel.clock import Frozen, now
from lianxin.triage import offers
from lianxin.triage.models import LearntModel, Offer, What
from tests.desk.conftest import SignIn, as_
from tests.desk.test_call import CALL, keywords
from tests.knowledge.made import article as made_article
from tests.world import World

__all__ = ["as_"]
pytestmark = pytest.mark.django_db


def taken(client: Any, **more: str) -> dict[str, Offer]:
    client.post(CALL, {"words": "楼下工地半夜还在打桩，睡不着。", "submission": str(uuid.uuid4()), "do": "register",
                       "offered_category": "010102 010101 ", "offered_probability": "0.8", "offered_model": "", **more})
    return {offer.what: offer for offer in Offer.objects.filter(case=Case.objects.latest("registered_at"))}


@pytest.mark.parametrize(("typed", "chosen"), [("010102 施工噪声", "010102"), ("010101", "010101"), ("", "")])
def test_what_was_chosen_of_the_categories(world: World, as_: SignIn, monday: Frozen, typed: str, chosen: str) -> None:
    offer = taken(as_("operator"), category=typed)[What.CATEGORY]
    assert (offer.chosen, offer.offered, offer.model, offer.probability) == (chosen, ["010102", "010101"], None, None)


def test_the_version_is_the_one_that_was_on_the_screen(world: World, as_: SignIn, monday: Frozen) -> None:
    model = LearntModel.objects.create(number=3, digest="d", size=1, source="s", examples=1, categories=1, seed=0, kept_at=now())
    offer = taken(as_("operator"), offered_model="3", offered_area="990101", area="990101")
    assert (offer[What.CATEGORY].model, offer[What.CATEGORY].probability) == (model, 0.8)
    assert offer[What.AREA].model is None


def test_nothing_is_written_where_nothing_was_offered(world: World, as_: SignIn, monday: Frozen) -> None:
    assert taken(as_("operator"), offered_category="", category="010102") == {}


def test_danger_that_was_put_through(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    assert taken(client, offered_alarm="119 120", do="119")[What.URGENCY].chosen == "119"
    monday.move(minutes=1)
    assert taken(client, offered_alarm="119", do="register")[What.URGENCY].chosen == ""


def test_the_same_form_twice_is_one_offer(world: World, as_: SignIn, monday: Frozen) -> None:
    client, submission = as_("operator"), str(uuid.uuid4())
    taken(client, submission=submission)
    taken(client, submission=submission, category="010102")
    assert [offer.chosen for offer in Offer.objects.all()] == [""]


def test_what_a_browser_invents_breaks_nothing(world: World, as_: SignIn, monday: Frozen) -> None:
    made = taken(as_("operator"), offered_category="x" * 5000, offered_probability="nan?", offered_model="7")
    assert made[What.CATEGORY].probability is None
    assert len(made[What.CATEGORY].offered[0]) <= 60


def test_the_screen_carries_what_it_offers(world: World, as_: SignIn, monday: Frozen) -> None:
    keywords(world)
    page = as_("operator").post("/desk/call/suggest/", {"words": "楼下工地半夜还在打桩"}).content.decode()
    assert 'name="offered_category" value="010102 "' in page


def test_the_report_says_how_good_the_offers_were(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    for typed in ("010102", "010102", "010101", ""):
        taken(client, category=typed)
    (row,) = offers.report(now() - timedelta(days=1), now() + timedelta(days=1))
    assert (row.what, row.offers, row.accepted, row.changed, row.ignored, row.in_three) == (What.CATEGORY, 4, 2, 1, 1, 3)
    assert not offers.report(now() + timedelta(days=1), now() + timedelta(days=2))


def test_the_page_counts_offers_and_says_where_there_are_too_few(world: World, as_: SignIn, monday: Frozen, settings: Any) -> None:
    operator, supervisor = as_("operator"), as_("supervisor")
    assert "这段时间没有提示过" in supervisor.get("/desk/heard/").content.decode()
    for typed in ("010102", "010102", "010102", "010101", ""):
        taken(operator, category=typed)
    monday.move(minutes=1)
    assert "件数太少" in supervisor.get("/desk/heard/").content.decode()
    settings.LIANXIN_SMALL_NUMBERS = 4
    page = supervisor.get("/desk/heard/?days=7").content.decode()
    assert "75%" in page
    assert "100%" in page
    monday.move(days=8)
    assert "这段时间没有提示过" in supervisor.get("/desk/heard/?days=7").content.decode()
    assert supervisor.get("/desk/heard/?days=nonsense").status_code == 200


@pytest.mark.parametrize("who", ["operator", "urban", "callback"])
def test_the_page_is_for_who_answers_for_the_hotline(world: World, as_: SignIn, who: str) -> None:
    assert as_(who).get("/desk/heard/").status_code == 403


def test_an_answer_that_was_read_out_is_kept_with_its_version(world: World, as_: SignIn, monday: Frozen) -> None:
    made_article("city-77", "夜间施工")
    made = taken(as_("operator"), offered_article="city-77@1", article="city-77@1", do="answer", public_answer="晚上十点后不许施工。",
                 category="010102")
    assert made[What.ARTICLE].chosen == "city-77@1"
    event = Event.objects.filter(action="answer_on_the_spot").get()
    assert "city-77" in str(event.data)
