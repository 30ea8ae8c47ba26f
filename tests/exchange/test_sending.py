"""A dispatched case goes to the unit's own system, once, whatever the other side and this process do meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from lianxin.cases import actions as a
from lianxin.cases.models import Event
from lianxin.exchange import client, following, mapping, outbox, polling, systems
from lianxin.exchange.models import Disclosure, Letter, Link, System, Unmapped
from lianxin.exchange.sending import Letters
from lianxin.kernel.clock import now
from lianxin.kernel.sending import drain, send_one
from tests.exchange.double import OtherSystem
from tests.world import World

pytestmark = pytest.mark.django_db


def dispatched(world: World, unit: str = "urban", assisting_units: Sequence[str] = (), **more: Any) -> uuid.UUID:
    case_id = world.case(**more)
    a.accept(world.on(case_id, "operator"), category="010102", area="990101001001")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit=unit, assisting_units=assisting_units)
    return case_id


def letter() -> Letter:
    return Letter.objects.order_by("id")[0]


def again() -> int:
    """What was put off goes now."""
    Letter.objects.filter(state="waiting").update(next_at=now())
    return drain(Letters())


def test_a_dispatched_case_of_a_unit_with_a_system_is_posted_and_its_number_noted(
        world: World, other: OtherSystem, joined: System) -> None:
    case_id = dispatched(world, lon=113.1, lat=29.1)
    assert drain(Letters()) == 2  # armed, then posted
    [posted] = other.posts()
    number = Link.objects.get(case_id=case_id).case.number
    assert posted.fields["service_code"] == "NOISE"
    assert posted.fields["api_key"] == "secret-key-1"
    assert (posted.fields["lat"], posted.fields["long"]) == ("29.100000", "113.100000")
    assert posted.fields["address_string"] == "试验市东区桥头街道花园社区"
    assert posted.fields["description"].endswith(f"〔12345 {number}/1〕")
    assert posted.headers["idempotency-key"] == str(letter().pk)
    assert (letter().state, Link.objects.get().theirs) == ("sent", "N1")
    polling.tell_numbers()
    noted = Event.objects.get(case_id=case_id, action="note_outside")
    assert (noted.data["stage"], noted.data["reference"], noted.public) == ("sent", "N1", False)


def test_a_case_of_another_unit_goes_nowhere(world: World, other: OtherSystem, joined: System) -> None:
    dispatched(world, "housing")
    System.objects.update(active=False)
    dispatched(world)
    assert not Letter.objects.exists()
    assert drain(Letters()) == 0
    assert other.asked == []


def test_what_is_dispatched_in_a_transaction_that_fails_is_never_posted(world: World, other: OtherSystem, joined: System) -> None:
    with transaction.atomic():
        dispatched(world)
        transaction.set_rollback(True)
    assert drain(Letters()) == 0
    assert other.asked == []


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_that_was_taken_while_this_process_died_is_found_and_not_posted_again(
        world: World, other: OtherSystem, joined: System, monkeypatch: pytest.MonkeyPatch) -> None:
    dispatched(world)
    queue = Letters()
    assert send_one(queue, queue.lines()) is not None  # armed

    def dies(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox, "sent", dies)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        send_one(queue, queue.lines())
    monkeypatch.undo()
    assert len(other.posts()) == 1
    assert (letter().state, Link.objects.get().theirs) == ("waiting", "")
    assert drain(Letters()) == 1  # another process: it looks first
    assert len(other.posts()) == 1
    assert Link.objects.get().theirs == "N1"


@pytest.mark.parametrize("fault", [None, 500, b"<html>welcome</html>", b"[]"])
def test_an_unclear_answer_is_looked_after_before_it_is_posted_again(
        world: World, other: OtherSystem, joined: System, fault: Any) -> None:
    dispatched(world)
    other.faults, other.after = [fault], True  # taken, and the answer was lost
    drain(Letters(), most=2)
    assert (len(other.posts()), letter().state) == (1, "waiting")
    assert letter().armed_at is not None
    again()
    assert (len(other.posts()), letter().state, Link.objects.get().theirs) == (1, "sent", "N1")


@pytest.mark.parametrize("fault", [None, 500, b"nonsense"])
def test_one_that_did_not_arrive_is_posted_again(world: World, other: OtherSystem, joined: System, fault: Any) -> None:
    dispatched(world)
    other.faults = [fault]
    drain(Letters(), most=2)
    again()
    assert (len(other.requests), letter().state, Link.objects.get().theirs) == (1, "sent", "N1")


def test_where_nobody_can_know_a_person_decides(world: World, other: OtherSystem, joined: System) -> None:
    dispatched(world)
    other.faults, other.after = [500], True
    drain(Letters(), most=2)
    for row in other.requests.values():
        row["description"] = ""  # they list no words
    again()
    assert (len(other.posts()), letter().state) == (1, "dead")
    assert "查不到" in letter().last_error


def test_a_plain_refusal_needs_no_looking(world: World, other: OtherSystem, joined: System) -> None:
    dispatched(world)
    other.faults = [429]
    drain(Letters(), most=2)
    assert letter().armed_at is None
    again()
    assert [one.method for one in other.asked] == ["POST", "POST"]


def test_a_system_that_knows_idempotency_keys_is_asked_the_same_again(world: World, other: OtherSystem, joined: System) -> None:
    System.objects.update(idempotent=True)
    dispatched(world)
    other.faults = [500]
    drain(Letters(), most=2)
    again()
    keys = [one.headers["idempotency-key"] for one in other.asked]
    assert len(keys) == 2
    assert len(set(keys)) == 1


# ── What does not go through ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_is_a_dead_letter_with_their_words_and_can_be_sent_again(world: World, other: OtherSystem, joined: System) -> None:
    other.services = []
    dispatched(world)
    drain(Letters())
    assert letter().state == "dead"
    assert "service_code was not found" in letter().last_error
    other.services = [{"service_code": "NOISE"}]
    assert outbox.resend(letter().pk) == 1
    assert outbox.resend(letter().pk) == 0
    again()
    assert letter().state == "sent"


def test_a_system_that_is_away_for_too_long_leaves_a_dead_letter(
        world: World, other: OtherSystem, joined: System, settings: Any) -> None:
    System.objects.update(url="http://127.0.0.1:9/v2")
    dispatched(world)
    drain(Letters(), most=2)
    assert letter().state == "waiting"
    assert letter().last_error.startswith("联不通")
    Letter.objects.update(made_at=now() - timedelta(days=settings.LIANXIN_EXCHANGE_DEAD_DAYS, minutes=1), next_at=now())
    drain(Letters(), most=2)
    assert letter().state == "dead"


def test_an_inside_address_is_never_connected_to(world: World, other: OtherSystem, joined: System, settings: Any) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    client._local.__dict__.clear()  # no connection from before
    dispatched(world)
    drain(Letters(), most=2)
    assert other.asked == []
    assert "内部网络" in letter().last_error


def test_a_category_that_nothing_maps_waits_and_goes_when_somebody_has_mapped_it(
        world: World, other: OtherSystem, joined: System) -> None:
    case_id = world.case()
    a.accept(world.on(case_id, "operator"), category="010103")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    drain(Letters(), most=2)
    assert (letter().state, other.posts()) == ("waiting", [])
    assert [(one.value, one.inbound) for one in Unmapped.objects.all()] == [("010103", False)]
    Letter.objects.update(next_at=now() + timedelta(hours=1))
    mapping.set_mapping(world.actor("supervisor"), joined, value="01", to="LAMP", inbound=False)  # for everything below it
    drain(Letters())
    assert (letter().state, other.posts()[0].fields["service_code"]) == ("sent", "LAMP")
    assert joined.changes.filter(what="out:01", after="LAMP").exists()


def test_an_xml_only_system_and_one_with_slow_tokens(world: World, other: OtherSystem, joined: System) -> None:
    other.formats, other.slow = ("xml",), 2
    found = systems.discover(joined)
    assert [(one.code, one.name) for one in found] == [("LAMP", "路灯维修"), ("NOISE", "噪声")]
    assert System.objects.get().format == "xml"
    dispatched(world)
    drain(Letters())
    link = Link.objects.get()
    assert (link.token, link.theirs) == ("tN1", "")
    for wanted in ("", "", "N1"):
        polling.settle(joined)
        assert Link.objects.get().theirs == wanted


# ── Personal data ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("identity", "name", "phone"), [
    ("none", None, None), ("masked", "王**", "138****2201"), ("full", "王小明", "13812342201")])
def test_who_raised_it_goes_as_the_setting_says_and_is_written_down(
        world: World, other: OtherSystem, joined: System, identity: str, name: str | None, phone: str | None) -> None:
    systems.save(None, joined.code, identity=identity, purpose="上门维修须联系住户")
    dispatched(world, words="楼下半夜打桩，请打 13812342201 找我。")
    drain(Letters())
    [posted] = other.posts()
    assert (posted.fields.get("last_name"), posted.fields.get("phone")) == (name, phone)
    assert ("13812342201" in posted.fields["description"]) is (identity == "full")
    rows = list(Disclosure.objects.values_list("shown", "fields", "why"))
    why = {"masked": "只提供隐去部分内容的信息", "full": "上门维修须联系住户"}
    assert rows == ([(identity, ["last_name", "phone"], why[identity])] if identity in why else [])


def test_a_confidential_case_goes_without_its_reporter_whatever_the_setting(world: World, other: OtherSystem, joined: System) -> None:
    systems.save(None, joined.code, identity="full", purpose="上门维修须联系住户")
    dispatched(world, confidential=True)
    drain(Letters())
    assert "last_name" not in other.posts()[0].fields
    assert not Disclosure.objects.exists()


# ── Its life here goes on ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_taken_from_the_unit_before_it_went_out_goes_nowhere(world: World, other: OtherSystem, joined: System) -> None:
    case_id = dispatched(world)
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="housing", reason="职责在住建局。")
    assert not Letter.objects.exists()
    assert drain(Letters()) == 0


def test_one_that_is_there_is_told_that_it_is_over(world: World, other: OtherSystem, joined: System) -> None:
    other.updates = []
    systems.discover(joined)
    case_id = dispatched(world)
    drain(Letters())
    a.add_information(world.on(case_id, "operator"), words="昨晚又响了，电话 13812342201。")
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="housing", reason="职责在住建局。")
    drain(Letters())
    told = [(one.fields["service_request_id"], one.fields["status"], one.fields["description"][:9]) for one in other.posts(
        "servicerequestupdates")]
    assert [one[:2] for one in told] == [("N1", "open"), ("N1", "closed")]
    assert "13812342201" not in other.posts("servicerequestupdates")[0].fields["description"]
    assert Link.objects.get().ended_at is not None


def test_a_second_dispatch_to_the_same_system_is_another_request(world: World, other: OtherSystem, joined: System) -> None:
    case_id = dispatched(world)
    drain(Letters())
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="housing", reason="职责在住建局。")
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="urban", reason="职责在城管局。")
    drain(Letters())
    marks = [one["description"].rpartition("/")[2] for one in other.requests.values()]
    assert marks == ["1〕", "2〕"]
    assert following.mark_of(Link.objects.get(theirs="N2")).endswith("/2〕")
