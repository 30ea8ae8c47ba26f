"""The desk ends at the worst places, on command: afterwards nothing is lost, nothing is done twice, and both name one holder."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.desk110.world import THEM, US, Desk, Peer, Thread, both, environment, until


def dies(desk: Desk, peer: Peer, message: dict[str, Any]) -> None:
    """Send it; the connection breaks."""
    with pytest.raises(requests.RequestException):
        peer.post(json.dumps(message, ensure_ascii=False), message["id"])


def test_before_the_commit_nothing_was_taken_in(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    message = matter.message("offer", {"words": "崩溃之前", "first_receiver": THEM})
    desk.control(crash="before_commit")
    dies(desk, peer, message)
    until(desk.up)
    assert desk.http.get(f"{desk.url}/api/matters/{matter.key}", timeout=5).status_code == 404
    assert peer.insist(message)["status"] == "applied"


def test_between_commit_and_answer_it_was_taken_in_once(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    message = matter.message("offer", {"words": "崩溃之后", "first_receiver": THEM})
    desk.control(crash="after_commit")
    dies(desk, peer, message)
    assert peer.insist(message)["status"] == "duplicate"
    assert [line["kind"] for line in desk.matter(matter.key)["ledger"]] == ["offer"]
    assert desk.get("/control")["crash"] == ""  # ordered once, it happens once


def test_between_their_answer_and_its_note_it_sends_again(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    came: list[str] = []
    peer.answer = lambda message: came.append(message["id"])  # type: ignore[assignment, return-value]
    desk.control(crash="after_send")
    desk.act(matter.handover, "accept")
    until(lambda: len(came) >= 2 and desk.up())
    assert len(set(came)) == 1
    assert peer.kinds(matter) == ["accept"]
    until(lambda: desk.get("/api/figures")["waiting"] == 0)


@pytest.mark.slow
def test_a_hundred_matters_through_crashes_lost_answers_and_doubling(tmp_path: Path) -> None:
    """Six senders offer 120 matters to a desk that decides by itself and dies again and again. What the peer read in order is its
    own record; at the end both records are compared, matter by matter."""
    with both(tmp_path, "--auto", "accept=0.6,refuse=0.25,negotiate=0.15,follow_up=0.3", "--misbehave",
              "lose_answer=0.1,duplicate=0.1,reorder=0.1,garbage=0.05,crash=any:0.01") as (desk, peer):
        chance, lost = random.Random(6), threading.Lock()
        drops = 0

        def lossy(message: dict[str, Any]) -> Any:
            nonlocal drops
            with lost:
                if chance.random() < 0.1:
                    drops += 1
                    return 503, {}, {}
            return None

        peer.answer = lossy
        matters = [Thread(peer) for _number in range(120)]

        def go(matter: Thread) -> None:
            mode = "joint" if matters.index(matter) % 7 == 0 else "transfer"
            peer.insist(matter.message("offer", {"words": "演练", "first_receiver": THEM, "mode": mode}), 90)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(go, matters))
        # `lose_answer` and the crashes go on while the rest is settled
        until(lambda: all(decided(peer, matter) for matter in matters), 120)
        followups = [message for matter in matters for message in peer.of(matter) if message["kind"] == "offer"]
        assert followups
        for message in followups:
            matter = next(one for one in matters if str(one.key) == message["matter"])
            matter.term = message["term"] + 1
            accept = matter.message("accept", {"operator": "A1"}, handover=message["handover"])
            peer.insist(accept, 60)
        desk.control(reset=True)
        until(lambda: desk.get("/api/figures")["waiting"] == 0, 60)
        back = {message["matter"] for message in followups}
        for matter in matters:
            theirs = desk.matter(matter.key)
            seqs = [message["seq"] for message in peer.of(matter)]
            assert seqs == list(range(1, theirs["sent_seq"] + 1))
            kinds = peer.kinds(matter)
            assert kinds.count("accept") + kinds.count("refuse") == 1
            joint = theirs["handovers"][0]["mode"] == "joint"
            taken = "accept" in kinds and not joint
            assert theirs["holder"] == (US if taken and str(matter.key) not in back else THEM)
            assert theirs["term"] == 1 + taken + (str(matter.key) in back)
            assert [line["kind"] for line in theirs["ledger"]].count("offer") == 1 + (str(matter.key) in back)
        assert drops > 10
        assert len(desk.get("/api/matters")["matters"]) == 120


def decided(peer: Peer, matter: Thread) -> bool:
    kinds = peer.kinds(matter)
    if "accept" in kinds and "outcome" in kinds:
        outcome = next(message for message in peer.of(matter) if message["kind"] == "outcome")
        return not outcome["body"]["follow_up"] or kinds[-1] == "offer"
    return "refuse" in kinds


def test_the_file_itself_keeps_the_rules(desk: Desk, peer: Peer) -> None:
    matter = Thread(peer)
    matter.offer()
    with sqlite3.connect(desk.data / "desk.sqlite3", timeout=20) as file:
        file.execute("PRAGMA foreign_keys=ON")
        columns = [row[1] for row in file.execute("PRAGMA table_info(desk_handover)")]
        names = ", ".join(f'"{name}"' for name in columns)
        others = ", ".join("hex(randomblob(16))" if name == "id" else f'"{name}"' for name in columns)
        trials = [
            (f"INSERT INTO desk_handover ({names}) SELECT {others} FROM desk_handover WHERE state = 'offered' LIMIT 1", "UNIQUE"),
            ("UPDATE desk_matter SET holder = 'both'", "matter_holder"),
            ("UPDATE desk_matter SET term = 0", "matter_term"),
            ("UPDATE desk_handover SET state = 'gone'", "handover_state"),
            ("UPDATE desk_handover SET state = 'refused', refusal = ''", "handover_refusal"),
            ("UPDATE desk_entry SET kind = 'x'", "append-only"),
            ("DELETE FROM desk_entry", "append-only"),
        ]
        for statement, why in trials:
            with pytest.raises(sqlite3.IntegrityError, match=why):
                file.execute(statement)
        file.rollback()
        assert file.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_it_starts_again_with_what_it_had(tmp_path: Path) -> None:
    with both(tmp_path) as (desk, peer):
        matter = Thread(peer)
        matter.offer()
        desk.control(refuse_all=True)
        peer.close()
        desk.act(matter.handover, "accept")
        until(lambda: desk.get("/api/figures")["line"] == "down")
        desk.stop()
        peer.open()
        desk.start()
        peer.wait(matter, "accept")
        assert desk.get("/control")["refuse_all"] is False  # a new start by a person begins well-behaved
        second = Desk(tmp_path, peer.url)
        said = subprocess.run(second.command, env=environment(), capture_output=True, timeout=30, check=False)
        assert said.returncode == 2
        assert "another desk runs on" in said.stdout.decode()
