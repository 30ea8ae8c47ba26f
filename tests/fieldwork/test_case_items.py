"""What telephones send of cases, and what they are given of them."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from lianxin.cases import actions as a
from lianxin.cases.models import Attachment, Case, Check, Event, State
from lianxin.fieldwork import case_items, uploads
from lianxin.fieldwork.models import Receipt, Upload
from lianxin.kernel.clock import Frozen
from tests.cases.test_grid import second
from tests.cases.ways import VILLAGE, at_state, take
from tests.fieldwork.phones import Phone, codes, item, statuses
from tests.world import World

pytestmark = pytest.mark.django_db


def sent(phone: Phone, colour: str = "green") -> str:
    """A photo that has arrived whole."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    body, pk = out.getvalue(), uuid.uuid4()
    uploads.begin(phone.worker, upload_id=pk, name="现场.jpg", size=len(body))
    uploads.append(phone.worker, upload_id=pk, offset=0, read=io.BytesIO(body).read, length=len(body))
    assert Upload.objects.get(pk=pk).attachment_id is not None
    return str(pk)


def files(**roles: str) -> dict[str, Any]:
    return {"files": [{"id": pk, "role": role} for role, pk in roles.items()]}


def test_a_report_is_a_case_from_the_field(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    made_at = monday.move(hours=3) - timedelta(hours=2)
    [result] = phone.push(item("report", {"words": "路灯不亮。", "category": "010101", "lon": 113.1, "lat": 29.1, "accuracy": 12.0},
                               made_at=made_at, **files(report=sent(phone), voice=sent(phone, "red"))))
    assert result.status == "accepted"
    case = Case.objects.get(pk=result.answer["case"])
    assert (case.channel, case.state, case.number, case.registered_by_id) == (
        "field", "registered", result.answer["number"], phone.worker.staff_id)
    assert case.area is not None
    assert case.area.code == VILLAGE
    assert Attachment.objects.filter(case=case).count() == 2
    event = Event.objects.get(case=case)
    assert event.at == monday.move()  # the clocks run from when it arrived
    assert event.data["made_at"] == made_at.isoformat()


def test_coordinates_of_a_chinese_map_are_brought_back(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    [result] = phone.push(item("report", {"words": "井盖没了。", "lon": 113.1, "lat": 29.1, "coordinate_system": "gcj02"}))
    case = Case.objects.get(pk=result.answer["case"])
    assert case.lon is not None
    assert abs(case.lon - 113.1) > 0.001


def test_settled_on_the_spot_in_one_item(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    said = {"words": "路边倒了一棵小树。", "category": "010101", "area": VILLAGE, "settled": {"words": "已扶起捆好。"}}
    [result] = phone.push(item("report", said, **files(before=sent(phone), after=sent(phone, "red"))))
    assert (result.status, result.answer["state"]) == ("accepted", "closed")
    case = Case.objects.get(pk=result.answer["case"])
    assert case.outcome == "self_handled"
    assert sorted(Attachment.objects.filter(case=case).values_list("purpose", flat=True)) == ["proof", "report"]


@pytest.mark.parametrize("roles", [("before",), ("after",), ()])
def test_a_settling_without_its_proof_leaves_nothing_behind(world: World, monday: Frozen, roles: tuple[str, ...]) -> None:
    phone = Phone.of(world)
    said = {"words": "路边倒了一棵小树。", "category": "010101", "settled": {"words": "已扶起捆好。"}}
    one = item("report", said, **files(**{role: sent(phone, role) for role in ()} | {role: sent(phone) for role in roles}))
    [result] = phone.push(one)
    assert (result.status, codes([result])) == ("refused", ["invalid"])
    assert not Case.objects.exists()
    assert Receipt.objects.get().body is not None  # what was written is kept until the worker has made it anew
    again = item("report", said | {"settled": None}, settles=one["id"], files=one["files"])
    [result] = phone.push(again)  # the same photos, pushed up instead
    assert result.status == "accepted", result
    assert Receipt.objects.get(pk=one["id"]).body is None


def test_the_record_of_an_emergency_follows(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    [result] = phone.push(item("report", {"words": "楼道着火了。", "emergency": "119"}))
    case = Case.objects.get(pk=result.answer["case"])
    assert case.urgency == "urgent"
    assert Event.objects.get(case=case, action="refer_emergency").data["service"] == "119"


@pytest.mark.parametrize(("body", "field"), [
    ({"words": ""}, "words"), ({"words": "灯", "category": "nothing"}, "category"), ({"words": "灯", "lon": 113.1}, "lon"),
    ({"words": "灯", "lon": 10.0, "lat": 29.1}, "lon"), ({"words": "灯", "emergency": "911"}, "emergency"),
    ({"words": "灯", "more": 1}, "more"), ({"words": "灯", "area": "nowhere"}, "area")])
def test_a_wrong_field_is_named_and_nothing_is_registered(world: World, monday: Frozen, body: dict[str, Any], field: str) -> None:
    [result] = Phone.of(world).push(item("report", body))
    assert result.status == "refused"
    assert result.problem is not None
    assert any(name.startswith(field) for name in result.problem["fields"]), result.problem
    assert not Case.objects.exists()


def test_more_about_a_report_and_a_case_that_has_ended(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    [made] = phone.push(item("report", {"words": "路灯不亮。"}))
    case = made.answer["case"]
    results = phone.push(item("add", {"case": case, "words": "旁边那盏也不亮。"}, **files(report=sent(phone))),
                         item("add", {"case": case}))
    assert statuses(results) == ["accepted", "refused"]
    take(world, uuid.UUID(case), "decline")
    [late] = phone.push(item("add", {"case": case, "words": "还有一盏。"}))
    assert (late.status, codes([late])) == ("conflict", ["wrong_state"])
    assert late.problem is not None
    assert (late.problem["current"]["state"], late.problem["current"]["standing"]) == ("declined", "不归热线办")
    strange = at_state(world, State.REGISTERED)
    results = phone.push(item("add", {"case": str(strange), "words": "？"}), item("add", {"case": str(uuid.uuid4()), "words": "？"}))
    assert (statuses(results), codes(results)) == (["conflict", "refused"], ["not_yours", "not_found"])
    assert results[0].problem is not None
    assert results[0].problem["current"] == {}  # nothing of a case that is not theirs


def test_a_check_is_answered_once_by_whom_it_was_given_to(world: World, monday: Frozen) -> None:
    second(world)
    phone, other = Phone.of(world), Phone.of(world, "grid2")
    case_id = at_state(world, State.CALLBACK, words="工地夜里打桩，我的电话 13812342201，请回电。")
    take(world, case_id, "ask_check", worker="grid")
    [task] = case_items.tasks_checks(phone.worker)
    assert task["asked"] == "请看工地夜里是否停工。"
    assert task["answer"] == "已责令停工。"
    assert "打桩" in task["words"]
    assert "1381234" not in str(task)
    assert case_items.tasks_checks(other.worker) == []
    body = {"check": task["id"], "handled": True, "note": "没有灯。", "lon": 113.1, "lat": 29.1}
    [foreign] = other.push(item("check", body, **files(proof=sent(other))))
    assert (foreign.status, foreign.problem and foreign.problem["current"]) == ("conflict", {})  # nothing of a case not theirs
    bare, [whole] = phone.push(item("check", body)), phone.push(item("check", body, **files(proof=sent(phone, "red"))))
    assert (statuses(bare), whole.status) == (["refused"], "accepted")
    assert Check.objects.get().handled is True
    assert case_items.tasks_checks(phone.worker) == []
    [late] = phone.push(item("check", body, **files(proof=sent(phone, "blue"))))
    assert codes([late]) == ["check_gone"]


def test_a_check_whose_case_went_back_is_a_conflict_that_says_how_it_stands(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    case_id = at_state(world, State.REPLIED)
    take(world, case_id, "ask_check")
    [task] = case_items.tasks_checks(phone.worker)
    take(world, case_id, "send_back")
    assert case_items.tasks_checks(phone.worker) == []
    [result] = phone.push(item("check", {"check": task["id"], "handled": True}, **files(proof=sent(phone))))
    assert result.status == "conflict"
    assert result.problem is not None
    assert result.problem["current"]["state"] == "in_hand"


def test_a_towns_case_is_worked_on_from_the_phone(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    case_id = world.accepted("010101", area="990101001")
    take(world, case_id, "dispatch", lead_unit="bridge", assisting_units=[])
    assert case_items.tasks_cases(phone.worker) == []
    a.hand_to_colleague(world.on(case_id, "bridge"), officer="grid")
    [task] = case_items.tasks_cases(phone.worker)
    assert (task["case"], task["signed"], task["field_matter"]) == (str(case_id), False, True)
    assert "138" not in str(task)
    results = phone.push(
        item("sign", {"case": task["case"], "version": task["version"]}),
        item("contact", {"case": task["case"], "means": "visit", "reached": True}),
        item("reply", {"case": task["case"], "public_answer": "灯亮了。", "solved": True}, **files(after=sent(phone))))
    assert statuses(results) == ["accepted"] * 3, results
    assert Case.objects.get(pk=case_id).state == State.REPLIED
    assert case_items.tasks_cases(phone.worker) == []
    [stale] = phone.push(item("reply", {"case": task["case"], "version": task["version"], "public_answer": "好了。", "solved": True}))
    assert stale.status in ("conflict", "refused")


def test_two_on_one_case_the_later_is_told(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    case_id = world.accepted("010101", area="990101001")
    take(world, case_id, "dispatch", lead_unit="bridge", assisting_units=[])
    a.hand_to_colleague(world.on(case_id, "bridge"), officer="grid")
    [task] = case_items.tasks_cases(phone.worker)
    a.sign(world.on(case_id, "bridge"))
    [result] = phone.push(item("sign", {"case": task["case"], "version": task["version"]}))
    assert result.status == "conflict"
    assert result.problem is not None
    assert result.problem["code"] == "not_yours"  # whoever signs is who works on it
    a.hand_to_colleague(world.on(case_id, "bridge"), officer="grid")
    [task] = case_items.tasks_cases(phone.worker)
    take(world, case_id, "redispatch", lead_unit="urban")
    [late] = phone.push(item("reply", {"case": task["case"], "version": task["version"], "public_answer": "好了。", "solved": True}))
    assert (late.status, codes([late])) == ("conflict", ["not_yours"])


def test_reports_say_where_they_stand(world: World, monday: Frozen) -> None:
    phone = Phone.of(world)
    [old] = phone.push(item("report", {"words": "旧的。"}))
    Case.objects.filter(pk=old.answer["case"]).update(channel="phone")  # reported at a desk: not the telephone's
    [made] = phone.push(item("report", {"words": "路灯不亮。"}))
    take(world, uuid.UUID(made.answer["case"]), "decline")
    [row] = case_items.reports(phone.worker)
    assert (row["number"], row["state"]) == (made.answer["number"], "declined")
    assert row["answer"].startswith("这是已起诉的合同纠纷")
    assert case_items.reports(Phone.of(world, "grid", "另一部").worker) == [row]
