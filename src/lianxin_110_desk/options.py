"""What the program was started with. The serving process reads it from a file that only its user may read: it holds secrets."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

VARIABLE = "LIANXIN_110_DESK_OPTIONS"


class BadOptions(ValueError):
    """What was given cannot be used; the message is for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Options:
    """One desk. `negotiate_seconds`: how long two desks may go on about an unclear matter before the first receiver has it.
    `fresh`: started by a person, and not again after a crash: then the orders of the command line count."""

    data: str
    name: str = "110.yueyang"
    title: str = "110 报警服务台"
    host: str = "127.0.0.1"
    port: int = 8110
    peer: str = "12345.yueyang"
    peer_title: str = "12345"
    peer_url: str = "http://127.0.0.1:8000"
    secrets: list[str] = field(default_factory=list)
    misbehave: str = ""
    auto: str = ""
    answer_seconds: int = 900
    emergency_seconds: int = 30
    negotiate_seconds: int = 600
    fresh: bool = True

    @property
    def address(self) -> str:
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{shown}:{self.port}"

    @property
    def database(self) -> Path:
        return Path(self.data) / "desk.sqlite3"

    def save(self) -> Path:
        """Write it where the serving process finds it; readable by this user only."""
        path = Path(self.data) / "options.json"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, ensure_ascii=False)
        return path


def load(path: str) -> Options:
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return Options(**content)


@cache
def options() -> Options:
    """Those of this process. Raises `BadOptions` when it was not started by the command."""
    path = os.environ.get(VARIABLE)
    if not path:
        raise BadOptions(f"{VARIABLE} names no file: start it with lianxin-110-desk")
    return load(path)
