"""`./run demo` with the whole city: what a newcomer gets, the tutorial walked on it in a real browser, and a second start.

The tests are one story of one demo, in this order. The city comes without its training texts: learning from them takes
half a minute of a core, and that a demo's worker learns is seen in `test_supervisor.py`.
"""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
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


def test_leaves_nothing_behind_and_starts_again_where_it_was(demo: Demo) -> None:
    told = json.loads((demo.data / "demo.json").read_text())
    demo.interrupt()
    until(lambda: not processes_of(demo.data), 10, lambda: f"left running: {processes_of(demo.data)}")
    told_before = len(demo.log())
    demo.start()
    again = demo.log()[told_before:]
    for done_before in ("migrating", "cases to try it with", "写入"):
        assert done_before not in again, f"the second start does it again: {done_before}"
    after = json.loads((demo.data / "demo.json").read_text())
    ports = {"police_desk_url", "live_url"}  # of programs beside it: whichever are free
    assert after.keys() == told.keys() >= ports
    assert all(after[name] == told[name] for name in told.keys() - ports)
    demo.interrupt()
