"""Telling open pages that something has changed: PostgreSQL's NOTIFY, heard by `lianxin live` and passed on to browsers.

A message is a topic and ids, never words, numbers or names: a page that hears one fetches what it may see through Django. Topics are
`queue`, `linkage` and `agent:<staff id>`. What is told in a transaction is heard when it has been committed, and not at all when it
is rolled back. The commits of transactions that tell wait for each other (PostgreSQL keeps the messages in one order), so nothing
that many do at once – registering a case – tells.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable

from django.core import signing
from django.db import connection

CHANNEL = "lianxin_live"
TOPIC = re.compile(r"[a-z_]{1,30}(:[0-9A-Za-z_-]{1,40})?")
LONGEST = 2_000  # bytes of a message; PostgreSQL takes 8,000


def message(topic: str, **ids: str | int | uuid.UUID) -> str:
    """The message as it goes out: JSON with `topic` and the ids as texts or whole numbers. Raises ValueError for what is no topic."""
    if not TOPIC.fullmatch(topic):
        raise ValueError(f"no topic: {topic!r}")
    said = json.dumps({"topic": topic, **{name: value if isinstance(value, int) else str(value) for name, value in ids.items()}},
                      separators=(",", ":"))
    if len(said.encode()) > LONGEST:
        raise ValueError("a message holds ids only")
    return said


def tell(topic: str, **ids: str | int | uuid.UUID) -> None:
    """Tell every page that listens to `topic`. Part of the transaction it is called in; one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message(topic, **ids)])


def agent_topic(staff_id: int) -> str:
    """The topic of what concerns one person's telephone."""
    return f"agent:{staff_id}"


_SALT = "lianxin.live"
TOKEN_SECONDS = 60  # within which a token opens a stream; the stream itself lasts longer


def token(staff_id: int, topics: Iterable[str]) -> str:
    """What opens a stream of these topics for one person, for `TOKEN_SECONDS`: signed, and readable by whoever holds it."""
    return signing.dumps({"staff": staff_id, "topics": sorted(topics)}, salt=_SALT)


def opened(said: str) -> tuple[int, frozenset[str]] | None:
    """Whose token it is and for which topics; None for one that is false or too old."""
    try:
        held = signing.loads(said, salt=_SALT, max_age=TOKEN_SECONDS)
    except signing.BadSignature:
        return None
    return int(held["staff"]), frozenset(held["topics"])
