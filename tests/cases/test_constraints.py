"""The database holds the invariants: every constraint is tried with plain SQL, and one without a trial fails here."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from lianxin.cases import missed_calls
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.catalogue import proposals, versions
from lianxin.cases.duplicates import set_apart
from lianxin.cases.messages import announce_event
from lianxin.cases.models import Assignment, Case, Clock, Event, Extension, MissedCall, Notice, State, Suspension
from lianxin.kernel.clock import frozen
from lianxin.kernel.ids import uuid7
from lianxin.organisations import accounts
from lianxin.organisations.actors import actor_for
from lianxin.organisations.models import ApiToken, WorkCalendar, token_digest
from lianxin.places import drawing, grids
from lianxin.places.models import Site
from lianxin.quality import campaigns
from lianxin.quality.models import Campaign, CampaignDraw, ChecklistItem
from tests.cases.ways import at_state, take, walk
from tests.fieldwork.town import VILLAGE, divided
from tests.fixtures import MONDAY, forget
from tests.quality import checklists
from tests.world import World

OURS = "^(cases|quality|organisations|places)_"
# Rules written by hand: constraint → (table, trials), each trial a SET clause and a WHERE clause that must be refused.
RULES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "assignment_ended_has_a_time": ("cases_assignment", [
        ("state = 'ended'", "ended_at IS NULL"), ("ended_at = now()", "ended_at IS NULL")]),
    "assignment_signed_before_handled": ("cases_assignment", [("handled_at = now(), signed_at = NULL", "true")]),
    "case_accepted_has_a_time": ("cases_case", [("accepted_at = NULL", "state IN ('accepted', 'in_hand', 'closed')")]),
    "case_closed_has_an_outcome": ("cases_case", [
        ("outcome = 'solved'", "state = 'in_hand'"), ("outcome = ''", "state = 'closed'"),
        ("outcome = 'solved'", "state = 'withdrawn'")]),
    "case_ended_has_a_time": ("cases_case", [
        ("closed_at = now()", "state = 'in_hand'"), ("closed_at = NULL", "state = 'withdrawn'")]),
    "case_answer_goes_with_words": ("cases_case", [("answer_publication = 'waiting'", "publication <> 'public'")]),
    "case_pauses_in_hand": ("cases_case", [("paused = true", "state = 'callback'")]),
    "case_handed_over_is_there": ("cases_case", [
        ("linkage = ''", "state = 'handed_over'"), ("linkage = 'there', linked = true", "state = 'in_hand'"),
        ("state = 'handed_over'", "state = 'in_hand'")]),
    "case_offered_is_not_ended": ("cases_case", [
        ("linkage = 'offered', linked = true", "state = 'merged'"), ("linkage = 'offered', linked = true", "state = 'closed'"),
        ("linkage = 'offered', linked = true", "state = 'callback'")]),
    "case_with_a_partner_is_linked": ("cases_case", [
        ("linked = false", "linkage = 'offered'"), ("linked = false", "state = 'handed_over'"),
        ("linkage = 'offered'", "state = 'in_hand' AND NOT linked")]),
    "case_position_whole_and_on_earth": ("cases_case", [
        ("lon = 181, lat = 0", "true"), ("lon = 0, lat = -91", "true"), ("lon = 'NaN', lat = 0", "true"),
        ("lon = 113, lat = NULL", "true"), ("lon = NULL, lat = 29", "true")]),
    "case_with_a_unit_has_a_lead_unit": ("cases_case", [("lead_unit_id = NULL", "state IN ('in_hand', 'callback')")]),
    "case_is_not_its_own_master": ("cases_case", [("master_id = id", "true")]),
    "case_merged_has_a_master": ("cases_case", [("master_id = NULL", "state = 'merged'")]),
    "catalogue_proposal_approved_made_a_version": ("cases_catalogueproposal", [
        ("version_id = NULL", "decision = 'approved'"), ("version_id = base_id", "decision = 'refused'")]),
    "catalogue_proposal_decided_by_another": ("cases_catalogueproposal", [("decided_by_id = proposed_by_id", "decision <> 'waiting'")]),
    "catalogue_proposal_decision_has_a_time": ("cases_catalogueproposal", [
        ("decided_at = NULL", "decision = 'refused'"), ("decided_at = now()", "decision = 'waiting'")]),
    "catalogue_proposal_refused_says_why": ("cases_catalogueproposal", [("reason = ''", "decision = 'refused'")]),
    "catalogue_proposal_says_why": ("cases_catalogueproposal", [("basis = ''", "true"), ("why = ''", "true")]),
    "catalogue_version_never_retroactive": ("cases_catalogueversion", [
        ("in_force_from = created_at - interval '1 second'", "number > 1")]),
    "catalogue_version_of_the_desk_has_a_maker": ("cases_catalogueversion", [("created_by_id = NULL", "source <> 'files'")]),
    "catalogue_version_restored_says_what": ("cases_catalogueversion", [
        ("restores_id = NULL", "source = 'restored'"), ("note = ''", "source = 'restored'"), ("restores_id = id", "source = 'files'")]),
    "clock_due_after_start": ("cases_clock", [("due_at = started_at - interval '1 second'", "true")]),
    "clock_met_or_stopped": ("cases_clock", [("met_at = now(), stopped_at = now()", "true")]),
    "clock_of_a_case_or_of_a_missed_call": ("cases_clock", [
        ("case_id = NULL", "true"), ("missed_call_id = NULL", "missed_call_id IS NOT NULL"),
        ("missed_call_id = gen_random_uuid()", "case_id IS NOT NULL"),
        ("kind = 'callback'", "missed_call_id IS NOT NULL")]),
    "clock_only_resolve_pauses": ("cases_clock", [("paused_at = now()", "kind = 'sign_for'")]),
    "check_answer_whole": ("cases_check", [
        ("handled = true", "answered_at IS NULL AND withdrawn_at IS NULL"), ("handled = NULL", "handled"),
        ("answered_at = NULL", "handled"), ("answer_event_id = NULL", "handled")]),
    "check_answered_or_withdrawn": ("cases_check", [("withdrawn_at = now()", "handled")]),
    "check_not_by_who_asked": ("cases_check", [("worker_id = asked_by_id", "true")]),
    "contact_not_in_the_future": ("cases_contact", [("at = recorded_at + interval '1 second'", "true")]),
    "distinct_pair_in_order": ("cases_distinct", [
        ("second_id = first_id", "true"), ("first_id = second_id, second_id = first_id", "true")]),
    "duty_limit_positive": ("cases_dutylimit", [("minutes = 0", "true")]),
    "extension_asked_before_expiry": ("cases_extension", [("asked_at = due_before + interval '1 second'", "true")]),
    "extension_decided_by_another": ("cases_extension", [("decided_by_id = asked_by_id", "decision = 'granted'")]),
    "extension_decision_has_a_time": ("cases_extension", [
        ("decided_at = NULL", "decision = 'granted'"), ("decided_at = now()", "decision = 'waiting'")]),
    "extension_granted_has_minutes": ("cases_extension", [
        ("granted_minutes = NULL", "decision = 'granted'"), ("granted_minutes = 0", "decision = 'granted'"),
        ("decided_by_id = NULL", "decision = 'granted'"), ("granted_minutes = 60", "decision = 'waiting'")]),
    "account_entry_says_why": ("organisations_accountentry", [("why = ''", "step = 'deactivated'")]),
    "directory_name_says_something": ("organisations_directoryname", [("name = ''", "true")]),
    "account_deactivated_by_another": ("organisations_accountentry", [("by_id = staff_id", "step = 'deactivated'")]),
    "identity_reading_says_why": ("cases_identityreading", [("why = ''", "true")]),
    "notice_rule_before_or_after": ("cases_noticerule", [
        ("share_left = NULL, minutes_after = NULL", "true"), ("share_left = 0.2, minutes_after = 0", "true"),
        ("share_left = 0, minutes_after = NULL", "true"), ("share_left = 1, minutes_after = NULL", "true")]),
    "notice_seen_by_somebody": ("cases_notice", [
        ("seen_at = now()", "seen_by_id IS NULL"), ("seen_at = NULL", "seen_by_id IS NOT NULL")]),
    "reporter_anonymised_is_empty": ("cases_reporter", [
        ("anonymised_at = now()", "phone IS NOT NULL"),
        ("anonymised_at = now(), name = NULL, phone = NULL, address = NULL, email = NULL", "phone_hash IS NOT NULL")]),
    "return_joint_names_basis_and_units": ("cases_return", [
        ("basis = ''", "ruling = 'joint'"), ("bound = '{1}'", "ruling = 'joint'"), ("basis = 'x'", "ruling = 'upheld'"),
        ("bound = '{1}'", "ruling = 'upheld'")]),
    "return_ruled_took_a_time": ("cases_return", [("minutes = NULL", "ruling = 'upheld'"), ("minutes = 5", "ruling = 'waiting'")]),
    "return_lapsed_is_ruled_by_nobody": ("cases_return", [("ruling = 'lapsed'", "ruling = 'upheld'")]),
    "return_ruling_has_a_time": ("cases_return", [
        ("ruled_at = NULL", "ruling = 'upheld'"), ("ruled_at = now()", "ruling = 'waiting'")]),
    "suspension_end_has_a_time": ("cases_suspension", [
        ("ended = 'lifted'", "ended = ''"), ("ended_at = now()", "ended = ''"), ("minutes = 5", "ended = ''"),
        ("minutes = NULL", "ended <> ''"), ("ended_at = NULL", "ended <> ''")]),
    "suspension_until_later": ("cases_suspension", [("until = at", "true")]),
    "time_limit_positive": ("cases_timelimit", [
        ("sign_for = 0", "true"), ("first_contact = 0", "true"), ("resolve = 0", "true")]),
    "boundary_ends_after_it_begins": ("places_boundaryversion", [("valid_to = valid_from - interval '1 second'", "true")]),
    "grid_change_by_a_person_says_why": ("places_gridchange", [
        ("why = ''", "step = 'split'"), ("by_id = NULL", "step = 'split'"),
        ("by_id = (SELECT id FROM organisations_staff LIMIT 1)", "step = 'loaded'")]),
    "area_only_city_without_parent": ("places_area", [("parent_id = NULL", "level = 'county'")]),
    "callback_justified_only_when_dissatisfied": ("quality_callbackattempt", [("justified = true", "satisfaction = 'satisfied'")]),
    "campaign_share_is_a_percentage": ("quality_campaign", [("share = 0", "true"), ("share = 101", "true")]),
    "campaign_ends_after_it_starts": ("quality_campaign", [("ends_on = starts_on - 1", "true")]),
    "campaign_ended_by_somebody": ("quality_campaign", [
        ("ended_at = now()", "ended_by_id IS NULL"), ("ended_at = NULL", "ended_by_id IS NOT NULL")]),
    "draw_called_or_asked_to_rate": ("quality_campaigndraw", [
        ("rate_until = now()", "drawn"), ("rate_until = NULL", "NOT drawn")]),
    "identity_reading_of_one_thing": ("cases_identityreading", [
        ("case_id = NULL", "case_id IS NOT NULL"), ("missed_call_id = NULL", "missed_call_id IS NOT NULL"),
        ("missed_call_id = (SELECT id FROM cases_missedcall LIMIT 1)", "case_id IS NOT NULL")]),
    "missed_call_anonymised_is_empty": ("cases_missedcall", [("anonymised_at = now()", "phone IS NOT NULL AND ended_at IS NOT NULL")]),
    "missed_call_ended_has_an_outcome": ("cases_missedcall", [
        ("ended_at = now()", "outcome = ''"), ("outcome = ''", "outcome <> ''")]),
    "missed_call_waiting_has_a_number": ("cases_missedcall", [
        ("phone = NULL", "ended_at IS NULL"), ("phone_hash = NULL", "ended_at IS NULL")]),
    "callback_answers_only_when_reached": ("quality_callbackattempt", [
        ("outcome = 'busy', satisfaction = '', truthful = NULL", "solved IS NOT NULL"),
        ("outcome = 'busy', solved = NULL, truthful = NULL", "satisfaction <> ''"),
        ("outcome = 'busy', satisfaction = '', solved = NULL", "truthful IS NOT NULL")]),
}
# What the choices of these columns break first when they are no choices; the others are tried one and all.
CHOICES: dict[str, str] = {
    "catalogue_proposal_decision_known": "decision = 'refused'",
    "return_ruling_known": "ruling = 'upheld'",
    "assignment_state_known": "ended_at IS NULL",
    "callback_outcome_known": "satisfaction = '' AND truthful IS NULL AND solved IS NULL",
    "callback_satisfaction_known": "justified IS NULL",
    "missed_call_outcome_known": "ended_at IS NOT NULL",
    "case_outcome_known": "state = 'closed'",
    "case_state_known": "state = 'accepted'",
    "case_linkage_known": "linkage = 'offered'",
    "case_answer_publication_known": "publication = 'public'",
    "clock_kind_known": "paused_at IS NULL AND missed_call_id IS NULL",
    "extension_decision_known": "decision = 'granted'",
    "suspension_end_known": "ended <> ''",
    "area_level_known": "level = 'town'",
    "grid_step_known": "step = 'split'",
}
# Unique where a condition holds: index → (table, the row to copy, what differs in the copy).
PARTIAL: dict[str, tuple[str, str, dict[str, Any]]] = {
    "assignment_one_lead_at_a_time": ("cases_assignment", "role = 'lead' AND ended_at IS NULL", {"unit_id": "other"}),
    "assignment_unit_once_at_a_time": ("cases_assignment", "role = 'lead' AND ended_at IS NULL", {"role": "assist"}),
    "check_one_open_per_case": ("cases_check", "answered_at IS NULL AND withdrawn_at IS NULL", {"event_id": str(uuid.UUID(int=7))}),
    "clock_one_running_of_a_kind": ("cases_clock", "met_at IS NULL AND stopped_at IS NULL AND assignment_id IS NULL "
                                    "AND case_id IS NOT NULL",
                                    {"round": 7}),
    "case_source_once": ("cases_case", "source_id <> ''", {"number": "99-0000001-1", "tracking_digest": "\\x01",
                                                            "reporter_id": None}),
    "clock_one_running_of_a_missed_call": ("cases_clock", "met_at IS NULL AND stopped_at IS NULL AND missed_call_id IS NOT NULL",
                                           {"round": 7}),
    "extension_one_waiting": ("cases_extension", "decision = 'waiting'", {"event_id": str(uuid.UUID(int=7))}),
    "suspension_one_at_a_time": ("cases_suspension", "ended_at IS NULL", {"event_id": str(uuid.UUID(int=7))}),
    "missed_call_one_waiting_of_a_number": ("cases_missedcall", "ended_at IS NULL AND last_key IS NULL", {}),
    "missed_call_reported_once": ("cases_missedcall", "ended_at IS NOT NULL AND last_key IS NOT NULL", {}),
    "catalogue_proposal_one_waiting_of_a_kind": ("cases_catalogueproposal", "decision = 'waiting'", {"key": None}),
    "return_one_open_per_assignment": ("cases_return", "ruling = 'waiting'", {"event_id": str(uuid.UUID(int=7))}),
    "boundary_one_at_a_time": ("places_boundaryversion", "valid_to IS NULL", {"change_id": str(uuid.UUID(int=7))}),
    "grant_once_while_it_lasts": ("organisations_rolegrant", "area_id IS NULL", {}),
}


# Columns that point at something and stand only beside another: the rows on which they may be tried.
BESIDE: dict[tuple[str, str], str] = {
    ("cases_catalogueproposal", "decided_by_id"): "decision <> 'waiting'",
    ("cases_catalogueproposal", "version_id"): "decision = 'approved'",
    ("cases_catalogueversion", "restores_id"): "source = 'restored'",
    ("cases_clock", "missed_call_id"): "missed_call_id IS NOT NULL",
    ("cases_identityreading", "missed_call_id"): "missed_call_id IS NOT NULL",
    ("cases_identityreading", "case_id"): "case_id IS NOT NULL",
    ("cases_notice", "seen_by_id"): "seen_by_id IS NOT NULL",
    ("cases_extension", "asked_by_id"): "decided_by_id IS NULL",
    ("places_gridchange", "by_id"): "by_id IS NOT NULL",
    ("cases_extension", "decided_by_id"): "decided_by_id IS NOT NULL",
}


@dataclass(frozen=True)
class Rule:
    table: str
    name: str
    kind: str
    text: str
    columns: tuple[str, ...]


def _rules() -> list[Rule]:
    """Every constraint and unique index of our tables; those that a partition inherits are their parent's."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid),
                   ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(no, place)
                         JOIN pg_attribute ON attrelid = conrelid AND attnum = no ORDER BY place)
            FROM pg_constraint
            WHERE contype IN ('c', 'u', 'p', 'f', 'x') AND coninhcount = 0 AND conrelid::regclass::text ~ %(ours)s
            UNION ALL
            SELECT indrelid::regclass::text, indexrelid::regclass::text, 'i', pg_get_indexdef(indexrelid), '{}'
            FROM pg_index
            WHERE indisunique AND indrelid::regclass::text ~ %(ours)s
              AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
            ORDER BY 1, 3, 2
            """,
            {"ours": OURS},
        )
        return [Rule(table, name, kind, text, tuple(columns)) for table, name, kind, text, columns in cursor.fetchall()]


def _types() -> dict[tuple[str, str], str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name ~ %s",
                       [OURS])
        return {(table, column): kind for table, column, kind in cursor.fetchall()}


def _broken(sql: str, *parameters: Any, table: str = "") -> str:
    """The name of the constraint that refuses `sql`; an empty string when nothing does. Nothing remains of it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if table:  # the guards against updates are tried elsewhere
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(sql, parameters)
            assert cursor.rowcount > 0, f"no row to try: {sql}"
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except DatabaseError as error:
        cause = error.__cause__
        return (cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None) or str(error)
    return ""


def _copy(table: str, where: str, changed: dict[str, Any]) -> tuple[str, str]:
    return (f"INSERT INTO {table} SELECT (jsonb_populate_record(r, %s::jsonb)).* FROM {table} r WHERE {where} LIMIT 1",
            json.dumps(changed))


LAST = str(uuid.UUID(int=2**128 - 1))
FRESH: dict[str, Any] = {"uuid": str(uuid.UUID(int=1)), "bigint": 999_999_999, "integer": 999_999, "smallint": 30_000,
                         "bytea": "\\x01", "character varying": "fresh", "date": "2031-01-01", "text": "fresh",
                         "timestamp with time zone": "2031-01-01T00:00:00+00:00"}


def clock_ledger(world: World) -> None:
    """Rows of the clocks' ledger: a pause that runs and one that ended, an extension asked for and one granted, notices
    seen and not seen, a call that nobody took."""
    resolve = list(Clock.objects.filter(kind="resolve", assignment__isnull=True, met_at__isnull=True, stopped_at__isnull=True)
                   .order_by("id"))
    at = resolve[0].started_at
    for clock, ended in zip(resolve, (False, True), strict=False):
        part = Assignment.objects.filter(case=clock.case).first() or Assignment.objects.first()
        asked = {"case": clock.case, "clock": clock, "assignment": part}
        Suspension.objects.create(
            **asked, event_id=uuid7(), reason="outside", at=at, by=world.staff["urban"], until=at + timedelta(days=2),
            **({"ended": "lifted", "ended_at": at + timedelta(days=1), "ended_by": world.staff["dispatcher"],
                "minutes": 420} if ended else {}))
        Extension.objects.create(
            **asked, event_id=uuid7(), minutes=420, asked_at=at, asked_by=world.staff["urban"], due_before=clock.due_at,
            **({"decision": "granted", "decided_at": at, "decided_by": world.staff["dispatcher"], "granted_minutes": 420}
               if ended else {}))
        Notice.objects.create(
            clock=clock, case=clock.case, rule="reminder", level="reminder", kind="resolve", to="officer", unit=world.units["urban"],
            due_at=clock.due_at, at=at, **({"seen_at": at, "seen_by": world.staff["urban"]} if ended else {}))
    call = MissedCall.objects.create(first_at=at, last_at=at, phone=b"x", phone_hash=b"x" * 32, last_key=b"y" * 32)
    Clock.objects.create(missed_call=call, kind="missed_call", calendar="around_the_clock", limit_minutes=60, started_at=at,
                         due_at=at + timedelta(hours=1))


def quality_ledger(world: World) -> None:
    """A checklist, two campaigns with both kinds of draw, a contest, and missed calls that wait and that are over."""
    take(world, at_state(world, State.CLOSED), "contest")
    checklists.make(world)
    ChecklistItem.objects.update(required=False)
    day, supervisor = date(2026, 11, 23), world.actor("supervisor")
    order = {"by": supervisor, "name": "抽样", "starts_on": day, "ends_on": day, "key": b"c" * 32}
    campaigns.end(by=supervisor, campaign_id=campaigns.define(**order).pk)  # type: ignore[arg-type]
    campaigns.define(**(order | {"key": b"d" * 32, "share": 1, "minimum": 1, "seed": "s"}))  # type: ignore[arg-type]
    for _ in range(3):
        walk(world, world.case(), ("accept", "dispatch", "sign", "reply", "approve"))
    assert set(CampaignDraw.objects.values_list("drawn", flat=True)) == {True, False}
    Campaign.objects.filter(ended_at__isnull=True).update(ends_on=day)
    telephone = actor_for(world.staff["operator"], scopes=frozenset({missed_calls.REPORT}))
    over = missed_calls.report(by=telephone, phone="13700000001", key=b"m" * 32)
    missed_calls.read_number(world.actor("operator"), over.id)
    missed_calls.record_try(world.actor("operator"), over.id, outcome="reached", key=b"t" * 32)
    missed_calls.report(by=telephone, phone="13700000002")


def catalogue_ledger(world: World) -> None:
    """A joint ruling; a proposal of each decision; versions made of one and going back."""
    take(world, at_state(world, State.OBJECTED), "rule_jointly")
    asked = {"lead_unit": "west", "basis": "三定方案", "why": "归西县。"}
    by, decides = world.actor("dispatcher"), world.actor("supervisor")
    for n, category in enumerate(("010101", "010102", "010103")):
        made = proposals.propose(by=by, category=category, key=bytes([n]) * 32, **asked)
        if n == 0:
            proposals.approve(made.pk, by=decides)
        elif n == 1:
            proposals.refuse(made.pk, by=decides, reason="职责没有变。")
    versions.restore(1, by=decides, reason="试行结束。")


def grids_ledger(world: World) -> None:
    """A village whose grids are as the files had them, and cut once since."""
    grid, _other = divided(world)
    west, south, east, north = grids.shape_of(grid).bounds
    line = drawing.line_of(f"{west},{(south + north) / 2}\n{east},{(south + north) / 2}")
    grids.split(village=VILLAGE, version=0, grid=grid.code, line=line, name="新网格", why="分工", by_id=world.staff["bridge"].pk)


def _filled(world: World) -> None:
    closed = at_state(world, State.CLOSED)
    take(world, closed, "rate")
    for step in ("ask_check", "answer_check"):
        take(world, closed, step)
    take(world, at_state(world, State.CLOSED), "ask_check")
    objected = at_state(world, State.OBJECTED)
    take(world, objected, "uphold_return")
    for state in (State.OBJECTED, State.WITHDRAWN, State.IN_HAND, State.CALLBACK, State.MERGED, State.HANDED_OVER):
        at_state(world, state)
    take(world, at_state(world, State.DISPATCHED), "offer_handover")
    apart = at_state(world, State.MERGED)
    take(world, apart, "unmerge")
    set_apart(world.actor("dispatcher"), apart, objected)
    take(world, at_state(world, State.CALLBACK), "record_callback_attempt", outcome="busy", truthful=None, solved=None,
         satisfaction="")
    case_id = at_state(world, State.ACCEPTED)
    take(world, case_id, "add_information", key=b"k" * 32)
    take(world, case_id, "attach")
    read_identity(world.on(case_id, "operator"), why="核实")
    announce_event(str(Event.objects.filter(action="register").latest("id").pk))
    Case.objects.filter(pk=case_id).update(source_system="old", source_id="1")
    Case.objects.filter(pk=closed).update(publication="public")
    Site.objects.create(code="s1", name="桥头小学", kind="school", area=world.areas["990101001"])
    ApiToken.objects.create(name="x", unit=world.units["water"], staff=world.staff["water"], digest=token_digest("x"),
                            hint="x")
    accounts.deactivate(staff_id=world.staff["water"].pk, why="离职", by=world.actor("admin"))
    accounts.call_in_directory(staff_id=world.staff["water"].pk, why="SCIM", by=world.actor("admin"), name="8f6c-A1")
    WorkCalendar.objects.create(code="own", name="自己的", definition={"base": "legal"})
    clock_ledger(world)
    catalogue_ledger(world)
    quality_ledger(world)
    grids_ledger(world)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending would hold ALTER TABLE back
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture(scope="module")
def kept(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """At least one row in every table, in the states that the trials ask for; made once, in a transaction that is undone."""
    forget()
    with django_db_blocker.unblock(), frozen(MONDAY), transaction.atomic():
        world = World.make()
        _filled(world)
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def full(kept: World) -> Iterator[World]:
    """As it was kept; what a test does to it is undone with the test."""
    with transaction.atomic():
        yield kept
        transaction.set_rollback(True)


def test_every_constraint_is_tried(full: World) -> None:
    known = {*RULES, *PARTIAL}
    untried = [f"{rule.table}: {rule.name} {rule.text}" for rule in _rules()
               if rule.name not in known and not (
                   rule.kind in "pfu" or (rule.kind == "c" and (_a_choice(rule) or rule.text.endswith(">= 0))"))))]
    assert untried == [], "write a trial for each of these"
    assert known <= {rule.name for rule in _rules()}, "a trial of something that is gone"


def _a_choice(rule: Rule) -> bool:
    return rule.kind == "c" and rule.name.endswith("_known") and len(rule.columns) == 1


def test_a_column_with_choices_holds_nothing_else(full: World) -> None:
    """Every such column of every table of ours is held to its choices, to all of them, and to nothing when it may be empty."""
    checks = {(rule.table, rule.columns[0]): rule for rule in _rules() if _a_choice(rule)}
    assert set(CHOICES) <= {rule.name for rule in checks.values()}
    fields = [(model._meta.db_table, field) for model in apps.get_models() if re.match(OURS, model._meta.db_table)
              for field in model._meta.concrete_fields
              if isinstance(field, models.CharField | models.IntegerField) and field.choices]
    assert {(table, field.column) for table, field in fields} == set(checks)
    for table, field in fields:
        rule = checks[(table, field.column)]
        numbers = isinstance(field, models.IntegerField)
        said = set(map(int, re.findall(r"\d+", rule.text))) if numbers else set(re.findall("'([^']*)'", rule.text))
        empty = field.blank and not field.null and not numbers
        assert said == {value for value, _label in field.flatchoices} | ({""} if empty else set()), rule
        where = CHOICES.get(rule.name, "true")
        for wrong in (99,) if numbers else ("lost", *([] if empty else [""])):
            assert _broken(f'UPDATE {table} SET "{field.column}" = %s WHERE {where}', wrong, table=table) == rule.name, wrong


def test_checks_refuse(full: World) -> None:
    for name, (table, trials) in RULES.items():
        for change, where in trials:
            assert _broken(f"UPDATE {table} SET {change} WHERE {where}", table=table) == name, (change, where)


def test_conditional_unique_indexes_refuse(full: World) -> None:
    types = _types()
    for name, (table, where, changed) in PARTIAL.items():
        values = {"id": FRESH[types[(table, "id")]]} | changed
        if values.get("unit_id") == "other":
            values["unit_id"] = full.units["bridge"].pk
        sql, body = _copy(table, where, values)
        assert _broken(sql, body) == name


def test_numbers_that_cannot_be_negative_are_not(full: World) -> None:
    tried, rules = 0, _rules()
    for rule in rules:
        if rule.kind == "c" and rule.text.endswith(">= 0))"):
            assert len(rule.columns) == 1
            held = {rule.name, *(one.name for one in rules if _a_choice(one) and one.columns == rule.columns)}
            assert _broken(f'UPDATE {rule.table} SET "{rule.columns[0]}" = -1', table=rule.table) in held
            tried += 1
    assert tried > 20


def test_nothing_points_at_what_is_not_there(full: World) -> None:
    types, tried = _types(), 0
    for rule in _rules():
        if rule.kind == "f":
            assert len(rule.columns) == 1
            column = rule.columns[0]
            value = LAST if (rule.table, column) == ("cases_distinct", "second_id") else FRESH[types[(rule.table, column)]]
            key = next(one for one in _rules() if one.table == rule.table and one.kind == "p").columns[0]
            sql = (f'UPDATE {rule.table} SET "{column}" = %s '
                   f'WHERE "{key}" = (SELECT "{key}" FROM {rule.table} WHERE {BESIDE.get((rule.table, column), "true")} LIMIT 1)')
            assert _broken(sql, value, table=rule.table) == rule.name, rule
            tried += 1
    assert tried > 50


def test_what_is_there_once_is_not_there_twice(full: World) -> None:
    types, rules = _types(), _rules()
    choices = {(rule.table, rule.columns[0]) for rule in rules if _a_choice(rule)}
    for rule in rules:
        if rule.kind not in "pu":
            continue
        others = {column for one in rules if one.table == rule.table and one.kind in "pu" for column in one.columns
                  if (rule.table, column) not in choices}
        if rule.table == "cases_notification" or rule.name == "rating_once_per_round":
            others.add("event_id")
        changed = {column: FRESH[types[(rule.table, column)]] for column in others - set(rule.columns)}
        if rule.table == "cases_distinct" and "second_id" in changed:  # the first of a pair comes first
            changed["second_id"] = LAST
        if rule.table == "cases_case":
            changed["source_id"] = ""
        if rule.table == "cases_case" and rule.name != "cases_case_reporter_id_key":
            changed["reporter_id"] = None
        if rule.table == "cases_catalogueproposal":  # only an approved one has a version
            changed.pop("version_id", None)
        if rule.table == "cases_catalogueversion":  # a version follows those there are
            changed["in_force_from"] = FRESH["timestamp with time zone"]
        if rule.table in ("cases_assignment", "cases_clock") and rule.kind == "p":
            changed["case_id"] = str(uuid7())  # out of the way of the conditional indexes
        where = " AND ".join(f'"{column}" IS NOT NULL' for column in rule.columns if rule.table != "cases_cataloguerule")
        if rule.name == "cases_catalogueversion_number_key":
            where = "number = (SELECT max(number) FROM cases_catalogueversion)"
        sql, body = _copy(rule.table, where or "true", changed)
        assert _broken(sql, body) == rule.name or (
            rule.name == "cases_event_pkey" and _broken(sql, body).endswith("_pkey")), rule
