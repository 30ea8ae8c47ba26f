"""Two installations of this platform, two processes with a database each, give each other cases over Open311, both ways."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.db import connection

from lianxin.faces import machines
from lianxin.open311 import services
from tests import clearing, migrated
from tests.exchange.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
OTHER = "other_instance"


class Elsewhere:
    """The other process: methods of `Instance`, called by a line and answered by a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._heard()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the other process has ended"
        return json.loads(line)

    def __getattr__(self, name: str) -> Any:
        def call(*values: Any) -> Any:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps([name, *values]) + "\n")
            self._process.stdin.flush()
            return self._heard()

        return call


def _database() -> str:
    """A database of its own on the tests' server; its URL."""
    held = connection.settings_dict
    url = f"postgresql://{held['USER']}@/{OTHER}?host={held['HOST']}"
    with psycopg.connect(url.replace(f"/{OTHER}", "/postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {OTHER} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {OTHER} TEMPLATE {migrated.DATABASE}")
    return url


@pytest.fixture
def there(tmp_path: Path, transactional_db: None) -> Iterator[Elsewhere]:
    environment = os.environ | {
        "LIANXIN_DATABASE_URL": _database(), "LIANXIN_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "lianxin.config.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))), "LIANXIN_OUTBOUND_PRIVATE": "127.0.0.0/8",
        "LIANXIN_STATIC_MANIFEST": "false", "LIANXIN_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([sys.executable, "-m", "tests.exchange.instance"], cwd=ROOT, env=environment, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Elsewhere(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def here(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Instance, str]]:
    monkeypatch.setattr(configured, "LIANXIN_OUTBOUND_PRIVATE", ["127.0.0.0/8"])
    machines.forget()
    services.forget()
    yield Instance(), live_server.url
    machines.forget()
    services.forget()


def exchanged(sender: Any, receiver: Any, words: str, answer: str) -> None:
    """A case of one city goes to the other, is handled there, and comes back as a prepared reply."""
    case_id = sender.dispatch(words)
    sender.deliver()
    [came] = receiver.arrived()
    assert came["words"].startswith(words)
    assert (came["category"], came["position"], came["reporter"]) == ("010102", [113.1, 29.1], False)
    sender.ask()
    told = sender.told(case_id)
    assert (told["state"], told["stages"][0], bool(told["theirs"])) == ("in_hand", "sent", True)

    sender.add(case_id, "昨晚又响到一点。")
    sender.deliver()
    assert "昨晚又响到一点。" in receiver.told(came["id"])["words"]

    assert receiver.handle(came["id"], answer) == "closed"
    sender.ask()
    told = sender.told(case_id)
    assert told["state"] == "in_hand"  # closed there is not closed here
    assert told["stages"][-1] == "closed"
    assert answer in told["proposal"]
    assert sender.differences() == ["closed_there"]
    assert len(receiver.arrived()) == 1
    sender.deliver()
    assert len(receiver.arrived()) == 1


@pytest.mark.slow
@pytest.mark.skipif(not clearing.ours(), reason="makes a second database beside the first")
def test_two_instances_exchange_cases_both_ways(there: Elsewhere, here: tuple[Instance, str]) -> None:
    ours, url = here
    assert "010102" in ours.join(there.url, there.key())
    assert "010102" in there.join(url, ours.key())
    exchanged(ours, there, "本市工地半夜打桩。", "已责令停工，夜间不再施工。")
    exchanged(there, ours, "邻市工地半夜打桩。", "已罚款并停工。")
