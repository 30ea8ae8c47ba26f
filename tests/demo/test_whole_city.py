"""`./run demo` with the whole city: what a newcomer gets, the tutorial walked on it in a real browser, what stands beside
it, and a second start after `kill -9`.

The tests are one story of one demo, in this order. The city comes without its training texts: learning from them takes
half a minute of a core, and that a demo's worker learns is seen in `test_supervisor.py`.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lianxin.docs.tour import Tour, demo_of
from lianxin.embedded.server import place_of
from lianxin.organisations.models import Role
from tests.demo.demos import YUEYANG, Demo, folder_for_all, processes_of, until
from tests.docs.prose import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The running demo of the whole city with its cases."""
    with folder_for_all() as folder:
        city = folder / "yueyang"
        city.mkdir()
        for part in YUEYANG.iterdir():
            if part.name != "training":
                (city / part.name).symlink_to(part)
        made = Demo(folder / "demo", options=(), city=city, telephone=True)
        try:
            made.start()
            yield made
        finally:
            made.end()


def test_starts_and_says_who_there_is(demo: Demo) -> None:
    told = demo_of(demo.data)
    assert told["base_url"] == demo.base
    assert {account["role"] for account in told["accounts"]} == set(Role)
    assert all(set(account) == {"username", "password", "role", "unit", "api_token"} for account in told["accounts"])
    until(lambda: all(account["username"] in demo.log() for account in told["accounts"]), 5, demo.log)


def test_what_it_keeps_is_closed_to_others(demo: Demo) -> None:
    """The database has no network address, and its directory is closed to everybody else."""
    place = place_of(demo.data)
    settings = (place.data / "postgresql.conf").read_text()
    assert "listen_addresses = ''" in settings
    for directory in (place.root, place.data, place.socket):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((demo.data / "keyring.json").stat().st_mode) == 0o600
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=False).stdout
    ours = {pid for pid, command in processes_of(demo.data).items() if "postgres" in command.split(" ")[0]}
    assert ours
    assert not [line for line in listening.splitlines() if any(f"pid={pid}," in line for pid in ours)]


@pytest.mark.browser
def test_the_tutorial_can_be_walked_and_every_picture_is_its(browser: Any, demo: Demo, tmp_path: Path) -> None:
    """What the pages say can be done, on both desks too, and their pictures are taken."""
    tour = Tour(browser, demo_of(demo.data), tmp_path)
    tour.walk()
    tour.faces()
    tour.field()
    tour.linkage()
    tour.open_to_others()
    taken = {path.name for path in tmp_path.iterdir()}
    assert taken == {path.name for path in (ROOT / "docs" / "images").iterdir()}


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as reply:
        return reply.status, reply.read()


def _answers(url: str) -> bool:
    try:
        return bool(_get(url)[0] == 200)
    except OSError:
        return False


def _another(demo: Demo, name: str, before: list[int]) -> bool:
    return bool(set(demo.children(name)) - set(before))


@pytest.fixture(scope="module")
def matter(demo: Demo) -> int:
    """What 110's desk has offered to ours, and ours has heard; its id there."""
    desk = json.loads((demo.data / "demo.json").read_text())["police_desk_url"]
    made = urllib.request.Request(desk + "/api/offers", data=json.dumps({"words": "狗追人"}).encode(),
                                  headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(made, timeout=10) as reply:
        found: int = json.load(reply)["id"]
    until(lambda: json.loads(_get(f"{desk}/api/figures")[1])["waiting"] == 0, 60, demo.log)
    assert json.loads(_get(f"{desk}/api/matters/{found}")[1])["sent_seq"] == 1
    return found


def test_what_stands_beside_it_is_healed(demo: Demo, matter: int) -> None:
    told = json.loads((demo.data / "demo.json").read_text())
    assert told["police_desk_url"] in demo.log()
    killed = {name: demo.children(name) for name in ("lianxin.live.app", "lianxin_110_desk", "lianxin deliver", "lianxin switch_double")}
    for pids in killed.values():
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    for name, before in killed.items():
        until(partial(_another, demo, name, before), 60, demo.log)
    for address in (told["live_url"] + "/live/healthz", told["police_desk_url"] + "/healthz"):
        until(partial(_answers, address), 60, demo.log)


def test_leaves_nothing_behind_and_starts_again_where_it_was(demo: Demo, matter: int) -> None:
    """However it ends: here at once, by `kill -9`."""
    told = json.loads((demo.data / "demo.json").read_text())
    assert demo.process is not None
    demo.process.kill()
    demo.process.wait()
    until(lambda: not processes_of(demo.data), 30, lambda: f"outlived it: {processes_of(demo.data)}")
    told_before = len(demo.log())
    demo.start()
    again = demo.log()[told_before:]
    for done_before in ("migrating", "cases to try it with", "写入"):
        assert done_before not in again, f"the second start does it again: {done_before}"
    after = json.loads((demo.data / "demo.json").read_text())
    ports = {name for name in told if name.endswith("_url")} - {"base_url"}  # of programs beside it: whichever are free
    assert after.keys() == told.keys()
    assert ports >= {"police_desk_url", "live_url"}
    assert all(after[name] == told[name] for name in told.keys() - ports)
    desk = after["police_desk_url"]
    until(lambda: _answers(desk + "/healthz"), 60, demo.log)
    assert json.loads(_get(f"{desk}/api/matters/{matter}")[1])["sent_seq"] == 1, "its database is kept"
    demo.interrupt()
    until(lambda: not processes_of(demo.data), 10, lambda: f"left running: {processes_of(demo.data)}")
