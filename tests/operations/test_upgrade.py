"""From the last release to this program on one database, with both at work: what the old one made is there, and while its processes still
run after the migration, they read and write as before."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from lianxin.operations import migration_rules

ROOT = Path(__file__).resolve().parents[2]
PAGES = (("", "/"), ("", "/say/"), ("", "/public/"), ("", "/city/"), ("operator", "/desk/"), ("operator", "/desk/call/"),
         ("dispatcher", "/desk/board/queue/"), ("supervisor", "/desk/"), ("admin", "/desk/"), ("", "/readyz"), ("", "/api/v1/openapi.json"))


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source of the last release, as the baseline names it."""
    commit = migration_rules.baseline()["commit"]
    packed = _git("archive", commit, "src", "tests/__init__.py", "tests/world.py", "tests/again.py")
    if packed is None:
        pytest.skip(f"the history is not here (a shallow clone, or no git): the last release, {commit[:12]}, cannot be tried")
    directory = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has none
        tar.extractall(directory)
    return directory


class Side:
    """One version at work."""

    def __init__(self, source: Path, url: str, data: Path) -> None:
        environment = os.environ | {
            "LIANXIN_DATABASE_URL": url, "LIANXIN_DATA": str(data), "PYTHONPATH": f"{source / 'src'}:{source}",
            "DJANGO_SETTINGS_MODULE": "lianxin.config.settings", "LIANXIN_ALLOWED_HOSTS": "testserver", "LIANXIN_STATIC_MANIFEST": "false",
            "LIANXIN_LOG_LEVEL": "ERROR", "LIANXIN_HOME": os.environ.get("LIANXIN_HOME", str(ROOT))}
        self.log = data / f"{source.name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, str(ROOT / "tests" / "operations" / "side.py")], env=environment, cwd=source,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def do(self, what: str, **more: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text(errors="replace")[-3000:]
        return json.loads(line)

    def pages(self) -> dict[str, int]:
        """Pages that this version has and that fail."""
        seen = {f"{user} {path}": self.do("ask", user=user, path=path)["status"] for user, path in PAGES}
        return {page: status for page, status in seen.items() if status not in (200, 301, 302, 404)}

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait(10)
        self.process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture
def database(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    held = connection.settings_dict
    name = f"{held['NAME']}_upgrade"
    options = {"host": held["HOST"], "port": held["PORT"] or None, "user": held["USER"], "password": held["PASSWORD"] or None}
    with psycopg.connect(dbname="postgres", autocommit=True, **options) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        password = f":{held['PASSWORD']}" if held["PASSWORD"] else ""
        yield f"postgresql://{held['USER']}{password}@/{name}?host={held['HOST']}&port={held['PORT']}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_old_and_new_side_by_side(old: Path, database: str, tmp_path: Path) -> None:
    sides = [before := Side(old, database, tmp_path), after := Side(ROOT, database, tmp_path)]
    try:
        before.do("migrate")
        made = before.do("fill")
        token = made["tokens"]["operator"]
        assert before.pages() == {}
        assert after.do("ask", path="/readyz")["status"] == 503, "the new one does not take requests before its tables are there"

        after.do("migrate")
        # The processes of before run on: pages, a new case, a step on one that was there, their jobs.
        assert before.pages() == {}
        here = before.do("ask", path="/api/v1/cases", token=token, body={"words": "路灯不亮", "phone": "13812342202"})
        assert here["status"] == 201, here
        step = before.do("ask", path=f"/api/v1/cases/{made['cases'][0]}/actions/accept", token=token, body={"category": "010102"})
        assert step["status"] == 200, step

        # The new ones beside them.
        assert after.do("ask", path="/readyz")["status"] == 200
        assert after.pages() == {}
        there = after.do("ask", path="/api/v1/cases", token=token, body={"words": "井盖没了", "phone": "13812342203"})
        assert there["status"] == 201, there
        ids = [*made["cases"], here["body"]["id"], there["body"]["id"]]
        for side in sides:
            assert {side.do("ask", path=f"/api/v1/cases/{key}", token=token)["status"] for key in ids} == {200}
        done, failed = before.do("work")
        assert (done >= 3, failed) == (True, 0), "a worker of before takes jobs of after"
        assert after.do("rebuilt") == []
    finally:
        for side in sides:
            side.end()


def test_without_history_it_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _git("archive", "0" * 40, "src") is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert _git("status") is None
