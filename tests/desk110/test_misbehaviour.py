"""It misbehaves as ordered, and only then."""

from __future__ import annotations

import json
import time

import pytest
import requests

from lianxin_110_desk.orders import BadOrder, auto_of, conduct_of
from tests.desk110.world import THEM, Desk, Peer, Thread, until


def offer(peer: Peer) -> tuple[Thread, str, str]:
    matter = Thread(peer)
    message = matter.message("offer", {"words": "演练", "first_receiver": THEM})
    return matter, json.dumps(message), message["id"]


def test_slow(desk: Desk, peer: Peer) -> None:
    desk.control(slow=0.6)
    _matter, raw, key = offer(peer)
    begun = time.monotonic()
    assert peer.post(raw, key).status_code == 200
    assert time.monotonic() - begun >= 0.6


def test_silent_takes_nothing_in(desk: Desk, peer: Peer) -> None:
    desk.control(silent=1)
    matter, raw, key = offer(peer)
    with pytest.raises(requests.RequestException):
        peer.post(raw, key, timeout=0.7)
    desk.control(silent=0)
    assert desk.http.get(f"{desk.url}/api/matters/{matter.key}", timeout=5).status_code == 404
    assert peer.post(raw, key).json()["status"] == "applied"


def test_a_lost_answer_was_done(desk: Desk, peer: Peer) -> None:
    desk.control(lose_answer=1)
    _matter, raw, key = offer(peer)
    with pytest.raises(requests.RequestException):
        peer.post(raw, key)
    desk.control(lose_answer=0)
    assert peer.post(raw, key).json()["status"] == "duplicate"


def test_doubled(desk: Desk, peer: Peer) -> None:
    desk.control(duplicate=1)
    came: list[str] = []
    peer.answer = lambda message: came.append(message["id"])  # type: ignore[assignment, return-value]
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    until(lambda: len(came) == 2)
    assert len(set(came)) == 1
    peer.wait(matter, "accept")


def test_out_of_order(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    peer.close()
    desk.act(matter.handover, "acknowledge")
    desk.act(matter.handover, "accept")
    until(lambda: desk.get("/api/figures")["line"] == "down")
    desk.control(reorder=1)
    peer.open()
    peer.wait(matter, "acknowledge", "accept")
    assert "out_of_order" in peer.refused


def test_rubbish_beside_the_true_message(desk: Desk, peer: Peer) -> None:
    desk.control(garbage=1)
    for _number in range(12):
        matter = Thread(peer)
        matter.offer()
        desk.act(matter.handover, "accept")
        peer.wait(matter, "accept")
    assert len(peer.refused) >= 12  # one beside each; more where a busy machine made it send again
    assert len(set(peer.refused)) >= 2


def test_refusing_everything(desk: Desk, peer: Peer) -> None:
    desk.control(refuse_all=True)
    matter = Thread(peer)
    matter.offer(emergency=True)
    assert peer.wait(matter, "refuse")["body"]["reason"] == "other"


def test_a_wrong_clock(desk: Desk, peer: Peer) -> None:
    desk.control(clock=3600)
    _matter, raw, key = offer(peer)
    assert peer.post(raw, key).status_code == 401  # too old for it
    made = desk.post("/api/offers", {"words": "时钟不准"}, status=201)
    until(lambda: peer.refused)  # and what it sends is from the future
    assert peer.kinds(made["id"]) == []
    desk.control(clock=0)
    peer.wait(made["id"], "offer")
    assert peer.post(raw, key).status_code == 200


def test_by_itself(desk: Desk, peer: Peer) -> None:
    desk.control(auto={"on": True, "accept": 1, "refuse": 0, "negotiate": 0, "follow_up": 0})
    matter = Thread(peer)
    matter.offer()
    peer.wait(matter, "acknowledge", "accept", "progress", "progress", "outcome")
    desk.control(auto={"accept": 0, "refuse": 0, "negotiate": 1})
    matter = Thread(peer)
    matter.offer(first_receiver="110.yueyang")
    assert peer.wait(matter, "acknowledge", "negotiate", "accept", "progress", "progress", "outcome")
    desk.control(auto={"refuse": 1, "negotiate": 0})
    matter = Thread(peer)
    matter.offer()
    peer.wait(matter, "acknowledge", "refuse")


def test_its_own_incidents(desk: Desk, peer: Peer) -> None:
    before = desk.get("/api/figures")["matters"]
    desk.control(auto={"on": True, "offers": 50, "accept": 0, "refuse": 0, "negotiate": 0})
    until(lambda: desk.get("/api/figures")["matters"] >= before + 10)
    desk.control(auto={"offers": 0, "on": False})
    until(lambda: desk.get("/api/figures")["waiting"] == 0)


def test_orders_come_from_this_machine_as_json(desk: Desk) -> None:
    assert desk.http.post(desk.url + "/control", data="slow=1", timeout=5).status_code == 415
    assert desk.http.post(desk.url + "/control", data="{", headers={"content-type": "application/json"}, timeout=5).status_code == 422
    assert desk.http.post(desk.url + "/control", json={"slow": 1}, headers={"Host": "evil.example"}, timeout=5).status_code == 400
    for wrong in ({"slow": -1}, {"slow": "x"}, {"silent": 2}, {"crash": "sometimes"}, {"lazy": 1}, {"auto": {"accept": 0.9, "refuse": 0.9}},
                  {"auto": {"mood": 1}}, {"auto": 5}, {"slow": "nan"}, {"clock": "inf"}):
        assert desk.http.post(desk.url + "/control", json=wrong, timeout=5).status_code == 422, wrong
    assert desk.get("/control")["slow"] == 0


def test_an_act_by_a_program_is_judged_like_one_by_a_person(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    for act, fields in (("accept", {"note": 5}), ("accept", {"mood": "x"}), ("negotiate", {"words": "x", "three_way": "perhaps"}),
                        ("negotiate", {}), ("outcome", {"result": "settled", "words": "x"})):
        desk.act(matter.handover, act, status=422, **fields)
    desk.act(matter.handover, "dance", status=404)
    desk.act(matter.key, "accept", status=422)
    for wrong in ({}, {"words": 5}, {"words": "x", "emergency": "perhaps"}, {"words": "x", "lon": 999, "lat": 1},
                  {"words": "x", "matter": "y"}, {"words": "x", "first": "nobody"}, {"words": "x", "mode": "both"}):
        desk.post("/api/offers", wrong, status=422)
    assert peer.kinds(matter) == []
    assert desk.http.get(desk.url + "/api/seen?matter=x", timeout=5).status_code == 422
    assert desk.http.get(f"{desk.url}/api/seen?matter={matter.handover}", timeout=5).status_code == 404
    assert desk.get(f"/api/seen?matter={matter.key}")["received_at"] > 0


def test_an_incident_given_twice_is_one(desk: Desk, peer: Peer) -> None:
    key = str(Thread(peer).key)
    for _time in range(2):
        desk.post("/api/offers", {"words": "一次", "matter": key}, status=201)
    peer.wait(key, "offer")


@pytest.mark.parametrize("text", ["slow=x", "sleepy", "crash=never", "silent=1.5", "slow=nan"])
def test_orders_of_the_command_line_are_judged(text: str) -> None:
    with pytest.raises(BadOrder):
        conduct_of(text)


def test_orders_of_the_command_line() -> None:
    assert conduct_of("slow=2, refuse_all,crash=after_commit:0.01") == {
        "slow": "2", "refuse_all": "true", "crash": "after_commit", "crash_share": "0.01", "crash_once": "false"}
    assert conduct_of("") == {}
    assert auto_of("") == {}
    assert auto_of("on")["on"]
    assert auto_of("accept=0.5,pace=2")["pace"] == "2"
    with pytest.raises(BadOrder):
        auto_of("accept=0.9,refuse=0.9")
