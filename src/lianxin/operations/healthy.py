"""For a container's health check, where there is no curl: `python -m lianxin.operations.healthy [PORT] [PATH]` ends with 0 when this
machine's own web process answers 200. Imports nothing of the program, so it costs little every half minute."""

from __future__ import annotations

import os
import sys
import urllib.request


def healthy(port: int = 8001, path: str = "/readyz") -> bool:
    """Whether the process on that port says that it can work. It is asked under the first name it answers to."""
    names = os.environ.get("LIANXIN_ALLOWED_HOSTS", "localhost").replace(",", " ").split()
    host = next((name for name in names if name != "*"), "localhost").lstrip(".")
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    given = sys.argv[1:]
    raise SystemExit(0 if healthy(int(given[0]) if given else 8001, given[1] if len(given) > 1 else "/readyz") else 1)
