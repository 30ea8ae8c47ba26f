"""One PostgreSQL server for the run, and a small city to work in.

Without `LIANXIN_DATABASE_URL` the embedded server is started in a directory of its own, a copy of one whose tables are
made already; with it, the tests run on that server (a supported version, any database name: pytest-django makes its own
beside it).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

_directory = Path(tempfile.mkdtemp(prefix="lianxin-tests-"))
os.chmod(_directory, 0o755)
os.environ["LIANXIN_DATA"] = str(_directory)
os.environ["LIANXIN_STATIC_MANIFEST"] = "false"  # pages under test use the files as they are now
os.environ.setdefault("LIANXIN_LOG_LEVEL", "WARNING")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the tests' own thread


# With `-n` the tests run in processes of their own, each with a server; the one that hands them out needs none.
_hands_out = "-n" in sys.argv and "PYTEST_XDIST_WORKER" not in os.environ
if not os.environ.get("LIANXIN_DATABASE_URL") and not _hands_out:
    from tests.migrated import start

    _server = start(_directory)
    atexit.register(lambda: (_server.stop(), shutil.rmtree(_directory, ignore_errors=True)))
else:
    atexit.register(lambda: shutil.rmtree(_directory, ignore_errors=True))

from lianxin.faces.catalogues import compile_all  # noqa: E402 – the settings' environment comes first

compile_all()  # pages are tested in three languages
