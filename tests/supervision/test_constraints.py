"""The database holds the invariants of supervision, whoever writes."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.supervision import listing as service
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db
TRIALS = [
    ("order_level_known", "supervision_order", "level = 'listed'", "level = 'written' AND state = 'open'"),
    ("order_reminder_asks_no_answer", "supervision_order", "state = 'open'", "level = 'reminder'"),
    ("order_answer_has_a_time", "supervision_order", "answered_at = NULL", "state = 'answered'"),
    ("order_answer_has_a_time", "supervision_order", "settled_at = now()", "state = 'answered'"),
    ("order_answer_has_a_time", "supervision_order", "state = 'lapsed', settled_at = now()", "state = 'answered'"),
    ("order_settled_by_another", "supervision_order",
     "state = 'settled', settled_at = now(), settled_by_id = answered_by_id", "state = 'answered'"),
    ("listing_has_criteria", "supervision_listing", "criteria = ''", "true"),
    ("listing_has_criteria", "supervision_listing", "title = ''", "true"),
    ("listing_planned_has_a_plan", "supervision_listing", "plan = ''", "state = 'planned'"),
    ("listing_delisting_was_asked_for", "supervision_listing", "state = 'delisting'", "state = 'planned'"),
    ("listing_delisted_has_a_finding", "supervision_listing", "delisted_at = now()", "state = 'planned'"),
    ("milestone_done_has_proof", "supervision_milestone", "done_at = now()", "done_at IS NULL"),
    ("milestone_done_has_proof", "supervision_milestone", "proof = ''", "done_at IS NOT NULL"),
    ("serial_book_level_known", "supervision_serialbook", "level = 'lost'", "true"),
]


@pytest.fixture
def full(world: World, monday: Frozen) -> World:
    """A reminder, an open order, an answered one, and a planned matter with one milestone done and one not."""
    for steps in (("urge",), ("supervise",), ("supervise", "answer_supervision")):
        case_id = at_state(world, State.IN_HAND)
        for step in steps:
            take(world, case_id, step)
    one = service.issue(
        by=world.actor("supervisor"), title="反复停水", criteria="不停水。", unit="urban", leader_name="李某", leader_title="副局长",
        due_on=date(2026, 12, 31), cases=[Case.objects.get(pk=case_id).number])
    service.plan(one.pk, by=world.actor("urban"), words="换管。", milestones=[
        service.Planned("查", date(2026, 12, 1)), service.Planned("换", date(2026, 12, 20))])
    first = one.milestones.get(position=1)
    service.complete(one.pk, by=world.actor("urban"), milestone=first.pk, proof="报告")
    return world


@pytest.mark.parametrize(("name", "table", "change", "where"), TRIALS)
def test_what_may_not_be_is_refused(full: World, name: str, table: str, change: str, where: str) -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change} WHERE {where}")
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert cause.diag.constraint_name == name


def test_every_check_is_tried(full: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text LIKE 'supervision_%%' "
                       "AND pg_get_constraintdef(oid) NOT LIKE '%%>= 0))'", [])
        names = {str(row[0]) for row in cursor.fetchall()}
    # Of a person's independence: tried with the listing. A lost state breaks the rules about its times first.
    assert names - {trial[0] for trial in TRIALS} == {
        "listing_delisted_by_an_independent_person", "listing_entry_step_known", "listing_state_known", "order_state_known"}


def test_one_order_at_a_time(full: World) -> None:
    with pytest.raises(DatabaseError, match="order_one_open_per_case"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supervision_order SELECT (jsonb_populate_record(r, '{\"id\": \"019a0000-0000-7000-8000-000000000001\", "
            "\"serial\": 99, \"event_id\": \"019a0000-0000-7000-8000-000000000002\"}')).* FROM supervision_order r WHERE state = 'open'")
