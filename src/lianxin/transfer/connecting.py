"""A connection of its own for an export or import: without the limits set for pages, and with plain ways of writing values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

_PLAIN = ("SET statement_timeout = 0", "SET lock_timeout = '60s'", "SET idle_in_transaction_session_timeout = 0", "SET TimeZone = 'UTC'",
          "SET DateStyle = 'ISO, YMD'", "SET IntervalStyle = 'iso_8601'", "SET extra_float_digits = 1", "SET bytea_output = 'hex'",
          "SET client_encoding = 'UTF8'", "SET search_path = public")


@contextmanager
def connected(database: str = "") -> Iterator[psycopg.Connection[Any]]:
    """Connect as Django does, to another `database` of the same server where one is named. Nothing is committed by itself."""
    given: dict[str, Any] = {key: value for key, value in connection.get_connection_params().items()
                             if key not in ("cursor_factory", "context", "options", "prepare_threshold")}
    if database:
        given["dbname"] = database
    with psycopg.connect(**given, autocommit=True) as held:
        for statement in _PLAIN:
            held.execute(statement)
        held.autocommit = False
        yield held
