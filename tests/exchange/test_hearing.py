"""What another system says becomes a note and a prepared reply; it closes nothing here. An older platform's requests become cases."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event, EventText
from lianxin.cases.rebuild import differences
from lianxin.exchange import hearing, mapping, older, outbox, polling, reconciling, systems
from lianxin.exchange.client import Client, Fault
from lianxin.exchange.models import Letter, Link, System, Unmapped
from lianxin.exchange.sending import Letters
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.kernel.sending import drain
from tests.exchange.double import OtherSystem
from tests.exchange.test_sending import dispatched
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(world: World, other: OtherSystem, joined: System) -> uuid.UUID:
    """A case of the unit's that its system has as N1."""
    case_id = dispatched(world)
    drain(Letters())
    polling.settle(joined)
    return case_id


def noted(case_id: uuid.UUID) -> list[tuple[str, str]]:
    words = dict(EventText.objects.filter(case_id=case_id, field="words").values_list("event_id", "body"))
    events = Event.objects.filter(case_id=case_id, action="note_outside").order_by("id")
    return [(one.data["stage"], words.get(one.pk, "")) for one in events]


def test_their_progress_is_a_note_and_said_once(other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.requests["N1"]["status_notes"] = "已安排队伍。"
    for _time in range(2):
        polling.settle(joined)
    assert noted(there) == [("sent", ""), ("progress", "已安排队伍。")]


def test_their_closing_prepares_a_reply_and_closes_nothing(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    a.sign(world.on(there, "urban"))
    other.close("N1", "已责令停工。")
    polling.settle(joined)
    link = Link.objects.get()
    assert Case.objects.get(pk=there).state == "in_hand"
    assert (hearing.proposal_of(link), link.settled) == ("已责令停工。", "")
    assert noted(there)[-1] == ("closed", "已责令停工。")
    assert differences(there) == []

    a.reply(world.on(there, "urban"), public_answer="已责令停工。", solved=True, means="phone")
    link.refresh_from_db()
    assert (link.settled, Case.objects.get(pk=there).state) == ("replied", "replied")


def test_the_prepared_reply_can_be_put_aside_by_the_unit_only(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.close("N1", "不归我们管。")
    polling.settle(joined)
    pk = Link.objects.get().pk
    for stranger in ("housing", "supervisor"):
        with pytest.raises(NotAllowed):
            hearing.put_aside(world.actor(stranger), pk)
    hearing.put_aside(world.actor("urban"), pk)
    with pytest.raises(Conflict):
        hearing.put_aside(world.actor("urban"), pk)
    assert Link.objects.get().settled == "aside"
    assert noted(there)[-1] == ("aside", "")


def test_what_they_open_again_is_no_longer_a_prepared_reply(other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.close("N1")
    polling.settle(joined)
    other.close("N1", "还要再修。", status="open")
    polling.settle(joined)
    assert Link.objects.get().settled == "over"
    assert noted(there)[-1] == ("reopened", "还要再修。")


def test_where_the_city_lets_it_their_closing_is_the_units_reply_and_goes_to_review(
        world: World, other: OtherSystem, joined: System) -> None:
    systems.save(None, joined.code, agent="urban", closing="reply")
    case_id = dispatched(world, phone="")
    drain(Letters())
    polling.settle(joined)
    assert Case.objects.get(pk=case_id).state == "in_hand"  # that they have it is the unit's signing
    other.close("N1", "已责令停工。")
    polling.settle(joined)
    assert (Case.objects.get(pk=case_id).state, Link.objects.get().settled) == ("replied", "alone")
    event = Event.objects.get(case_id=case_id, action="reply")
    assert (event.actor_id, event.via) == (world.staff["urban"].pk, "exchange")
    assert differences(case_id) == []


def test_an_assisting_units_system_answers_the_lead_unit_and_not_the_reporter(world: World, other: OtherSystem, joined: System) -> None:
    systems.save(None, joined.code, agent="urban", closing="reply")
    case_id = dispatched(world, "housing", phone="", assisting_units=["urban"])
    a.sign(world.on(case_id, "housing"))
    drain(Letters())
    polling.settle(joined)
    assert Event.objects.get(case_id=case_id, action="assist_sign").via == "exchange"
    other.close("N1", "已巡查。")
    polling.settle(joined)
    assert (Case.objects.get(pk=case_id).state, Link.objects.get().settled) == ("in_hand", "alone")
    assert EventText.objects.filter(case_id=case_id, field="private_note", body="已巡查。", public=False).exists()
    assert differences(case_id) == []


def test_nobody_is_answered_unasked_without_proof_of_contact(world: World, other: OtherSystem, joined: System) -> None:
    """The reporter left a telephone number: the rule of the unit's own reply holds for its system too."""
    systems.save(None, joined.code, agent="urban", closing="reply")
    case_id = dispatched(world)
    drain(Letters())
    polling.settle(joined)
    other.close("N1", "已责令停工。")
    polling.settle(joined)
    assert (Case.objects.get(pk=case_id).state, Link.objects.get().settled) == ("in_hand", "")


def test_their_updates_are_taken_once_and_ours_not_back(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.updates = []
    systems.discover(joined)
    a.add_information(world.on(there, "operator"), words="昨晚又响到一点。")
    drain(Letters())
    other.updates.append({"update_id": "U9", "service_request_id": "N1", "status": "open", "description": "师傅已到现场。",
                          "updated_datetime": "2026-05-06T10:00:00+08:00"})
    for _time in range(2):
        polling.settle(System.objects.get())
    assert [one for one in noted(there) if one[0] == "progress"] == [("progress", "师傅已到现场。")]


def test_a_system_that_answers_nonsense_or_not_at_all_is_shown_and_comes_back(
        other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.spoils, other.faults = "GET", [b"<html>", b"{", 503, None]
    for _time in range(4):
        polling.settle(joined)
        assert System.objects.get().last_error
    assert System.objects.get().failing_since is not None
    polling.settle(joined)
    assert (System.objects.get().last_error, System.objects.get().failing_since) == ("", None)


# ── An older platform ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def old(world: World, other: OtherSystem) -> System:
    other.updates = []
    made = systems.save(None, "12345.old", name="原热线平台", url=other.url, kind="older")
    systems.discover(made)
    mapping.set_mapping(world.actor("supervisor"), made, value="LAMP", to="010101", inbound=True)
    return System.objects.get(pk=made.pk)


def _ago(**delta: float) -> str:
    return (now() - timedelta(**delta)).isoformat()


def test_its_requests_become_cases_once_and_their_status_goes_back(world: World, other: OtherSystem, old: System) -> None:
    other.ask("A1", "桥头街道路灯不亮。", at=_ago(hours=3), lat="29.1", long="113.1", address="桥头街道 3 号")
    other.ask("A2", "商铺噪声。", code="SHOP", at=_ago(hours=2))
    other.ask("A3", "早就办好的。", at=_ago(hours=1), status="closed")
    for _time in range(2):
        polling.settle(old)
    lamp = Case.objects.get(source_id="A1")
    assert (lamp.source_system, lamp.category_id, lamp.place_text) == ("12345.old", world.categories["010101"].pk, "桥头街道 3 号")
    assert lamp.area is not None
    assert lamp.area.code == "990101001001"
    assert Case.objects.get(source_id="A2").category_id is None
    assert not Case.objects.filter(source_id="A3").exists()
    assert [(one.value, one.times) for one in Unmapped.objects.all()] == [("SHOP", 1)]
    assert Case.objects.count() == 2

    a.accept(world.on(lamp.pk, "operator"), category="010102")
    a.dispatch(world.on(lamp.pk, "dispatcher"), lead_unit="urban")
    a.withdraw(world.on(lamp.pk, "operator"), reason="已经亮了。")
    drain(Letters())
    told = [(one.fields["service_request_id"], one.fields["status"]) for one in other.posts("servicerequestupdates")]
    assert told == [("A1", "open"), ("A1", "open"), ("A1", "closed")]
    assert "市城管局" in other.posts("servicerequestupdates")[1].fields["description"]
    assert differences(lamp.pk) == []


def test_what_it_closes_is_a_note_here_and_closes_nothing(other: OtherSystem, old: System) -> None:
    other.ask("A1", "桥头街道路灯不亮。", at=_ago(hours=3))
    polling.settle(old)
    other.close("A1")
    polling.settle(old)
    case = Case.objects.get()
    assert case.state == "registered"
    assert [stage for stage, _words in noted(case.pk)] == ["imported", "closed"]


def test_what_came_from_a_file_before_is_joined_and_not_made_twice(world: World, other: OtherSystem, old: System) -> None:
    case_id = world.case(source_system="12345.old", source_id="A1")
    other.ask("A1", "桥头街道路灯不亮。", at=_ago(hours=3))
    polling.settle(old)
    assert Link.objects.get().case_id == case_id
    assert Case.objects.count() == 1


def test_a_request_of_ours_that_it_has_is_not_taken_for_new_and_one_without_words_does_not_stop_the_rest(
        other: OtherSystem, old: System) -> None:
    other.ask("A1", "夜里打桩。\n〔12345 26-0000001-1/1〕", at=_ago(hours=3))
    other.ask("A2", "", at=_ago(hours=2), service_name="")
    other.ask("A3", "桥头街道路灯不亮。", at=_ago(hours=1))
    polling.settle(old)
    assert [case.source_id for case in Case.objects.all()] == ["A3"]


def test_more_than_one_answer_holds_is_read_in_smaller_windows(
        other: OtherSystem, old: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Any]] = []

    def get(_self: Client, _path: str, **query: str) -> list[dict[str, str]]:
        asked.append((query["start_date"], query["end_date"]))
        return [{}] * 1000 if len(asked) < 3 else []

    monkeypatch.setattr(Client, "get", get)
    older.pull(Client(old))
    assert [start for start, _end in asked[:3]] == [asked[0][0]] * 3
    assert asked[0][1] > asked[1][1] > asked[2][1]
    assert asked[-1][1] == max(end for _start, end in asked)


# ── Do both have it alike? ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_both_sides_have_differently_is_listed(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    assert list(reconciling.reconcile(joined)) == []
    gone, ended, waits = dispatched(world), dispatched(world), None
    drain(Letters())
    waits = dispatched(world)
    del other.requests["N2"]
    a.redispatch(world.on(ended, "dispatcher"), lead_unit="housing", reason="职责在住建局。")
    other.close("N1")
    found = {one.link.case_id: (one.fault, one.on_its_way) for one in reconciling.reconcile(joined)}
    assert found == {there: ("closed_there", False), gone: ("unknown_there", False), ended: ("open_there", False), waits: ("unsent", True)}
    Letter.objects.filter(state="waiting").update(state="dead")
    assert {one.fault for one in reconciling.reconcile(joined)} >= {"dead"}
    other.spoils, other.faults = "GET", [500]
    with pytest.raises(Fault):
        list(reconciling.reconcile(joined))


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("given", "field"), [
    ({"url": "http://10.0.0.8/"}, ""), ({"url": "ftp://x/"}, ""), ({"unit": "nowhere"}, "unit"), ({"unit": ""}, "unit"),
    ({"agent": "housing"}, "agent"), ({"closing": "reply"}, "agent"), ({"identity": "full"}, "purpose"), ({"name": ""}, "name"),
    ({"kind": "friend"}, "kind")])
def test_settings_that_cannot_be_are_refused(joined: System, given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        systems.save(None, joined.code, **given)
    assert not field or field in caught.value.fields


def test_one_system_for_a_unit_and_every_change_is_written_down(world: World, other: OtherSystem, joined: System) -> None:
    with pytest.raises(Invalid):
        systems.save(None, "urban.second", name="第二个", url=other.url, unit="urban")
    systems.save(world.actor("admin"), joined.code, identity="masked", key="another")
    rows = [(one.what, one.before, one.after) for one in joined.changes.filter(by__isnull=False).order_by("id")]
    assert rows == [("identity", "none", "masked"), ("key", "", "")]
    assert b"another" not in bytes(System.objects.values_list("key", flat=True)[0] or b"")


def test_a_standing_counts_what_waits(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    dispatched(world)
    other.close("N1")
    polling.settle(joined)
    [found] = outbox.standings()
    assert (found.waiting, found.dead, found.open, found.proposed) == (1, 0, 2, 1)


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "1900-01-01T00:00:00+08:00"])
def test_an_empty_time_of_theirs_stops_no_other_request(world: World, other: OtherSystem, old: System, never: str) -> None:
    """Many servers write an empty column as the first day that they know."""
    other.ask("A1", "桥头街道路灯不亮。", at=never)
    other.ask("A2", "桥头街道井盖松动。", at=now().isoformat())
    older.pull(Client(old))
    assert set(Case.objects.filter(source_system=old.code).values_list("source_id", flat=True)) == {"A1", "A2"}
    assert Case.objects.get(source_id="A1").registered_at >= now() - timedelta(minutes=5)
