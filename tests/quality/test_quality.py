"""Review, callback, rating and closing: what the record allows, and nothing better."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Count

from lianxin.cases.models import Attachment, Case, Reply, State
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError, Invalid
from lianxin.quality.models import CallbackAttempt, CallbackOutcome, Rating, Review
from tests.cases.ways import at_state, take, upload, walk
from tests.world import World

pytestmark = pytest.mark.django_db
UNREACHED = [outcome for outcome in CallbackOutcome if outcome != CallbackOutcome.REACHED]
NO_ANSWERS: dict[str, Any] = {"solved": None, "truthful": None, "satisfaction": ""}


@pytest.fixture
def called(world: World, monday: Frozen) -> Any:
    """A case that waits for its callback, nobody having called."""
    return walk(world, world.case(), ("accept", "dispatch", "sign", "reply", "approve"))


def unsolved_again(world: World, case_id: Any) -> None:
    """Not solved, redone by itself, and not solved again."""
    take(world, case_id, "record_callback_attempt", solved=False)
    walk(world, case_id, ("sign", "reply", "approve"))
    take(world, case_id, "record_callback_attempt", solved=False)


def test_each_reply_is_reviewed_once(world: World, called: Any) -> None:
    take(world, called, "reopen")
    walk(world, called, ("sign", "reply", "send_back", "reply", "approve"))
    assert list(Review.objects.order_by("at", "id").values_list("verdict", flat=True)) == ["passed", "sent_back", "passed"]
    assert Reply.objects.filter(review__isnull=False).count() == Reply.objects.count() == 3


@pytest.mark.parametrize(("fields", "named"), [
    ({"outcome": "vanished"}, "outcome"), ({"outcome": "reached", "solved": None}, "solved"),
    ({"outcome": "busy", "truthful": None, "satisfaction": ""}, "outcome"),
    ({"outcome": "busy", "truthful": None, "solved": None}, "outcome"),
    ({"outcome": "busy", "solved": None, "satisfaction": ""}, "outcome"),
    ({"satisfaction": "furious"}, "satisfaction"),
])
def test_answers_belong_to_a_reporter_who_was_reached(world: World, called: Any, fields: dict[str, Any],
                                                      named: str) -> None:
    with pytest.raises(Invalid) as caught:
        take(world, called, "record_callback_attempt", **fields)
    assert named in caught.value.fields
    assert not CallbackAttempt.objects.exists()


def test_a_solved_case_closes_as_solved(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt")
    take(world, called, "close", explanation="")
    assert Case.objects.get(pk=called).outcome == "solved"


def test_an_unsolved_case_closes_with_its_reason_only(world: World, called: Any) -> None:
    unsolved_again(world, called)
    for nothing in ("", "  "):
        with pytest.raises(Invalid) as caught:
            take(world, called, "close", by="supervisor", explanation=nothing)
        assert "explanation" in caught.value.fields
    take(world, called, "close", by="supervisor", explanation="须等规划调整，已向诉求人说明。")
    assert Case.objects.get(pk=called).outcome == "explained"


def test_the_last_word_counts(world: World, called: Any, monday: Frozen) -> None:
    take(world, called, "record_callback_attempt", solved=True)
    monday.move(hours=1)
    take(world, called, "rate", solved=False)  # the last word: it is redone
    walk(world, called, ("sign", "reply", "approve"))
    monday.move(hours=1)
    take(world, called, "rate", solved=False)
    monday.move(hours=1)
    take(world, called, "record_callback_attempt", solved=True)
    take(world, called, "close", by="supervisor", explanation="来电确认已经解决。")
    assert Case.objects.get(pk=called).outcome == "solved"


def test_the_word_of_an_earlier_round_does_not_count(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt", solved=True)
    take(world, called, "rate")
    take(world, called, "reopen")
    walk(world, called, ("sign", "reply", "approve"))
    with pytest.raises(Conflict) as caught:
        take(world, called, "close")
    assert caught.value.code == "callback_attempts_missing"
    take(world, called, "rate")  # once for each round
    assert Rating.objects.count() == 2


def test_unreached_is_unreached_after_enough_tries(world: World, called: Any, settings: Any, monday: Frozen) -> None:
    settings.LIANXIN_CALLBACK_ATTEMPTS = 3
    for tries, outcome in enumerate(UNREACHED[:3]):
        with pytest.raises(Conflict) as caught:
            take(world, called, "close")
        assert caught.value.current == {"attempts": tries, "spread": min(tries, 1)}
        take(world, called, "record_callback_attempt", outcome=outcome, **NO_ANSWERS)
    with pytest.raises(Conflict) as caught:  # all in one morning
        take(world, called, "close")
    assert caught.value.current == {"attempts": 3, "spread": 1}
    monday.move(hours=3)
    take(world, called, "record_callback_attempt", outcome="busy", **NO_ANSWERS)
    take(world, called, "close", explanation="")
    case = Case.objects.get(pk=called)
    assert case.outcome == "unreached"
    assert not CallbackAttempt.objects.exclude(satisfaction="").exists()


def test_who_left_no_telephone_needs_no_calls(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(phone="", name=""), ("accept", "dispatch", "sign"))
    take(world, case_id, "reply", means="not_left")
    walk(world, case_id, ("approve", "close"))
    assert Case.objects.get(pk=case_id).outcome == "unreached"


def test_one_rating_a_round_also_after_closing(world: World, called: Any) -> None:
    take(world, called, "record_callback_attempt")
    take(world, called, "close")
    take(world, called, "rate")
    with pytest.raises(Conflict) as caught:
        take(world, called, "rate")
    assert caught.value.code == "rated_already"
    assert Case.objects.get(pk=called).outcome == "solved"


def test_a_reporter_who_left_a_telephone_is_contacted(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(), ("accept", "dispatch", "sign"))
    for fields, named in (({"means": ""}, "means"), ({"means": "not_left"}, "means"), ({"means": "pigeon"}, "means"),
                          ({"contacted_at": monday.move(minutes=1).replace(year=2030)}, "contacted_at"),
                          ({"contacted_at": monday.move().replace(year=2020)}, "contacted_at")):
        with pytest.raises(Invalid) as caught:
            take(world, case_id, "reply", **fields)
        assert named in caught.value.fields
    take(world, case_id, "record_contact", reached=False)
    with pytest.raises(Invalid):  # a try is no contact
        take(world, case_id, "reply", means="")
    take(world, case_id, "record_contact")
    take(world, case_id, "reply", means="")
    assert Reply.objects.get().contact.reached
    # A contact of an earlier part is no proof for a later one.
    walk(world, case_id, ("approve", "reopen", "sign"))
    with pytest.raises(Invalid):
        take(world, case_id, "reply", means="")


def test_a_time_without_a_zone_is_the_city_s_own(world: World, monday: Frozen) -> None:
    case_id = walk(world, world.case(), ("accept", "dispatch", "sign"))
    wall = monday.move(hours=2)
    from django.utils.timezone import localtime

    take(world, case_id, "record_contact", contacted_at=localtime(wall).replace(tzinfo=None))
    assert Case.objects.get(pk=case_id).contacts.get().at == wall


def test_a_field_matter_is_proved_by_a_photo_of_the_unit_s_own(world: World, monday: Frozen) -> None:
    case_id = world.case()
    take(world, case_id, "accept", category="010101")
    early = upload(world.actor("urban"))
    walk(world, case_id, ("dispatch", "sign"))
    monday.move(minutes=5)
    take(world, case_id, "attach", by="operator")  # what the hotline was sent proves nothing of the unit's work
    take(world, case_id, "attach", by="reporter")
    for files in ([], [upload(world.actor("operator"))], [upload(world.actor("urban"), kind="document")]):
        with pytest.raises(Invalid) as caught:
            take(world, case_id, "reply", attachments=files)
        assert "attachments" in caught.value.fields
    take(world, case_id, "reply", attachments=[early])
    held = Attachment.objects.get(pk=early)
    assert (held.case_id, held.purpose, held.event_id) == (case_id, "proof", Reply.objects.get().event_id)
    assert differences(case_id) == []


def test_a_unit_does_not_push_its_work_down(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "raise_return", suggested_unit="bridge")
    assert "suggested_unit" in caught.value.fields
    take(world, case_id, "raise_return", suggested_unit="housing")
    assert Case.objects.get(pk=case_id).returns == 1


@pytest.mark.parametrize(("action", "fields", "named"), [
    ("dispatch", {"lead_unit": "nobody"}, "lead_unit"), ("dispatch", {"lead_unit": "closed"}, "lead_unit"),
    ("dispatch", {"assisting_units": ["urban"]}, "assisting_units"), ("dispatch", {"assisting_units": ["closed"]}, "assisting_units"),
    ("correct", {"category": "01"}, "category"), ("correct", {"category": "999999"}, "category"),
    ("correct", {"area": "nowhere"}, "area"), ("correct", {"kind": "rumour"}, "kind"),
    ("correct", {"urgency": "whenever"}, "urgency"), ("correct", {"category": None}, "category"),
    ("decline", {"route": "nowhere"}, "route"), ("refer_emergency", {"service": "911"}, "service"),
])
def test_what_cannot_be_is_named(world: World, monday: Frozen, action: str, fields: dict[str, Any], named: str) -> None:
    case_id = at_state(world, State.ACCEPTED)
    with pytest.raises(Invalid) as caught:
        take(world, case_id, action, **fields)
    assert named in caught.value.fields
    assert Case.objects.get(pk=case_id).state == State.ACCEPTED


@pytest.mark.parametrize("officer", ["nobody", "housing", "grid", "urban_gone"])
def test_a_part_is_handed_on_within_the_unit_only(world: World, monday: Frozen, officer: str) -> None:
    case_id = at_state(world, State.IN_HAND)
    if officer == "urban_gone":
        officer = "urban2"
        world.staff[officer].is_active = False
        world.staff[officer].save()
    with pytest.raises(Invalid) as caught:
        take(world, case_id, "hand_to_colleague", officer=officer)
    assert "officer" in caught.value.fields


def test_publication_needs_the_reporter_and_the_staff(world: World, monday: Frozen) -> None:
    case_id = world.case()
    for action in ("clear_publication", "refuse_publication"):
        with pytest.raises(DomainError):
            take(world, case_id, action)
    take(world, case_id, "request_publication")
    take(world, case_id, "clear_publication")
    case = Case.objects.get(pk=case_id)
    assert case.publication == "public"
    assert case.public_version.cleared_by == world.staff["reviewer"]
    with pytest.raises(Invalid):
        take(world, case_id, "request_publication")
    take(world, case_id, "refuse_publication")
    take(world, case_id, "request_publication")
    case.public_version.refresh_from_db()
    assert case.public_version.cleared_at is None
    secret = world.case(confidential=True)
    with pytest.raises(Invalid):
        take(world, secret, "request_publication")


def test_every_attempt_counts_as_itself(world: World, called: Any) -> None:
    for outcome in UNREACHED:
        take(world, called, "record_callback_attempt", outcome=outcome, **NO_ANSWERS)
    assert dict(CallbackAttempt.objects.values_list("outcome").annotate(Count("id"))) == dict.fromkeys(UNREACHED, 1)
