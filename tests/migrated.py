"""A database server whose tables are there already.

Migrations take seconds of a core, and every process with tests needs a database of its own. So they are run once, on a
server that is then stopped and kept under `var/tests`; each process begins on a copy of it. What is kept is found by a hash
of everything that its tables come from: another migration, another PostgreSQL or another Django makes another one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from lianxin.embedded import server as embedded
from lianxin.embedded.server import EmbeddedServer, installation

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("LIANXIN_HOME") or ROOT) / "var" / "tests"
DATABASE = "migrated"
KEEP = 4  # of these many states of the code and versions of the server
# Beside the migrations themselves: what they import, and who brings tables of their own.
SOURCES = ("src/lianxin/kernel/*.py", "src/lianxin/**/schema_sql.py", "src/lianxin/**/migrations/*.py", "src/lianxin/config/settings.py",
           "tests/migrated.py")
PACKAGES = ("Django", "django-allauth", "procrastinate")


def _name() -> str:
    seen = hashlib.sha256(f"{installation()} {sys.version} {os.getuid()}".encode())
    for package in PACKAGES:
        seen.update(f"{package} {version(package)}".encode())
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)} | {Path(embedded.__file__)}):
        seen.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return seen.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """One process makes it; those that need it at the same time wait."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(server: EmbeddedServer) -> None:
    """Start a server whose directory is empty, and make all tables in a database of it."""
    server.start()
    _careless(server)
    _execute(server, f"CREATE DATABASE {DATABASE}")
    paths = os.pathsep.join((str(ROOT / "src"), os.environ.get("PYTHONPATH", "")))
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0"], check=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"LIANXIN_DATABASE_URL": server.url(DATABASE), "LIANXIN_DATA": str(server.directory), "PYTHONPATH": paths,
                          "DJANGO_SETTINGS_MODULE": "lianxin.config.settings"})


def _make(kept: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lianxin-migrated-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the server's own user has to reach it
        server = EmbeddedServer(directory)
        try:
            _fill(server)
        finally:
            server.stop()
        _copy(server.place.root, kept)


def _copy(source: Path, target: Path) -> None:
    """With its owners, whole or not at all."""
    new = target.with_name(target.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(new)], check=True)
    new.rename(target)


def _execute(server: EmbeddedServer, *statements: str) -> None:
    import psycopg

    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _careless(server: EmbeddedServer) -> None:
    """What the tests write need not outlive a power cut. Servers that are killed in a test are started by that test."""
    _execute(server, *(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")),
             "SELECT pg_reload_conf()")


def make() -> None:
    """Make what is kept, before the processes that need it wait for it. Nothing where the server's files would lie elsewhere."""
    with tempfile.TemporaryDirectory(prefix="lianxin-migrated-") as name:
        Path(name).chmod(0o755)
        server = EmbeddedServer(Path(name))
    kept = KEPT / _name()
    if server.place.root.parent == server.directory:
        with _alone():
            if not kept.exists():
                _make(kept)


def start(directory: Path) -> EmbeddedServer:
    """A server in this empty directory, with a database `DATABASE` that has every table and no row of ours."""
    server = EmbeddedServer(directory)
    if server.place.root.parent != server.directory:  # the server's user cannot come here: its files lie elsewhere
        _fill(server)
        return server
    kept = KEPT / _name()
    with _alone():
        if not kept.exists():
            _make(kept)
            for old in sorted((one for one in KEPT.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)[:-KEEP]:
                shutil.rmtree(old)
        os.utime(kept)
        _copy(kept, server.place.root)
    server.start()
    return server


if __name__ == "__main__":
    make()
