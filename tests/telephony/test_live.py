"""News for open pages: the hub alone, and the whole process beside a real database."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction

from lianxin.kernel import live
from lianxin.live.hub import PER_PERSON, WAITING, Full, Hub
from tests.loops import run

QUEUE = frozenset({"queue"})


def test_a_message_is_a_topic_and_ids() -> None:
    assert json.loads(live.message("agent:7", call="x", n=3)) == {"topic": "agent:7", "call": "x", "n": 3}
    for wrong in ("", "Queue", "a b", "agent:", "agent:1:2", "x" * 31):
        with pytest.raises(ValueError, match="topic"):
            live.message(wrong)
    with pytest.raises(ValueError, match="ids"):
        live.message("queue", words="字" * 1000)


def test_a_token_opens_its_topics_only_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    said = live.token(7, ["queue", "agent:7"])
    assert live.opened(said) == (7, frozenset({"queue", "agent:7"}))
    assert live.opened(said[:-1] + ("A" if said[-1] != "A" else "B")) is None
    assert live.opened("") is None
    later = time.time() + live.TOKEN_SECONDS + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert live.opened(said) is None


def test_the_hub_gives_each_what_they_listen_to_once() -> None:
    async def scene() -> None:
        hub = Hub(10)
        mine, other = hub.join(1, frozenset({"queue", "agent:1"})), hub.join(2, frozenset({"agent:2"}))
        hub.pass_on(live.message("agent:1", call="a"))
        hub.pass_on(live.message("agent:1", call="a"))
        hub.pass_on(live.message("queue"))
        for rubbish in ("", "[]", "null", '{"topic": 3}', '{"topic": []}', "{", "[" * 7_000):
            hub.pass_on(rubbish)
        assert await mine.take(0.1) == ([live.message("agent:1", call="a"), live.message("queue")], False)
        assert await other.take(0.01) == ([], False)
        hub.leave(mine)
        hub.leave(other)
        assert (hub.count, hub.by_topic) == (0, {})

    run(scene())


def test_who_reads_too_slowly_is_told_to_look_again_and_costs_no_memory() -> None:
    async def scene() -> None:
        hub = Hub(10)
        slow = hub.join(1, QUEUE)
        for n in range(100_000):
            hub.pass_on(live.message("queue", n=n))
        assert len(slow.waiting) <= WAITING
        assert await slow.take(0.1) == ([], True)
        hub.pass_on(live.message("queue", n=1))
        assert await slow.take(0.1) == ([live.message("queue", n=1)], False)

    run(scene())


def test_one_person_does_not_take_every_place() -> None:
    async def scene() -> None:
        hub = Hub(PER_PERSON + 2)
        for _each in range(PER_PERSON):
            hub.join(1, QUEUE)
        with pytest.raises(Full):
            hub.join(1, QUEUE)
        hub.join(2, QUEUE)
        hub.join(3, QUEUE)
        with pytest.raises(Full):
            hub.join(4, QUEUE)

    run(scene())


def database_url() -> str:
    held = connection.settings_dict
    if held["HOST"].startswith("/"):
        return f"postgresql://{held['USER']}@/{held['NAME']}?host={held['HOST']}&port={held['PORT']}"
    return f"postgresql://{held['USER']}:{held['PASSWORD']}@{held['HOST']}:{held['PORT']}/{held['NAME']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serving(transactional_db: None) -> Iterator[str]:
    """`lianxin live` on a port of its own, on the tests' database: its address."""
    port = free_port()
    environment = {**os.environ, "LIANXIN_DATABASE_URL": database_url(), "LIANXIN_BOUND": "true"}
    process = subprocess.Popen([sys.executable, "-m", "lianxin", "live", "--port", str(port)], env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(300):
            try:
                with urllib.request.urlopen(address + "/live/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("lianxin live did not start")
        yield address
    finally:
        process.terminate()
        process.wait(10)


class Stream:
    """One page: reads events line by line."""

    def __init__(self, address: str, token: str) -> None:
        self.answer = urllib.request.urlopen(f"{address}/live/stream?token={quote(token)}", timeout=15)

    def event(self) -> tuple[str, Any]:
        """The next event, comments left out: its name and its data."""
        name, data = "message", None
        while True:
            line = self.answer.readline().decode()
            if line == "":
                return "end", None
            line = line.rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and data is not None:
                return name, data


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_process_tells_what_was_committed_and_comes_back_when_the_database_does(serving: str) -> None:
    for token, status in (("", 401), ("false", 401)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{serving}/live/stream?token={token}", timeout=5)
        assert caught.value.code == status
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{serving}/live/other", timeout=5)
    mine = Stream(serving, live.token(7, ["agent:7", "queue"]))
    assert mine.answer.headers["Content-Type"].startswith("text/event-stream")
    assert mine.answer.headers["Access-Control-Allow-Origin"] == "*"
    assert mine.event() == ("ready", {})
    others = [Stream(serving, live.token(person, ["queue"])) for person in range(100, 130)]
    assert {other.event()[0] for other in others} == {"ready"}
    with transaction.atomic():
        live.tell("agent:8", call="not mine")
        live.tell("agent:7", call="abc")
    assert mine.event() == ("message", {"topic": "agent:7", "call": "abc"})
    live.tell("queue")
    assert [other.event() for other in others] == [("message", {"topic": "queue"})] * 30
    assert mine.event() == ("message", {"topic": "queue"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'lianxin live' "
                       "AND datname = current_database()")
        assert cursor.fetchone() == (1,)
    assert mine.event() == ("again", {}), "what was told in the meantime is looked up"
    live.tell("agent:7", call="after")
    assert mine.event() == ("message", {"topic": "agent:7", "call": "after"})


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_it_ends_when_it_is_told_to_with_pages_open(serving: str) -> None:
    pages = [Stream(serving, live.token(7, ["queue"])) for _each in range(PER_PERSON)]
    assert {page.event()[0] for page in pages} == {"ready"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        Stream(serving, live.token(7, ["queue"]))
    assert caught.value.code == 503
    # The fixture ends the process within ten seconds.
