"""What this desk sends: in order, until it is answered for, and never past what the other side cannot take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk110.world import Desk, Peer, Thread, until


def taken(desk: Desk, peer: Peer) -> Thread:
    matter = Thread(peer)
    matter.offer()
    desk.act(matter.handover, "accept")
    return matter


def test_an_outage_only_delays(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    peer.close()
    desk.act(matter.handover, "accept")
    for step in ("dispatched", "on_scene"):
        desk.act(matter.handover, "progress", step=step)
    until(lambda: desk.get("/api/figures")["line"] == "down")
    assert desk.get("/api/figures")["waiting"] == 3
    assert desk.matter(matter.key)["holder"] == "110.yueyang"  # what was decided here stands
    peer.open()
    peer.wait(matter, "accept", "progress", "progress")
    until(lambda: desk.get("/api/figures")["waiting"] == 0)
    assert desk.get("/api/figures")["line"] == "up"


def test_it_goes_back_to_what_the_other_side_misses(desk: Desk, peer: Peer) -> None:
    matter = taken(desk, peer)
    peer.wait(matter, "accept")
    desk.act(matter.handover, "progress", step="dispatched")
    peer.wait(matter, "accept", "progress")
    with peer.lock:  # the other side was set back to an older state: it has none of it any more
        peer.got = [message for message in peer.got if message["matter"] != str(matter.key)]
        peer.expected.pop(str(matter.key))
        peer.ids.clear()
    desk.act(matter.handover, "progress", step="on_scene")
    peer.wait(matter, "accept", "progress", "progress")


def test_what_cannot_be_taken_waits_for_people(desk: Desk, peer: Peer) -> None:
    tried: list[str] = []

    def refuse(message: dict[str, Any]) -> Any:
        if message["kind"] == "progress":
            tried.append(message["id"])
            return 422, {"code": "invalid"}, {}
        return None

    peer.answer = refuse
    matter, other = taken(desk, peer), taken(desk, peer)
    desk.act(matter.handover, "progress", step="dispatched")
    desk.act(matter.handover, "supplement", words="在它后面")
    until(lambda: desk.get("/api/figures")["dead"] == 1)
    assert len(tried) == 3
    assert peer.kinds(matter) == ["accept"]  # nothing overtakes it
    desk.act(other.handover, "supplement", words="别的事照常")
    peer.wait(other, "accept", "supplement")
    page = desk.http.get(desk.url + "/line", timeout=5)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    peer.answer = lambda message: None
    again = desk.http.post(desk.url + "/line", data={"csrfmiddlewaretoken": token, "message": tried[0]}, timeout=5)
    assert again.status_code == 200
    peer.wait(matter, "accept", "progress", "supplement")


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_it_tries_again(desk: Desk, peer: Peer, status: int) -> None:
    left = [2]

    def not_yet(message: dict[str, Any]) -> Any:
        if left[0]:
            left[0] -= 1
            return status, {"code": "later"}, {"Retry-After": "0"} if status in (429, 503) else {}
        return None

    peer.answer = not_yet
    peer.wait(taken(desk, peer), "accept")


def test_a_200_without_a_receipt_is_no_answer(desk: Desk, peer: Peer) -> None:
    left = [1]

    def empty(message: dict[str, Any]) -> Any:
        if left:
            left.pop()
            return 200, {"ok": True}, {}
        return None

    peer.answer = empty
    matter = taken(desk, peer)
    peer.wait(matter, "accept")
    assert left == []
