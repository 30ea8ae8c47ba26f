"""The tutorial walked on a demo of its own, in a real browser: what the page says can be done, and its pictures are taken."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lianxin.demo.supervisor import answers
from lianxin.docs.tour import Tour, demo_of
from tests.docs.prose import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def demo() -> Iterator[dict[str, Any]]:
    """A running demo: what it wrote into demo.json."""
    directory = Path(tempfile.mkdtemp(prefix="lianxin-tour-"))
    directory.chmod(0o755)  # the database's own user must reach it
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if name not in ("LIANXIN_DATA", "LIANXIN_DATABASE_URL")}
    log = directory / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lianxin.demo.supervisor", "--no-browser", "--port", str(port),
             "--data", str(directory)],
            cwd=ROOT, env=environment | {"LIANXIN_STATIC_MANIFEST": "false"}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 180
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text(errors="replace")[-3000:])
            time.sleep(0.2)
        yield demo_of(directory)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(directory, ignore_errors=True)


def test_the_tutorial_can_be_walked_and_every_picture_is_its(browser: Any, demo: dict[str, Any], tmp_path: Path) -> None:
    tour = Tour(browser, demo, tmp_path)
    tour.walk()
    tour.faces()
    taken = {path.name for path in tmp_path.iterdir()}
    assert taken == {path.name for path in (ROOT / "docs" / "images").iterdir()}
