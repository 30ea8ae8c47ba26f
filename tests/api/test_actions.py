"""Every action of the table, driven over HTTP by tokens of the roles."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from lianxin.api.actions import BODIES, EXAMPLES, ROWS, RUN, fields_of
from lianxin.cases.models import Attachment, Case, Event, IdentityReading, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import TABLE, Holder
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine, token
from tests.cases.desks import CODE, other_desk
from tests.cases.ways import at_state
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "楼下工地半夜还在打桩，声音很大。"


def photo(colour: str = "green") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "JPEG")
    return out.getvalue()


def upload(machine: Machine, body: bytes, name: str = "现场.jpg", **headers: str) -> Any:
    bound = "----part"
    raw = (f'--{bound}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
           "Content-Type: image/jpeg\r\n\r\n").encode() + body + f"\r\n--{bound}--\r\n".encode()
    return machine.send("POST", "/attachments", raw, Content_Type=f"multipart/form-data; boundary={bound}", **headers)


def ok(answer: Any, state: str | None = None) -> Any:
    assert answer.status_code in (200, 201), answer.content.decode()
    made = answer.json()
    if state is not None:
        assert made["state"] == state
    return made


def test_every_row_of_the_table_has_its_operation() -> None:
    system_only = {row.action for row in TABLE if row.holders == {Holder.SYSTEM}}
    of_the_link = {row.action for row in TABLE if Holder.PARTNER in row.holders}  # done by messages: /linkage/v1/messages
    assert {row.action for row in TABLE} - system_only - of_the_link - {"register"} == set(ROWS) == set(RUN)
    assert set(EXAMPLES) == set(ROWS)
    for name, row in ROWS.items():
        assert set(row.requires) <= set(fields_of(row)), name
        assert set(row.optional) <= set(fields_of(row)), name
        BODIES[name].model_validate_json(BODIES[name](**EXAMPLES[name]).model_dump_json())


def test_a_life_by_many_hands(world: World, machines: Any, monday: Frozen) -> None:
    """Every action at least once."""
    done: set[str] = set()

    def act(who: Any, case_id: str, action: str, state: str | None = None, **fields: Any) -> Any:
        machine = who if isinstance(who, Machine) else machines(who)
        made = ok(machine.act(case_id, action, **fields), state)
        done.add(action)
        monday.move(minutes=1)
        return made

    made = ok(machines("operator").post("/cases", {"words": WORDS, "phone": "13812342201", "channel": "phone"}))
    one = made["id"]
    reporter = Machine(**{"X-Tracking-Code": made["tracking_code"].lower().replace("-", " ")})
    act("operator", one, "refer_emergency", service="110")
    act("operator", one, "accept", "accepted", **EXAMPLES["accept"] | {"category": "010101"})
    act("operator", one, "correct", "accepted", category="010102", reason="听录音核对。")
    act("dispatcher", one, "dispatch", "dispatched", lead_unit="urban")
    act("urban", one, "raise_return", "objected", **EXAMPLES["raise_return"])
    act("dispatcher", one, "reject_return", "dispatched", ruling="请继续办理。")
    act("urban", one, "sign", "in_hand")
    act("urban", one, "raise_return", "objected", **EXAMPLES["raise_return"])
    act("dispatcher", one, "uphold_return", "accepted", ruling="同意。")
    act("dispatcher", one, "dispatch", "dispatched", lead_unit="water")
    act("water", one, "raise_return", "objected", **EXAMPLES["raise_return"])
    act("dispatcher", one, "rule_jointly", "dispatched", **EXAMPLES["rule_jointly"])
    act("dispatcher", one, "redispatch", "dispatched", lead_unit="housing", reason="归住建局。")
    act("dispatcher", one, "add_assisting", assisting_units=["urban"])
    act("urban", one, "assist_sign")
    act("housing", one, "sign", "in_hand")
    act("urban", one, "assist_reply", private_note="已巡查。")
    act("urban", one, "hand_to_colleague", officer="urban2")
    act("housing", one, "ask_colleague", note="请补夜间照片。")
    act("housing", one, "record_contact", means="phone", reached=True)
    act("housing", one, "suspend", **EXAMPLES["suspend"])
    act(reporter, one, "add_information", words="昨夜又施工。")
    act("housing", one, "suspend", waits_for="outside", words="等供电公司停电。", until="2026-11-25T17:00:00+08:00")
    act("housing", one, "resume_work")
    assert machines("housing").act(one, "suspend", **EXAMPLES["suspend"]).status_code == 422  # twice is all there is
    act("housing", one, "ask_extension", **EXAMPLES["ask_extension"])
    act("dispatcher", one, "refuse_extension", **EXAMPLES["refuse_extension"])
    act("housing", one, "ask_extension", reason="雨还没停。", minutes=420)
    act("supervisor", one, "grant_extension", explanation="连日下雨。")
    picture = ok(upload(machines("housing"), photo()))["id"]
    act("housing", one, "attach", attachments=[picture], purpose="proof")
    act("housing", one, "reply", "replied", public_answer="已责令停工。", solved=True)
    act("reviewer", one, "send_back", "in_hand", reason="没有写时间。")
    act("housing", one, "reply", "replied", public_answer="已责令 22 时后停工。", solved=True)
    act("reviewer", one, "approve", "callback")
    act("callback", one, "reopen", "dispatched", reason="昨夜又施工。")
    act("housing", one, "sign", "in_hand")
    act("housing", one, "reply", "replied", public_answer="已派人值守。", solved=True, means="phone")
    act("reviewer", one, "approve", "callback")
    act("callback", one, "record_callback_attempt", outcome="reached", solved=False, satisfaction="dissatisfied")
    act("supervisor", one, "reopen", "dispatched", reason="请再办一次。")
    act("housing", one, "sign", "in_hand")
    act("housing", one, "reply", "replied", public_answer="已派人值守。", solved=True, means="phone")
    act("reviewer", one, "ask_check", **EXAMPLES["ask_check"])
    seen = ok(upload(machines("grid"), photo()))["id"]
    act("grid", one, "answer_check", handled=True, note="有人值守。", lon=113.1, lat=29.1, attachments=[seen])
    act("reviewer", one, "approve", "callback")
    act(reporter, one, "rate", "callback", solved=True, satisfaction="satisfied", words="谢谢。")
    act("callback", one, "close", "closed")
    act(reporter, one, "contest", "callback", words="昨夜又响了。")
    act(reporter, one, "request_publication", title="夜间施工", body="夜间施工已停。")
    act("reviewer", one, "clear_publication", title="夜间施工", body="夜间施工已停。")
    act("dispatcher", one, "refuse_publication", reason="内容涉及他人。")
    assert differences(uuid.UUID(one)) == []

    before, after = (ok(upload(machines("grid"), photo()))["id"] for _each in range(2))
    found = ok(machines("grid").post("/cases", {"words": "井盖没了。", "channel": "field", "category": "010101", "attachments": [before]}))
    act("grid", found["id"], "settle_on_the_spot", "closed", public_answer="已盖好。", attachments=[after])

    waiting = str(at_state(world, State.IN_HAND))
    act("urban", waiting, "suspend", waits_for="outside", words="等停电。", until="2026-11-25T17:00:00+08:00")
    act("dispatcher", waiting, "lift_suspension", **EXAMPLES["lift_suspension"])

    two = ok(machines("operator").post("/cases", {"words": WORDS}))["id"]
    act("operator", two, "decline", "declined", **EXAMPLES["decline"])
    three = ok(machines("operator").post("/cases", {"words": WORDS}))["id"]
    act("operator", three, "answer_on_the_spot", "closed", **EXAMPLES["answer_on_the_spot"])
    four = ok(machines("operator").post("/cases", {"words": WORDS}))
    act(Machine(**{"X-Tracking-Code": four["tracking_code"]}), four["id"], "withdraw", "withdrawn", reason="修好了。")

    nameless = ok(machines("operator").post("/cases", {"words": WORDS}))
    act("operator", nameless["id"], "add_reporter", **EXAMPLES["add_reporter"])

    held = str(at_state(world, State.IN_HAND))
    act("supervisor", held, "urge", **EXAMPLES["urge"])
    act("supervisor", held, "supervise", **EXAMPLES["supervise"])
    act("urban", held, "answer_supervision", **EXAMPLES["answer_supervision"])
    act("supervisor", held, "refuse_supervision_answer", **EXAMPLES["refuse_supervision_answer"])
    act("urban_head", held, "answer_supervision", **EXAMPLES["answer_supervision"])
    act("supervisor", held, "accept_supervision_answer", **EXAMPLES["accept_supervision_answer"])
    same = at_state(world, State.ACCEPTED)
    act("dispatcher", held, "merge", duplicates=[Case.objects.get(pk=same).number], reason="同一个工地。")
    act("dispatcher", str(same), "unmerge", **EXAMPLES["unmerge"])
    with other_desk():
        act("operator", held, "offer_handover", "in_hand", **EXAMPLES["offer_handover"] | {"partner": CODE})
        held_back = machines("dispatcher").act(held, "merge", duplicates=[held], reason="同。")
        assert held_back.status_code == 422  # it may still get others under it, but not itself
        refused = machines("operator").act(held, "offer_handover", **EXAMPLES["offer_handover"] | {"partner": "120.test"})
        assert (refused.status_code, refused.json()["code"]) == (409, "handover_open")
        act("operator", held, "withdraw_handover", "in_hand", **EXAMPLES["withdraw_handover"])
    assert done == set(ROWS)


def test_a_replay_is_answered_as_the_first_time(world: World, machines: Any, monday: Frozen) -> None:
    case_id = world.accepted()
    dispatcher = machines("dispatcher")
    path, body = f"/cases/{case_id}/actions/dispatch", {"lead_unit": "housing"}
    first = dispatcher.post(path, body, Idempotency_Key="d-1")
    ok(machines("housing").act(case_id, "sign"), "in_hand")
    for _again in range(2):
        again = dispatcher.post(path, body, Idempotency_Key="d-1")
        assert (again.status_code, again.json(), again.headers["ETag"]) == (200, first.json(), first.headers["ETag"])
        assert again.headers["Idempotent-Replayed"] == "true"
    assert Event.objects.filter(case_id=case_id, action="dispatch").count() == 1
    other = dispatcher.post(path, {"lead_unit": "urban"}, Idempotency_Key="d-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    elsewhere = dispatcher.post(f"/cases/{world.accepted()}/actions/dispatch", body, Idempotency_Key="d-1")
    assert elsewhere.status_code == 409


def test_whoever_saw_an_older_version_is_told(world: World, machines: Any, monday: Frozen) -> None:
    case_id = world.accepted()
    path, body = f"/cases/{case_id}/actions/dispatch", {"lead_unit": "housing"}
    seen = machines("dispatcher").get(f"/cases/{case_id}").headers["ETag"]
    assert seen == '"2"'
    stale = machines("dispatcher").post(path, body, If_Match='"1"')
    assert stale.status_code == 409
    assert stale.json()["current"] == {"version": 2, "state": "accepted", "seen": 1}
    assert machines("dispatcher").post(path, body | {"version": 1}).status_code == 409
    assert machines("dispatcher").post(path, body, If_Match="two").json()["code"] == "bad_if_match"
    done = machines("dispatcher").post(path, body | {"version": 1}, If_Match=seen)
    assert (done.status_code, done.headers["ETag"]) == (200, '"3"')
    late = machines("dispatcher").post(path, body)
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")


def test_scopes_units_and_other_peoples_cases(world: World, machines: Any, monday: Frozen) -> None:
    case_id = world.accepted()
    ok(machines("dispatcher").act(case_id, "dispatch", lead_unit="housing"))
    assert machines("water").act(case_id, "sign").status_code == 404
    assert machines("water").get(f"/cases/{case_id}").status_code == 404
    assert machines("operator").act(case_id, "sign").status_code == 403
    only_reading = Machine(token(world, "housing", "read"))
    assert only_reading.get(f"/cases/{case_id}").status_code == 200
    refused = only_reading.act(case_id, "sign")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    only_signing = Machine(token(world, "housing", "sign"))
    assert only_signing.get(f"/cases/{case_id}").status_code == 403
    elsewhere = Machine(token(world, "housing", unit="urban"))
    assert elsewhere.act(case_id, "sign").status_code == 404
    ok(only_signing.act(case_id, "sign"), "in_hand")


def test_a_code_opens_its_own_case_only(world: World, machines: Any, monday: Frozen) -> None:
    mine = ok(machines("operator").post("/cases", {"words": WORDS}))
    other = ok(machines("operator").post("/cases", {"words": WORDS}))
    reporter = Machine(**{"X-Tracking-Code": mine["tracking_code"]})
    assert reporter.act(other["id"], "withdraw", reason="不是我的。").status_code == 404
    assert reporter.act(mine["id"], "accept", category="010102").status_code == 401
    assert reporter.get(f"/cases/{mine['id']}").status_code == 401
    assert Machine(**{"X-Tracking-Code": "K7QM3-9XTPA"}).act(mine["id"], "withdraw", reason="x").status_code == 401
    assert Case.objects.filter(state="withdrawn").count() == 0


def test_one_sees_ones_own_case_by_its_code(world: World, machines: Any, monday: Frozen) -> None:
    made = ok(machines("operator").post("/cases", {"words": WORDS, "category": "010102", "accept": True}))
    ok(machines("dispatcher").act(made["id"], "dispatch", lead_unit="housing", note="内部说明"))
    seen = ok(Machine().post("/tracking", {"code": made["tracking_code"].replace("-", " ").lower()}))
    assert seen["number"] == made["number"]
    assert "市住建局" in seen["headline"]
    assert "内部说明" not in str(seen)
    assert {row["action"] for row in seen["actions"]} == {"withdraw", "add_information", "attach", "request_publication"}
    wrong = Machine().post("/tracking", {"code": "K7QM3-9XTPA"})
    assert wrong.status_code == 404
    codes = [Machine().post("/tracking", {"code": "K7QM3-9XTPA"}).status_code for _ in range(30)]
    assert codes[-1] == 429
    limited = Machine().post("/tracking", {"code": made["tracking_code"]})
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "60")


def test_uploads_are_replayed_and_claimed(world: World, machines: Any, monday: Frozen) -> None:
    operator = machines("operator")
    first = ok(upload(operator, photo(), Idempotency_Key="p-1"))
    again = upload(operator, photo(), Idempotency_Key="p-1")
    assert (again.status_code, again.json()["id"], again.headers["Idempotent-Replayed"]) == (201, first["id"], "true")
    other = upload(operator, photo("red"), Idempotency_Key="p-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert Attachment.objects.count() == 1
    made = ok(operator.post("/cases", {"words": WORDS, "attachments": [first["id"]]}))
    listed = ok(operator.get(f"/cases/{made['id']}/attachments"))["items"]
    assert [row["id"] for row in listed] == [first["id"]]
    body = b"".join(operator.get(f"/attachments/{first['id']}").streaming_content)
    assert body.startswith(b"\xff\xd8")
    assert operator.get(f"/attachments/{first['id']}?thumbnail=true").headers["Content-Type"] == "image/jpeg"
    assert machines("water").get(f"/attachments/{first['id']}").status_code == 404
    lost = operator.post("/cases", {"words": WORDS, "attachments": [str(uuid.uuid4())]})
    assert (lost.status_code, lost.json()["errors"][0]["field"]) == (422, "attachments")
    assert Case.objects.count() == 1
    claimed = upload(operator, photo(), Idempotency_Key="p-1")
    assert (claimed.json()["id"], claimed.headers["Idempotent-Replayed"]) == (first["id"], "true")
    mine = Machine(**{"X-Tracking-Code": made["tracking_code"]})
    sent = [ok(upload(mine, photo("blue"), Idempotency_Key="r-1"))["id"] for _ in range(2)]
    assert sent[0] == sent[1]
    ok(mine.act(made["id"], "attach", attachments=sent[:1]))
    assert ok(upload(mine, photo("blue"), Idempotency_Key="r-1"))["id"] == sent[0]
    assert upload(mine, photo("red"), Idempotency_Key="r-1").status_code == 409
    assert mine.get(f"/attachments/{sent[0]}").status_code == 200
    assert mine.get(f"/attachments/{first['id']}").status_code == 404
    assert operator.post("/attachments", {"file": "x"}).status_code == 415
    assert upload(operator, b"#!/bin/sh\n", name="x.jpg").status_code == 422


def test_reading_who_reported_is_written_down(world: World, machines: Any, monday: Frozen) -> None:
    made = ok(machines("operator").post("/cases", {"words": WORDS, "name": "王小明", "phone": "13812342201"}))
    path = f"/cases/{made['id']}/identity"
    assert machines("operator").post(path, {}).status_code == 422
    assert ok(machines("operator").post(path, {"why": "核对地点"}))["phone"] == "13812342201"
    assert machines("reviewer").post(path, {"why": "好奇"}).status_code == 403
    assert Machine(token(world, "operator", "read")).post(path, {"why": "核对"}).status_code == 403
    assert IdentityReading.objects.count() == 1
    assert "13812342201" not in machines("operator").get(f"/cases/{made['id']}").content.decode()
