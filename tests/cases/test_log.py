"""What is written stays: events, words, the ledger of readings; and where events lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from lianxin.cases.actions.identity import read_identity
from lianxin.cases.housekeeping import ensure_partitions, forget_submissions
from lianxin.cases.models import Case, Event, EventText, IdentityReading, Reporter, State, Submission
from lianxin.cases.rebuild import differences
from lianxin.cases.retention import GONE, anonymise_due
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, DomainError
from lianxin.kernel.ids import uuid7
from tests.cases.ways import ACTIONS, at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db

GUARDED = {
    ("cases_event", "cases_event_append_only"), ("cases_case", "cases_case_words_stay"),
    ("cases_eventtext", "cases_eventtext_stays"), ("cases_identityreading", "cases_identityreading_stays"),
}
# Guards of the catalogue, of calendars, of accounts, of grids and of who holds a matter, tried with their own subjects.
ELSEWHERE = {
    *((f"cases_{one}", f"cases_{one}_{what}") for one, what in (
        ("catalogueversion", "stays"), ("catalogueversion", "follows"), ("cataloguerule", "stays"),
        ("cataloguerule", "is_whole"), ("catalogueproposal", "decided"), ("catalogueproposal", "stays"))),
    ("organisations_workcalendar", "calendar_stays"), ("organisations_workcalendar", "calendar_keeps_its_code"),
    ("organisations_accountentry", "account_entry_stays"),
    ("places_gridchange", "grid_change_stays"), ("places_boundaryversion", "boundary_stays"),
    ("places_boundaryversion", "boundary_only_ends"), ("cases_case", "linkage_case_holder_agrees"),
}


def _refused(sql: str, *, anonymising: bool = False) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if anonymising:
                cursor.execute("SELECT set_config('lianxin.anonymise', 'on', true)")
            cursor.execute(sql)
            assert cursor.rowcount > 0, f"no row to try: {sql}"
            transaction.set_rollback(True)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "23001":  # restrict_violation
            raise
        return True
    return False


@pytest.fixture
def written(world: World, monday: Frozen) -> World:
    case_id = at_state(world, State.CALLBACK)
    read_identity(world.on(case_id, "callback"), why="回访")
    return world


def test_every_guard_is_tried(written: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0 "
            "AND tgrelid::regclass::text ~ '^(cases|quality|organisations|places)_'"
        )
        found = {one for one in cursor.fetchall() if not one[1].endswith("_calendar_known")}
        assert found == GUARDED | ELSEWHERE
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'cases_event'::regclass")
        parts = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'cases_event_append_only'")
        assert {name for (name,) in cursor.fetchall()} == parts | {"cases_event"}


@pytest.mark.parametrize("anonymising", [False, True])
def test_events_are_never_changed_or_deleted(written: World, anonymising: bool) -> None:
    part = f"cases_event_{datetime.now(UTC):%Y%m}"
    for table in ("cases_event", part):
        for sql in (f"UPDATE {table} SET data = '{{}}'", f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
            assert _refused(sql, anonymising=anonymising), sql


@pytest.mark.parametrize("anonymising", [False, True])
def test_the_ledger_of_readings_stays(written: World, anonymising: bool) -> None:
    for sql in ("UPDATE cases_identityreading SET why = 'nothing'", "DELETE FROM cases_identityreading"):
        assert _refused(sql, anonymising=anonymising), sql
    assert IdentityReading.objects.count() == 1


@pytest.mark.parametrize("sql", [
    "UPDATE cases_case SET words = words || '。'", "UPDATE cases_case SET title = '别的'",
    "UPDATE cases_case SET number = '26-9999999-9'", "UPDATE cases_case SET registered_at = registered_at - interval '1 day'",
    "UPDATE cases_case SET tracking_digest = '\\x00'", "UPDATE cases_eventtext SET body = '别的'",
    "UPDATE cases_eventtext SET public = NOT public",
])
def test_words_change_for_retention_only(written: World, sql: str) -> None:
    assert _refused(sql)
    assert not _refused(sql, anonymising=True)


def test_state_columns_change_freely_under_the_guard_of_words(written: World) -> None:
    assert not _refused("UPDATE cases_case SET due_at = NULL, words = words")


def test_an_event_keeps_a_digest_of_each_of_its_words(written: World) -> None:
    import hashlib

    for text in EventText.objects.select_related("event"):
        assert text.event.digests[text.field] == hashlib.sha256(text.body.encode()).hexdigest()
        assert text.body not in str(text.event.data)
        assert text.body not in str(text.event.changes)


def test_events_lie_in_the_partition_of_their_month(written: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM cases_event")
        assert cursor.fetchall() == [(f"cases_event_{datetime.now(UTC):%Y%m}",)]


def test_partitions_are_made_ahead_and_once(db: None) -> None:
    assert ensure_partitions(datetime.now(UTC)) == []
    made = ensure_partitions(datetime(2031, 11, 30, 23, 59, tzinfo=UTC))
    assert made == ["cases_event_203111", "cases_event_203112", "cases_event_203201", "cases_event_203202"]
    assert ensure_partitions(datetime(2031, 12, 1, tzinfo=UTC)) == ["cases_event_203203"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'cases_event_203203'::regclass AND NOT tgisinternal")
        assert cursor.fetchall() == [("cases_event_append_only",)]


def test_events_before_their_partition_wait_in_the_default_one(world: World, monday: Frozen) -> None:
    """A month whose first events came before its partition keeps them in the default one, and nothing is lost."""
    from lianxin.kernel.ids import uuid7_floor

    case_id = world.case()
    far = datetime(2033, 5, 3, tzinfo=UTC)
    Event.objects.create(id=uuid7_floor(far), case_id=case_id, action="ask_colleague", at=far, to_state="registered",
                         actor_kind="system", version=1)
    assert "cases_event_203305" not in ensure_partitions(far, ahead=0)
    assert Event.objects.filter(case=case_id).count() == 2


def test_a_whole_life_ends_anonymous_and_the_log_still_adds_up(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    open_one = at_state(world, State.IN_HAND)
    assert anonymise_due(monday.move()) == 0
    later = monday.move(days=4000)
    assert anonymise_due(later) == 1
    assert anonymise_due(later) == 0
    case = Case.objects.get(pk=case_id)
    assert (case.words, case.title, case.lon, case.anonymised_at) == (GONE, "", None, later)
    assert set(EventText.objects.filter(case=case).values_list("body", flat=True)) == {GONE}
    reporter = Reporter.objects.get(pk=case.reporter_id)
    assert (reporter.name, reporter.phone, reporter.phone_hash) == (None, None, None)
    assert Event.objects.filter(case=case).latest("id").action == "anonymise"
    assert differences(case_id) == []
    assert Case.objects.get(pk=open_one).words != GONE


def test_nothing_is_added_to_a_case_whose_words_are_gone(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    anonymise_due(monday.move(days=4000))
    count = Event.objects.filter(case=case_id).count()
    for action in sorted(set(ACTIONS) - {"refuse_publication"}):
        with pytest.raises(DomainError):
            take(world, case_id, action, by="supervisor" if action == "reopen" else "")
    assert Event.objects.filter(case=case_id).count() == count
    take(world, case_id, "refuse_publication")  # the one thing left: to take it off the public list


def test_a_case_reopened_meanwhile_is_not_anonymised(world: World, monday: Frozen) -> None:
    """The list of what is due is made before each case is locked."""
    case_id = at_state(world, State.CLOSED)
    later = monday.move(days=4000)
    take(world, case_id, "reopen")
    assert anonymise_due(later) == 0
    assert Case.objects.get(pk=case_id).words != GONE


def test_submission_keys_are_forgotten_after_their_days(world: World, monday: Frozen) -> None:
    case_id = world.case()
    take(world, case_id, "accept", key=b"a" * 32)
    assert forget_submissions(monday.move(days=1)) == 0
    assert forget_submissions(monday.move(days=365)) == 1
    assert not Submission.objects.exists()
    with pytest.raises(Conflict):  # a retry that late is a new write, and the state has moved on
        take(world, case_id, "accept", key=b"a" * 32)


def test_event_ids_of_one_process_rise() -> None:
    made = [uuid7() for _ in range(2000)]
    assert made == sorted(made)
    assert timedelta() <= datetime.now(UTC) - datetime.fromtimestamp((made[0].int >> 80) / 1000, UTC) < timedelta(minutes=1)
