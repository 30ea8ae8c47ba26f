"""The log: one line of text or one JSON object for each record, with the number of the request or job it belongs to.

No personal data stands in it. What a record says is the program's own words and ids; what an exception *says* may be somebody's words
(a value that no column holds, quoted by the server), so of an exception the log keeps the kind, the SQLSTATE and the places in the
code, and the message only of kinds that are known to speak of machines.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from django.http import HttpRequest

from lianxin.kernel import request_ids

from .requests import NUMBER, route_of

# Built-in exceptions whose message is about a machine, a file or the program, never about a value somebody typed. Their subclasses in
# libraries do not count: one of `requests` quotes the address that was asked.
TELLING: tuple[type[BaseException], ...] = (OSError, ImportError, MemoryError, NotImplementedError, RecursionError)
# What every record has by itself; whatever else is on it was given as `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "taskName"}
_PLAIN = (str, int, float, bool, type(None))


class Numbered(logging.Filter):
    """Puts the number of what runs now on each record, as `request`: a dash outside of any. Django's own lines name the address that
    was asked and quote what was suspicious about it: they get the route's pattern instead, and nothing quoted."""

    def filter(self, record: logging.LogRecord) -> bool:
        asked = getattr(record, "request", None)
        if isinstance(asked, HttpRequest):
            written = (asked.path, asked.path_info, asked.get_full_path())
            places = {*written, *(one.encode("unicode_escape").decode("ascii") for one in written)}  # Django writes them so
            record.args = tuple(route_of(asked) if arg in places else arg for arg in record.args or ())
            if record.name.startswith("django.security.") and record.name != "django.security.csrf":
                record.msg, record.args = "refused: %s", (record.name.rpartition(".")[2],)
        if not isinstance(asked, str):
            held = asked.META.get(NUMBER, "") if isinstance(asked, HttpRequest) else ""
            record.request = held or request_ids.current() or "-"
        return True


def _fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    """Kind, SQLSTATE and places, cause by cause; a message only where it is a machine's."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 6:
        state = getattr(seen, "sqlstate", None)
        telling = isinstance(seen, TELLING) and type(seen).__module__ == "builtins"
        said = f": {seen}" if telling else f" {state}" if state else ""
        places = "".join(traceback.format_tb(seen.__traceback__ if seen is not error else trace))
        parts.append(f"{places}{type(seen).__module__}.{type(seen).__qualname__}{said}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\nbefore it:\n".join(parts)


class _Discreet(logging.Formatter):
    """Exceptions are told without what they quote."""

    def formatException(self, ei: Any) -> str:
        kind, error, trace = ei
        return _fault(kind, error, trace) if error is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # what another handler's formatter kept
        return super().format(record)


class Text(_Discreet):
    """`2026-11-27 22:10:03,120 INFO lianxin.requests [0193…] POST api/v1/cases 201 12 ms`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request)s] %(message)s")


class Json(_Discreet):
    """One object a line: `time` (UTC), `level`, `logger`, `message`, `request`, what was given as `extra`, and `fault`."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname, "logger": record.name, "message": record.getMessage(),
            "request": getattr(record, "request", "-"),
        }
        for name, value in vars(record).items():
            if name not in _OWN and not name.startswith("_"):
                plain = isinstance(value, _PLAIN) or (isinstance(value, list) and all(isinstance(one, _PLAIN) for one in value))
                said[name] = value if plain else type(value).__name__  # an object's own text may be anything
        if record.exc_info:
            said["fault"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
