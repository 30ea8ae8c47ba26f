"""Which message goes next costs what goes next, however much waits: ten thousand matters after an outage."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from lianxin.kernel.clock import now
from lianxin.linkage import delivering
from lianxin.linkage.models import Partner

from .desk import matter_with, say
from .peer import partner

pytestmark = pytest.mark.django_db
MATTERS = """
INSERT INTO linkage_matter (id, partner_id, holder, term, first_receiver, joint, sent_seq, received_seq, their_reference, opened_at)
SELECT gen_random_uuid(), %s, 'us', 1, 'us', false, 6, 0, '', now() FROM generate_series(1, 10000)
"""
MESSAGES = """
INSERT INTO linkage_outgoing
  (id, partner_id, matter_id, seq, term, kind, body, urgent, state, made_at, next_at, attempts, last_error)
SELECT gen_random_uuid(), %s, m.id, s, 1, 'supplement', 'x', false, 'waiting', now(), now() - (7 - s) * interval '1 s', 0, ''
  FROM linkage_matter m, generate_series(1, 6) s
"""


@pytest.fixture
def waiting() -> int:
    there = partner()
    with connection.cursor() as cursor:
        cursor.execute(MATTERS, [there.pk])
        cursor.execute(MESSAGES, [there.pk])
        for table in ("outgoing", "matter", "partner"):
            cursor.execute(f"ANALYZE linkage_{table}")
    return there.pk


def pages(statement: str, **more: Any) -> int:
    """Pages of the database that a claim reads."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, {"at": now(), **more})
        plan = cursor.fetchone()[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_the_next_message_of_sixty_thousand(waiting: int) -> None:
    assert pages(delivering.ANY) < 60
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM linkage_matter LIMIT 1")
        assert pages(delivering.OF_MATTER, matter=cursor.fetchone()[0]) < 100


def test_an_emergency_and_other_partners_are_found_behind_a_silent_one(waiting: int) -> None:
    other = partner("119.hill")
    say(matter_with(other))
    assert pages(delivering.AN_EMERGENCY) < 60
    assert pages(delivering.OF_PARTNERS, partners=[other.pk]) < 60
    found = delivering.claim(urgent=False, closed=[waiting])
    assert found is not None
    assert found.partner_id == other.pk
    urgent = say(matter_with(Partner.objects.get(pk=waiting), emergency=True))
    assert delivering.claim(urgent=False, closed=[waiting]) == urgent
    assert delivering.claim(urgent=True, closed=[waiting]) == urgent
