"""Looking for planted words everywhere they could lie in clear: every column of every table, and files on disk."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db import connection


def spellings(word: str) -> set[str]:
    """A word as it is, as hex (how bytes show), as JSON escapes, in base64 at each of the three offsets."""
    data = word.encode()
    found = {word, data.hex(), json.dumps(word)[1:-1], repr(data)[2:-1]}
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + data).decode()
        found.add(text[4 if offset else 0 : len(text) - 4].rstrip("="))
    return {one for one in found if len(one) >= 6 or one == word}


def in_database(words: Iterable[str]) -> list[str]:
    """`table: word` for every table of the database that shows a word in any row, whatever the column's type."""
    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            # A row as text shows text, JSON, arrays and hstore as they are and bytes as hex.
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} AS t")
            text = cursor.fetchone()[0]
            found += [f"{table}: {word} as {spelling}" for word in words for spelling in spellings(word) if spelling in text]
    for session in Session.objects.all():
        held = json.dumps(session.get_decoded(), ensure_ascii=False)
        found += [f"session: {word}" for word in words if word in held]
    return found


def in_files(folders: Iterable[Path], words: Iterable[str]) -> list[str]:
    """`path: word` for every file that holds a word as UTF-8."""
    needles = [(word, word.encode()) for word in words]
    found: list[str] = []
    for folder in folders:
        for path in (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            try:
                body = path.read_bytes()
            except OSError:  # the server has just put it away
                continue
            found += [f"{path}: {word}" for word, needle in needles if needle in body]
    return found
