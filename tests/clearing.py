"""After a test that commits: empty the tables that have rows.

Django truncates every table of every app instead, and makes its own content types and permissions anew. With some two hundred
tables that is a thousand files removed and made for a handful of rows, after each of some three hundred tests.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase

# Taken whole, as truncating takes them, so that what another session is still writing is waited for and goes as well; as a
# replica would, so that no trigger says that a ledger's entries stay. Views of the size of a table cost nothing.
_CLEAR = """
DO $$
DECLARE one regclass; there boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR one IN
    SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
      AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission') ORDER BY oid
  LOOP
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO there;
    IF there THEN EXECUTE format('DELETE FROM %s', one); END IF;
  END LOOP;
END $$
"""
_LARGEST = "SELECT max(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
TOO_LARGE = 8_000_000  # bytes: rows deleted from here would be read past by every test that comes after


def ours() -> bool:
    """Whether the tests run on a server that they start themselves: its role may do what it likes."""
    return not os.environ.get("LIANXIN_DATABASE_URL")


def _clear(test: Any) -> None:
    for name in test._databases_names(include_mirrors=False):
        with connections[name].cursor() as cursor:
            cursor.execute(_LARGEST)
            [largest] = cursor.fetchone()
            if largest < TOO_LARGE:
                cursor.execute(_CLEAR)
                continue
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")  # which Django does not manage
        call_command("flush", verbosity=0, interactive=False, database=name, reset_sequences=False)


def install() -> None:
    TransactionTestCase._fixture_teardown = _clear
