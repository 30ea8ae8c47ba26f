"""A server, a database and a data directory of the bench's own, gone when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from lianxin.embedded.server import EmbeddedServer, end_with_parent, wheel_root

DATABASE = "lianxin_bench"


@contextmanager
def stage() -> Iterator[dict[str, str]]:
    """The environment of processes that work on the bench's database.

    With `LIANXIN_DATABASE_URL` the database `lianxin_bench` is made on that server and dropped at the end; without
    it an embedded server is started in a directory of its own.
    """
    directory = Path(tempfile.mkdtemp(prefix="lianxin-bench-"))
    directory.chmod(0o755)
    environment = {
        **os.environ, "LIANXIN_DATA": str(directory), "DJANGO_SETTINGS_MODULE": "lianxin.config.settings",
        "LIANXIN_LOG_LEVEL": "WARNING", "LIANXIN_ALLOWED_HOSTS": "localhost 127.0.0.1",
    }
    url = os.environ.get("LIANXIN_DATABASE_URL", "")
    server = None
    try:
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
            environment["LIANXIN_DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))
        else:
            server = EmbeddedServer(directory)
            server.start()
            environment["LIANXIN_DATABASE_URL"] = server.url()
        yield environment
    finally:
        if server is not None:
            server.stop()
        else:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        shutil.rmtree(directory, ignore_errors=True)


def python(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """Run this Python with `arguments`, its output going where ours goes. Ctrl-C reaches it as well: let it clean up."""
    process = subprocess.Popen([sys.executable, *arguments], env=environment, preexec_fn=end_with_parent)
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        raise


def pgbench() -> Path:
    """The program that comes with the embedded server."""
    return wheel_root() / "bin" / "pgbench"
