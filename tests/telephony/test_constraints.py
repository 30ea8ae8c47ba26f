"""The database holds the invariants of calls, agents and half-hours: each is tried with plain SQL, and one without a trial fails here."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.kernel.clock import Frozen, now
from lianxin.telephony import agents, housekeeping, popping
from tests.cases.test_log import _refused
from tests.telephony.ways import NUMBER, rings, seated, told
from tests.world import World

pytestmark = pytest.mark.django_db
UNKNOWN = "'dance'"
# Constraint → table and trials: SET clause, WHERE clause.
RULES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "call_state_known": ("call", [(f"state = {UNKNOWN}", "state = 'talking'")]),
    "call_over_has_its_end": ("call", [("ended_at = NULL", "state = 'ended'"), ("ended_at = now()", "state = 'talking'")]),
    "call_unanswered_was_not_answered": ("call", [("answered_at = now()", "state = 'abandoned'"),
                                                  ("state = 'missed'", "state = 'ended'")]),
    "call_emptied_is_empty": ("call", [("emptied_at = now()", "state = 'ended'"),
                                       ("emptied_at = now(), number = NULL", "state = 'ended'")]),
    "call_event_kind_known": ("callevent", []),  # events cannot be altered at all
    "agent_alone_at_an_extension": ("agent", [("extension = '8001'", "extension = '8002'")]),
    "agent_spell_state_known": ("agentspell", [(f"state = {UNKNOWN}", "state = 'ready'")]),
    "agent_spell_reason_known": ("agentspell", [(f"reason = {UNKNOWN}", "state = 'pause'")]),
    "agent_in_one_state": ("agentspell", [("ended_at = NULL", "ended_at IS NOT NULL")]),
    "agent_spell_pause_has_a_reason": ("agentspell", [("reason = ''", "state = 'pause'"), ("reason = 'rest'", "state = 'ready'")]),
    "agent_spell_ends_after_it_began": ("agentspell", [("ended_at = began_at - interval '1 second'", "ended_at IS NOT NULL")]),
    "agent_spell_until_is_of_a_wrap_up": ("agentspell", [("until = now()", "state = 'ready'")]),
    "half_hour_answered_were_offered": ("halfhour", [("offered = 0", "answered > 0")]),
    "half_hour_in_time_were_answered": ("halfhour", [("answered_in_15 = answered + 1", "true")]),
    "call_of_case_once": ("casecall", []),  # rows cannot be altered; a second one is tried below
}


@pytest.fixture
def lived(world: World, monday: Frozen) -> World:
    """A little of everything: a call talked and over, one given up, one on, two agents, half-hours, a call on a case."""
    operator = seated(world)
    seated(world, "dispatcher", "8002")
    ended = rings("a")
    told("answered", "a", extension="8001")
    popping.pop(operator, ended.pk)
    monday.move(seconds=60)
    told("ended", "a")
    popping.lies_on(operator, call_id=ended.pk, case_id=world.case(phone=NUMBER))
    told("queued", "b")
    told("abandoned", "b")
    monday.move(days=1)
    housekeeping.count_half_hours(now())
    rings("c", extension="8002")
    told("answered", "c", extension="8002")
    agents.pause(operator, reason="rest")
    return world


def test_each_is_tried() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text LIKE 'telephony_%' "
                       "AND conname NOT LIKE '%_check' UNION SELECT indexrelid::regclass::text FROM pg_index "
                       "JOIN pg_class ON pg_class.oid = indrelid WHERE relname LIKE 'telephony_%' "
                       "AND indisunique AND NOT indisprimary AND indpred IS NOT NULL")
        found = {row[0] for row in cursor.fetchall()}
    assert found - RULES.keys() == set()


def test_what_must_not_be_is_refused(lived: World) -> None:
    for name, (table, trials) in RULES.items():
        for change, which in trials:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM telephony_{table} WHERE {which}")
                assert cursor.fetchone()[0], f"{name}: no row to try with {which}"
            with pytest.raises(DatabaseError, match=name), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"UPDATE telephony_{table} SET {change} WHERE {which}")
    with pytest.raises(DatabaseError, match="call_event_kind_known"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO telephony_callevent (system_id, call_id, kind, at, told_at, line, extension, \"to\", with_number, "
                       "recording, digest) SELECT 'x', id, 'dance', now(), now(), '', '', '', false, '', '' FROM telephony_call LIMIT 1")
    with pytest.raises(DatabaseError, match="call_of_case_once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO telephony_casecall (call_id, case_id, staff_id, at) "
                       "SELECT call_id, case_id, staff_id, now() FROM telephony_casecall")


def test_what_is_written_stays(lived: World) -> None:
    for table in ("callevent", "numberreading", "casecall"):
        assert _refused(f"UPDATE telephony_{table} SET id = id")
        assert _refused(f"DELETE FROM telephony_{table}")
