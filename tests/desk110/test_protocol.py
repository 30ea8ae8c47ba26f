"""What the published interface asks of a desk, asked of this one over HTTP."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.desk110.world import OTHER_SECRET, ROOT, SECRET, THEM, US, Desk, Peer, Thread, both, hour_ago, until

SCHEMA = json.loads((ROOT / "src" / "lianxin_110_desk" / "schema" / "messages.json").read_text(encoding="utf-8"))


def test_an_offer_taken_worked_on_and_returned(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    answer = matter.offer(emergency=True, basis="emergency", answer_within=30)
    assert answer["status"] == "applied"
    assert desk.matter(matter.key)["holder"] == THEM  # until it is accepted, who offered holds it
    desk.act(matter.handover, "acknowledge", operator="110-07")
    peer.wait(matter, "acknowledge")
    desk.act(matter.handover, "accept", note="马上派警")
    accepted = peer.wait(matter, "acknowledge", "accept")
    assert (accepted["term"], accepted["seq"]) == (2, 2)
    assert accepted["body"]["reference"] == desk.matter(matter.key)["number"]
    assert (desk.matter(matter.key)["holder"], desk.matter(matter.key)["term"]) == (US, 2)
    for step in ("dispatched", "on_scene"):
        desk.act(matter.handover, "progress", step=step)
    desk.act(matter.handover, "outcome", result="settled", words="双方已离开。")
    last = peer.wait(matter, "acknowledge", "accept", "progress", "progress", "outcome")
    assert last["body"]["follow_up"] is False
    matter.term = 2
    matter.say("close", {"told": True})
    state = desk.matter(matter.key)
    assert state["closed"]
    assert [handover["state"] for handover in state["handovers"]] == ["closed"]
    assert [(line["desk"], line["kind"]) for line in state["ledger"]] == [
        ("them", "offer"), ("us", "acknowledge"), ("us", "accept"), ("us", "progress"), ("us", "progress"), ("us", "outcome"),
        ("them", "close")]


def test_everything_it_sends_keeps_to_the_published_schema(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "acknowledge")
    desk.act(matter.handover, "negotiate", words="归谁？", spoke_with="A017", three_way=True, agreed="unclear")
    desk.act(matter.handover, "accept")
    desk.act(matter.handover, "supplement", words="补充一句")
    desk.act(matter.handover, "progress", step="dispatched")
    desk.act(matter.handover, "outcome", result="mediated", words="已劝开", follow_up=True, follow_up_words="请转调解")
    until(lambda: peer.kinds(matter)[-1:] == ["offer"])
    made = desk.post("/api/offers", {"words": "路灯不亮", "place": "巴陵中路", "category": "道路设施", "caller_phone": "07300000000"},
                     status=201)
    until(lambda: peer.kinds(made["id"]) == ["offer"])
    assert {message["kind"] for message in peer.got} >= {
        "acknowledge", "negotiate", "accept", "supplement", "progress", "outcome", "offer"}
    for message in peer.got:
        reference = SCHEMA["discriminator"]["mapping"][message["kind"]]
        assert list(Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": reference}).iter_errors(message)) == []
        assert (message["from"], message["to"]) == (US, THEM)


def test_a_dispute_that_calmed_down_goes_back_with_the_follow_up(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    desk.act(matter.handover, "outcome", result="mediated", words="已劝开", follow_up=True, follow_up_words="请转人民调解")
    back = peer.wait(matter, "accept", "outcome", "offer")
    assert (back["body"]["basis"], back["body"]["follows"], back["term"]) == ("followup", str(matter.handover), 2)
    assert desk.matter(matter.key)["holder"] == US
    matter.say("accept", {"operator": "A017"}, handover=back["handover"], term=3)
    state = desk.matter(matter.key)
    assert (state["holder"], state["term"]) == (THEM, 3)
    assert [handover["state"] for handover in state["handovers"]] == ["closed", "accepted"]


def test_an_incident_of_this_desk_goes_over_and_its_outcome_comes_back(desk: Desk, peer: Peer) -> None:
    made = desk.post("/api/offers", {"words": "广场舞太吵", "category": "噪声扰民"}, status=201)
    offer = peer.wait(made["id"], "offer")
    assert offer["body"]["first_receiver"] == US
    matter = Thread(peer, uuid.UUID(made["id"]))
    matter.handover = uuid.UUID(offer["handover"])
    matter.say("acknowledge", {"operator": "A017"})
    assert desk.matter(matter.key)["handovers"][0]["state"] == "acknowledged"
    desk.act(matter.handover, "accept", status=422)  # its own offer is not its to accept
    matter.say("accept", {"operator": "A017", "reference": "YY1"}, term=2)
    assert desk.matter(matter.key)["holder"] == THEM
    matter.term = 2
    matter.say("progress", {"step": "working", "at": datetime.now(UTC).isoformat()})
    matter.say("outcome", {"result": "settled", "words": "已劝离", "public_words": "已劝离", "at": datetime.now(UTC).isoformat()})
    desk.act(matter.handover, "close", told=True)
    assert peer.wait(made["id"], "offer", "close")["body"] == {"told": True}
    assert desk.matter(matter.key)["closed"]


def test_a_refusal_leaves_the_holder(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "refuse", status=422, reason="because")
    desk.act(matter.handover, "refuse", status=422, reason="other", words=" ")
    desk.act(matter.handover, "refuse", reason="not_police", words="属城管")
    assert peer.wait(matter, "refuse")["body"]["reason"] == "not_police"
    state = desk.matter(matter.key)
    assert (state["holder"], state["term"], state["handovers"][0]["state"]) == (THEM, 1, "refused")
    matter.again().offer()
    assert [handover["state"] for handover in desk.matter(matter.key)["handovers"]] == ["refused", "offered"]


def test_a_joint_offer_leaves_holder_and_term(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer(mode="joint")
    desk.act(matter.handover, "accept")
    assert peer.wait(matter, "accept")["term"] == 1
    state = desk.matter(matter.key)
    assert (state["holder"], state["term"]) == (THEM, 1)
    matter.again().offer()  # who still holds it may offer it
    assert desk.matter(matter.key)["handovers"][1]["state"] == "offered"


def test_withdrawing_is_confirmed(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    matter.say("withdraw", {"reason": "来电人已离开"})
    peer.wait(matter, "withdrawn")
    assert desk.matter(matter.key)["handovers"][0]["state"] == "withdrawn"
    desk.act(matter.handover, "accept", status=422)


def test_an_acceptance_that_was_quicker_stands(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    assert matter.say("withdraw", {"reason": "算了"})["status"] == "noted"
    peer.wait(matter, "accept")
    assert desk.matter(matter.key)["holder"] == US


def test_this_desk_withdraws_and_waits_for_the_word_of_the_other(desk: Desk, peer: Peer) -> None:
    made = desk.post("/api/offers", {"words": "占道经营"}, status=201)
    offer = peer.wait(made["id"], "offer")
    desk.act(offer["handover"], "withdraw", reason="来电人改了主意")
    peer.wait(made["id"], "offer", "withdraw")
    assert desk.matter(made["id"])["handovers"][0]["state"] == "withdrawing"
    matter = Thread(peer, uuid.UUID(made["id"]))
    matter.handover = uuid.UUID(offer["handover"])
    matter.say("withdrawn")
    assert desk.matter(made["id"])["handovers"][0]["state"] == "withdrawn"
    assert desk.matter(made["id"])["holder"] == US


def test_the_same_message_again_is_answered_the_same_and_does_nothing(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    message = matter.message("offer", {"words": "一次", "first_receiver": THEM})
    assert peer.send(message)["status"] == "applied"
    assert peer.send(message) == {"received": message["id"], "status": "duplicate", "answer": None}
    assert len(desk.matter(matter.key)["ledger"]) == 1


def test_a_message_too_early_waits_for_the_one_before(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    offer, more = matter.message("offer", {"words": "先", "first_receiver": THEM}), matter.message("supplement", {"words": "后"})
    problem = peer.send(more, status=409)
    assert (problem["code"], problem["expected"]) == ("out_of_order", 1)
    peer.send(offer)
    assert peer.send(more)["status"] == "applied"
    assert desk.matter(matter.key)["received_seq"] == 2


def test_a_number_used_twice_is_not_swallowed(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    problem = matter.say("supplement", {"words": "丢不得"}, seq=1, status=422)
    assert (problem["code"], list(problem["fields"])) == ("seq_reused", ["seq"])
    first = matter.message("supplement", {"words": "甲"}, seq=2)
    peer.send(first)
    assert peer.send({**first, "seq": 3}, status=422)["code"] == "id_reused"


def test_an_offer_of_another_term_is_refused_as_stale(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    matter.again().offer(term=1)  # this desk holds it: the other one must not offer it
    assert peer.wait(matter, "accept", "refuse")["body"]["reason"] == "stale_term"
    assert desk.matter(matter.key)["holder"] == US


@pytest.mark.parametrize(("kind", "body"), [
    ("accept", {}), ("outcome", {"result": "settled", "words": "x", "at": "2026-11-27T10:00:00+08:00"}), ("withdrawn", {})])
def test_what_is_not_the_senders_to_say_is_refused(desk: Desk, peer: Peer, kind: str, body: dict[str, str]) -> None:
    matter = Thread(peer)
    matter.offer()
    assert matter.say(kind, body, status=422)["code"] == "wrong_side"
    assert desk.matter(matter.key)["received_seq"] == 1


def test_an_acceptance_with_a_wrong_term_is_refused(desk: Desk, peer: Peer) -> None:
    made = desk.post("/api/offers", {"words": "井盖缺失"}, status=201)
    offer = peer.wait(made["id"], "offer")
    matter = Thread(peer, uuid.UUID(made["id"]))
    matter.handover = uuid.UUID(offer["handover"])
    assert matter.say("accept", {}, term=5, status=422)["code"] == "stale_term"
    assert desk.matter(made["id"])["holder"] == US


@pytest.mark.parametrize("kind", ["supplement", "acknowledge", "close"])
def test_a_matter_or_handover_nobody_knows_is_refused(desk: Desk, peer: Peer, kind: str) -> None:
    body = {"words": "x"} if kind == "supplement" else {}
    assert Thread(peer).say(kind, body, status=422)["code"] == "unknown_matter"
    matter = Thread(peer)
    matter.offer()
    assert matter.say(kind, body, handover=str(uuid.uuid4()), status=422)["code"] == "unknown_handover"


def test_signatures(desk: Desk, peer: Peer) -> None:
    def message() -> dict[str, object]:
        return Thread(peer).message("offer", {"words": "不该进来", "first_receiver": THEM})

    peer.send(message(), secret=OTHER_SECRET, status=401)
    peer.send(message(), at=hour_ago(), status=401)
    peer.send(message(), at=datetime.fromtimestamp(datetime.now(UTC).timestamp() + 900, UTC), status=401)
    bare = peer.http.post(desk.url + "/linkage/v1/messages", json=message(), timeout=5)
    assert bare.status_code == 401
    for header in ("v1", "v1,§", "v2,abc", "v1,====", ",", "v1,a b,c"):
        odd = peer.http.post(desk.url + "/linkage/v1/messages", data=b"{}", timeout=5, headers={
            "content-type": "application/json", "webhook-id": "x", "webhook-signature": header.encode(),
            "webhook-timestamp": str(int(datetime.now(UTC).timestamp()))})
        assert odd.status_code == 401, header
        assert odd.headers["content-type"] == "application/problem+json"
    assert desk.http.get(desk.url + "/linkage/v1/messages", timeout=5).status_code == 405
    assert peer.http.post(desk.url + "/linkage/v1/messages", data=b"{}", timeout=5).status_code == 415


def test_either_secret_is_good_while_keys_change(tmp_path: Path) -> None:
    with both(tmp_path, "--secret", OTHER_SECRET) as (_desk, peer):
        for secret in (SECRET, OTHER_SECRET):
            matter = Thread(peer)
            peer.send(matter.message("offer", {"words": "换钥匙", "first_receiver": THEM}), secret=secret)
        peer.secret = OTHER_SECRET  # and what it sends is signed with both
        matter.say("withdraw", {"reason": "演练"})
        peer.wait(matter, "withdrawn")


def test_envelopes(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    good = matter.message("offer", {"words": "信封", "first_receiver": THEM})
    assert peer.send({**good, "from": "somebody.else"}, status=401)["code"] == "signature"
    assert "to" in peer.send({**good, "to": "120.yueyang"}, status=422)["fields"]
    assert "kind" in peer.send({**good, "kind": "order"}, status=422)["fields"]
    assert "version" in peer.send({**good, "version": "2"}, status=422)["fields"]
    assert "seq" in peer.send({**good, "seq": 0}, status=422)["fields"]
    assert "sent_at" in peer.send({**good, "sent_at": "2026-11-27T10:00:00"}, status=422)["fields"]
    assert "matter" in peer.send({**good, "matter": "4711"}, status=422)["fields"]
    assert "body.place" in peer.send({**good, "body": {**good["body"], "place": {"text": "某处", "lon": 113.0}}}, status=422)["fields"]
    assert peer.post("[]", good["id"]).status_code == 400
    assert peer.post("{", good["id"]).status_code == 400
    assert peer.post(json.dumps(good), str(uuid.uuid4())).status_code == 400  # another webhook-id than the message's
    assert peer.post(json.dumps({**good, "body": {"words": "长" * 100_000}}, ensure_ascii=False), good["id"]).status_code == 413
    assert peer.send({**good, "later": {"unknown": 1}})["status"] == "applied"  # a later version may add fields


def test_a_problem_repeats_nothing_of_what_was_sent(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    message = matter.message("offer", {
        "words": "张三的秘密", "first_receiver": "张三 的", "caller": {"shared": "张三", "phone": ["1390000"]}})
    problem = json.dumps(peer.send(message, status=422), ensure_ascii=False)
    assert "张三" not in problem
    assert "1390000" not in problem
    matter = Thread(peer)
    matter.offer(words="李四在金鹗山", caller={"shared": "full", "name": "李四", "phone": "13912345678"})
    desk.act(matter.handover, "refuse", reason="other", words="李四不在")
    peer.wait(matter, "refuse")
    assert not [word for word in ("张三", "李四", "13912345678", "金鹗山") if word in desk.log()]


def test_ping_and_query(desk: Desk, peer: Peer) -> None:
    def apart(kind: str, body: dict[str, object]) -> dict[str, object]:
        return {"version": "1", "id": str(uuid.uuid4()), "from": THEM, "to": US, "kind": kind, "sent_at": datetime.now(UTC).isoformat(),
                "body": body}

    assert peer.send(apart("ping", {}))["answer"]["pong"]
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    found = peer.send(apart("query", {"matter": str(matter.key)}))
    assert (found["status"], found["answer"]) == ("noted", {"holder": US, "term": 2, "state": "accepted", "last_seq": 1})
    assert peer.send(apart("query", {"matter": str(uuid.uuid4())}))["answer"]["holder"] is None


def test_joint_rules_need_both(desk: Desk, peer: Peer) -> None:
    rule = str(uuid.uuid4())
    body = {"rule": rule, "action": "propose", "category": {"code": "noise", "name": "噪声"}, "takes": "sender", "words": "夜间也归热线"}
    message = {"version": "1", "id": str(uuid.uuid4()), "from": THEM, "to": US, "kind": "rule", "sent_at": datetime.now(UTC).isoformat(),
               "body": body}
    assert peer.send(message)["status"] == "applied"
    assert peer.send(message)["status"] == "duplicate"
    peer.send({**message, "id": str(uuid.uuid4()), "body": {"rule": str(uuid.uuid4()), "action": "approve"}}, status=422)


@pytest.mark.parametrize(("first", "expected", "holder"), [(US, "accept", US), (THEM, "refuse", THEM)])
def test_what_stays_unclear_goes_to_the_first_receiver(desk: Desk, peer: Peer, first: str, expected: str, holder: str) -> None:
    matter = Thread(peer)
    matter.offer(basis="unclear", first_receiver=first)
    desk.act(matter.handover, "default", status=422)  # not before the desks have talked
    desk.act(matter.handover, "negotiate", words="各说各的", three_way=True, agreed="unclear")
    desk.act(matter.handover, "default")
    said = peer.wait(matter, "negotiate", expected)
    assert said["body"].get("by") == ("default" if expected == "accept" else None)
    assert said["body"].get("defaulted") == (True if expected == "refuse" else None)
    assert desk.matter(matter.key)["holder"] == holder


def test_the_clock_decides_what_stays_unclear(tmp_path: Path) -> None:
    with both(tmp_path, "--negotiate-seconds", "1") as (desk, peer):
        ours, theirs, clear = Thread(peer), Thread(peer), Thread(peer)
        ours.offer(basis="unclear", first_receiver=US)
        theirs.offer(basis="unclear", first_receiver=THEM)
        clear.offer(basis="clear")
        for matter in (ours, theirs, clear):
            matter.say("negotiate", {"words": "三方通话", "three_way": True, "agreed": "unclear"})
        peer.wait(ours, "accept")
        peer.wait(theirs, "refuse")
        assert desk.matter(theirs.key)["handovers"][0]["state"] == "defaulted"
        assert peer.kinds(clear) == []  # only what was offered as unclear


def test_the_phone_decides_nothing_until_it_is_confirmed_here(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    matter.say("phone", {"spoke_with": "110-03", "at": datetime.now(UTC).isoformat(), "agreed": "accepted"})
    assert desk.matter(matter.key)["holder"] == THEM
    assert desk.matter(matter.key)["handovers"][0]["state"] == "offered"


def test_a_second_partner_by_options(tmp_path: Path) -> None:
    with both(tmp_path, "--name", "120.yueyang", "--title", "120急救") as (desk, peer):
        matter = Thread(peer)
        matter.say("offer", {"words": "老人摔倒", "first_receiver": THEM, "emergency": True, "mode": "joint"}, to="120.yueyang")
        desk.act(matter.handover, "accept")
        assert peer.wait(matter, "accept")["from"] == "120.yueyang"
        assert desk.matter(matter.key)["number"].startswith("120-")
        assert "120急救" in desk.http.get(desk.url + "/", timeout=5).text
