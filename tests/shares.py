"""Tests of whole installations in processes of their own take minutes of a core each: on a CI machine every commit tries half of them.

Which half follows from the commit, so that a run can be repeated and a few commits in a row try all. Everywhere else, and with
`LIANXIN_ALL_TESTS=true`, every run tries all; no other test is ever left out.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
SHARES: Final = (
    ("tests/demo/test_supervisor.py", "tests/operations/test_backup.py"),
    ("tests/demo/test_whole_city.py", "tests/bench/test_quick_run.py", "tests/operations/test_upgrade.py"),
)


YES: Final = ("1", "true", "yes")


def _commit() -> str:
    """The commit under test; empty where git or its history is not there."""
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def left_out(commit: str | None = None) -> tuple[str, ...]:
    """Files, from the root, whose slow tests this run leaves to another commit's."""
    if os.environ.get("CI", "").lower() not in YES or os.environ.get("LIANXIN_ALL_TESTS", "").lower() in YES:
        return ()
    commit = _commit() if commit is None else commit
    return SHARES[int(commit, 16) % len(SHARES)] if commit else ()
