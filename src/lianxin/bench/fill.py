"""Fill the tables with the cases of some years, quickly: straight SQL in the shapes the actions write.

95 of 100 cases are ended, as in a city that has been at it for two years; the open ones are a month old at most and
stand in every state, one in eight of them overdue. Their assignments, clocks, events and answers are there. Only
`changes` of the events is short: the lists and pages measured here do not read it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, timedelta
from typing import Any

import psycopg
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from lianxin.cases.actions import Intake, register
from lianxin.cases.housekeeping import ensure_partitions
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import cell
from lianxin.organisations.actors import SYSTEM

from . import words
from .city import BenchCity

MONTHS = 24
REAL = 25
FIRST_SERIAL = 50_000_000  # above every number that `register` hands out meanwhile
CHUNK = 100_000
SEEDS = 0.6180339887498949  # golden ratio: its multiples, less the whole part, are spread evenly and never come again
# Beyond this many rows it is quicker to make the indexes anew than to keep them.
REBUILD_FROM = 300_000
TABLES = ("cases_case", "cases_reporter", "cases_assignment", "cases_clock", "cases_event", "cases_eventtext")

def _key(at: str) -> str:
    """SQL of a new UUIDv7 of an instant. (PostgreSQL has a function for it from 18 on.)"""
    return (f"(lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7' || "
            "substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid")


def _one(name: str) -> str:
    """SQL of one item of a list by chance."""
    return f"(%({name})s::text[])[1 + floor(random() * cardinality(%({name})s::text[]))::int]"


# One row a case: everything that chance decides. `state` says how far the case has come; `cell` is found afterwards.
MADE = f"""
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
WITH chance AS (
  SELECT n, random() AS s, random() AS r, random() AS u, random() AS a, random() AS k, random() AS d, random() AS x,
         random() AS y, random() AS t
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
), standing AS (
  SELECT *, CASE WHEN s < 0.003 THEN 'registered' WHEN s < 0.008 THEN 'accepted' WHEN s < 0.015 THEN 'dispatched'
    WHEN s < 0.038 THEN 'in_hand' WHEN s < 0.040 THEN 'objected' WHEN s < 0.045 THEN 'replied'
    WHEN s < 0.050 THEN 'callback' WHEN s < 0.060 THEN 'declined' WHEN s < 0.070 THEN 'withdrawn' ELSE 'closed' END AS state
  FROM chance
), timed AS (
  SELECT *, s < 0.05 AS is_open, s >= 0.008 AND (s < 0.05 OR s >= 0.07) AS has_unit,
    %(now)s::timestamptz - CASE WHEN s < 0.05 THEN interval '25 days' * r * r
                                ELSE interval '25 days' + interval '1 day' * %(days)s * r END AS at,
    1 + floor(u * u * %(units)s)::int AS unit_n, 1 + floor(x * %(counties)s)::int AS county_n,
    1 + floor(k * %(categories)s)::int AS category_n
  FROM standing
)
SELECT n, state, is_open, has_unit, at, {_key("at")} AS id, s, x, y,
  CASE WHEN d < 0.6 THEN {_key("at")} END AS reporter_id,
  {_key("at")} AS assignment_id, {_key("at + interval '3 hours'")} AS reply_event,
  CASE WHEN has_unit THEN (%(unit_ids)s::bigint[])[unit_n] END AS lead_unit_id,
  CASE WHEN has_unit AND a < 0.15 THEN (%(unit_ids)s::bigint[])[1 + unit_n %% %(units)s] END AS assist_unit_id,
  (%(county_ids)s::bigint[])[county_n] AS county_id, (%(category_ids)s::bigint[])[category_n] AS category_id,
  CASE WHEN is_open THEN %(now)s::timestamptz + interval '6 days' * (t - 0.125) END AS due_at,
  CASE WHEN NOT is_open THEN at + interval '3 days' * (0.1 + t) END AS closed_at,
  112.4 + 0.3 * ((county_n + n) %% 4) + 0.3 * y AS lon, 28.4 + 0.3 * x AS lat, NULL::bigint AS cell,
  {_one("streets")} AS street, {_one("whats")} AS what,
  {_one("places")} AS place, {_one("whens")} AS said_when,
  {_one("whats")} AS also, {_one("asks")} AS ask,
  CASE WHEN d > 0.99 THEN '旁边有棵' || {_one("rare")} || {_one("rare")} || '。' ELSE '' END AS rare,
  CASE WHEN a > 0.7 THEN '就在' || (%(shops)s::text[])[1 + floor(power(random(), 3) * cardinality(%(shops)s::text[]))::int]
    || '对面。' ELSE '' END AS shop
FROM timed
"""

INSERTS = (
    """
INSERT INTO cases_reporter (id, name, phone, phone_hash, language, message_consent, retention_class, created_at)
SELECT reporter_id, decode(repeat('5a', 40), 'hex'), decode(repeat('a5', 44), 'hex'),
       sha256(convert_to('p' || n, 'UTF8')), 'zh-hans', true, 'reporter', at FROM made WHERE reporter_id IS NOT NULL
""",
    """
INSERT INTO cases_case (id, number, tracking_digest, channel, title, words, language, reporter_id, confidential,
  place_text, lon, lat, cell, registered_at, source_system, source_id, state, kind, urgency, category_id, area_id,
  county_id, lead_unit_id, unit_ids, round, returns, due_at, due_provisional, accepted_at, closed_at, outcome,
  publication, redone, paused, for_supervisor, supervised, version)
SELECT id, to_char(at, 'YY') || '-' || (%(serial)s + n) || '-' || n %% 10, sha256(convert_to('t' || n, 'UTF8')),
  CASE WHEN x < 0.6 THEN 'phone' WHEN x < 0.9 THEN 'web' WHEN x < 0.98 THEN 'field' WHEN x < 0.995 THEN '110' ELSE 'api' END,
  street || left(what, 8),
  street || n || '号' || place || '，' || said_when || '，' || what || '。' || shop || rare || ask || also || '，' || ask,
  'zh-hans', reporter_id, y < 0.02, street || n || '号',
  lon, lat, cell, at, '', '', state,
  (ARRAY['enquiry', 'suggestion', 'help', 'complaint', 'report'])[1 + floor(y * 5)::int],
  CASE WHEN x < 0.02 THEN 'urgent' ELSE 'normal' END, category_id, county_id, county_id, lead_unit_id,
  CASE WHEN assist_unit_id IS NOT NULL THEN ARRAY[lead_unit_id, assist_unit_id]
       WHEN lead_unit_id IS NOT NULL THEN ARRAY[lead_unit_id] ELSE '{}'::bigint[] END,
  CASE WHEN y > 0.97 THEN 2 ELSE 1 END, CASE WHEN x > 0.95 THEN 1 ELSE 0 END, due_at, false,
  CASE WHEN state NOT IN ('registered', 'declined', 'withdrawn') THEN at + interval '5 minutes' END, closed_at,
  CASE WHEN state = 'closed' THEN CASE WHEN y < 0.85 THEN 'solved' ELSE 'explained' END ELSE '' END,
  'private', CASE WHEN y > 0.95 AND y <= 0.97 THEN 1 ELSE 0 END, false, false, 0,
  CASE state WHEN 'closed' THEN 5 WHEN 'registered' THEN 1 ELSE 2 END
FROM made
""",
    """
INSERT INTO cases_assignment (id, case_id, unit_id, role, state, assigned_at, signed_at, contacted_at, handled_at,
  ended_at, due_at, against_catalogue)
SELECT assignment_id, id, lead_unit_id, 'lead',
  CASE state WHEN 'dispatched' THEN 'assigned' WHEN 'in_hand' THEN 'in_hand' WHEN 'objected' THEN 'objected'
    WHEN 'closed' THEN 'ended' ELSE 'handled' END,
  at + interval '20 minutes', CASE WHEN state NOT IN ('dispatched', 'objected') THEN at + interval '1 hour' END,
  CASE WHEN state NOT IN ('dispatched', 'objected') THEN at + interval '2 hours' END,
  CASE WHEN state IN ('replied', 'callback', 'closed') THEN at + interval '3 hours' END, closed_at, due_at, false
FROM made WHERE lead_unit_id IS NOT NULL
""",
    f"""
INSERT INTO cases_assignment (id, case_id, unit_id, role, state, assigned_at, ended_at, due_at, against_catalogue)
SELECT {_key("at")}, id, assist_unit_id, 'assist', CASE WHEN is_open THEN 'assigned' ELSE 'ended' END,
  at + interval '20 minutes', closed_at, due_at, false
FROM made WHERE assist_unit_id IS NOT NULL
""",
    f"""
INSERT INTO cases_clock (id, case_id, assignment_id, kind, round, calendar, limit_minutes, started_at, due_at, provisional,
  paused_minutes, extended_minutes, met_at, stopped_at)
SELECT {_key("at")}, id, NULL, kind, 1, 'working', minutes, at,
  CASE kind WHEN 'resolve' THEN coalesce(due_at, closed_at + interval '1 day') ELSE at + interval '1 day' END, false, 0, 0,
  CASE WHEN state = 'closed' OR (kind = 'first_contact' AND state IN ('in_hand', 'replied', 'callback'))
         OR state IN ('replied', 'callback') THEN at + interval '3 hours' END,
  CASE WHEN state IN ('declined', 'withdrawn') THEN closed_at END
FROM made, (VALUES ('first_contact', 420), ('resolve', 2100)) AS kinds (kind, minutes)
WHERE kind = 'first_contact' OR due_at IS NULL OR due_at >= at
""",
    f"""
INSERT INTO cases_clock (id, case_id, assignment_id, kind, round, calendar, limit_minutes, started_at, due_at, provisional,
  paused_minutes, extended_minutes, met_at)
SELECT {_key("at")}, id, assignment_id, 'sign_for', 1, 'working', 240, at, at + interval '4 hours', false, 0, 0,
  CASE WHEN state NOT IN ('dispatched', 'objected') THEN at + interval '1 hour' END
FROM made WHERE lead_unit_id IS NOT NULL
""",
    f"""
INSERT INTO cases_event (id, case_id, action, at, from_state, to_state, actor_kind, actor_id, unit_id, via, public, version,
  changes, data, digests)
SELECT CASE WHEN action = 'reply' THEN reply_event ELSE {_key("made.at + after")} END, id, action, made.at + after, from_state,
  to_state, CASE WHEN action = 'register' THEN 'reporter' ELSE 'staff' END,
  CASE WHEN action <> 'register' THEN %(actor)s::bigint END, CASE WHEN action IN ('reply') THEN lead_unit_id END, 'desk',
  action NOT IN ('approve'), step, jsonb_build_object('case', jsonb_build_object('state', to_state)), '{{}}', '{{}}'
FROM made, (VALUES
  (1, 'register', '', 'registered', interval '0'),
  (2, 'accept', 'registered', 'accepted', interval '5 minutes'),
  (3, 'dispatch', 'accepted', 'dispatched', interval '20 minutes'),
  (4, 'reply', 'in_hand', 'replied', interval '3 hours'),
  (5, 'close', 'callback', 'closed', interval '5 hours')
) AS steps (step, action, from_state, to_state, after)
WHERE step <= CASE state WHEN 'registered' THEN 1 WHEN 'declined' THEN 1 WHEN 'withdrawn' THEN 1 WHEN 'accepted' THEN 2
  WHEN 'closed' THEN 5 WHEN 'replied' THEN 4 WHEN 'callback' THEN 4 ELSE 3 END AND made.at + after <= %(now)s::timestamptz
""",
    f"""
INSERT INTO cases_eventtext (id, event_id, case_id, field, body, public, retention_class)
SELECT {_key("at")}, reply_event, id, 'public_answer',
  '您好，您反映的' || street || what || '一事，我们已派人到现场处理，情况属实，现已解决。感谢您的监督。', true, 'words'
FROM made WHERE state IN ('replied', 'callback', 'closed') AND at + interval '3 hours' <= %(now)s::timestamptz
""",
)


def _values(city: BenchCity) -> dict[str, Any]:
    return {
        "now": now().astimezone(UTC), "days": MONTHS * 30, "units": len(city.unit_ids), "counties": len(city.county_ids),
        "categories": len(city.category_ids), "unit_ids": list(city.unit_ids), "county_ids": list(city.county_ids),
        "category_ids": list(city.category_ids), "streets": list(words.STREETS), "whats": list(words.WHAT),
        "places": list(words.PLACES), "whens": list(words.WHEN), "asks": list(words.ASK), "rare": list(words.RARE),
        "shops": list(words.SHOPS),
        "serial": FIRST_SERIAL, "actor": city.staff["dispatcher"].pk,
    }


def _make(cursor: CursorWrapper, values: dict[str, Any], first: int, last: int) -> None:
    """The table `made`, each row with the H3 cell of its position: PostgreSQL cannot tell it, and what is looked for by place
    would else never be found by place."""
    cursor.execute("SELECT setseed(%s)", [first / 2**31])  # each part its own: else all are copies of the first
    cursor.execute(MADE, values | {"first": first, "last": last})
    cursor.execute("SELECT n, lon, lat FROM made")
    found = [(n, cell(lon, lat)) for n, lon, lat in cursor.fetchall()]
    cursor.execute("UPDATE made SET cell = found.cell FROM unnest(%s::bigint[], %s::bigint[]) AS found (n, cell) "
                   "WHERE found.n = made.n", [list(column) for column in zip(*found, strict=True)])


def _quiet(cursor: CursorWrapper) -> None:
    """Leave foreign keys and triggers unchecked in this session, where the server lets us: the rows fit."""
    try:
        with transaction.atomic():
            cursor.execute("SET session_replication_role = replica")
    except Exception as error:
        if not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            raise


@contextmanager
def _without_indexes(many: bool) -> Iterator[None]:
    """With `many` rows to come: drop the indexes that hold up no constraint and make them again at the end."""
    if not many:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
            "WHERE c.relname = ANY(%s) AND NOT i.indisunique AND c.relkind IN ('r', 'p')", [list(TABLES)])
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _name, definition in found:
                cursor.execute(definition.replace(" ON ONLY ", " ON ", 1))  # a partitioned table's
            cursor.execute("RESET maintenance_work_mem")


def empty() -> None:
    """Take every case away again."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def prepare() -> None:
    """Partitions for the months behind us, as a city has them that ran through them."""
    month = now().replace(day=1)
    for _month in range(MONTHS + 2):
        month = (month - timedelta(days=1)).replace(day=1)
        ensure_partitions(month, ahead=0)


def grow(city: BenchCity, *, have: int, want: int) -> None:
    """Add cases until there are `want`, then let the server gather its statistics."""
    values = _values(city)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    with _without_indexes(want - have >= REBUILD_FROM):
        for first in range(have + 1, want + 1, CHUNK):
            last = min(first + CHUNK - 1, want)
            with transaction.atomic(), connection.cursor() as cursor:
                _quiet(cursor)
                _make(cursor, values, first, last)
                for statement in INSERTS:
                    cursor.execute(statement, values)
                cursor.execute("SET session_replication_role = DEFAULT")
        _in_order()
    _newest(city)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    _settle()


def _in_order() -> None:
    """Rows lie on disk in the order they came, as in a city, whose cases come one after the other: here each part spreads
    over all the months."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for table in TABLES:
            cursor.execute(f"CLUSTER {table} USING {table}_pkey")
        cursor.execute("RESET maintenance_work_mem")


def _settle(seconds: float = 90.0) -> None:
    """Let the server write down what was filled and finish its own cleaning: neither is part of what is measured."""
    with connection.cursor() as cursor, suppress(ProgrammingError):  # not everyone may ask for a checkpoint
        cursor.execute("CHECKPOINT")
    deadline = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'")
            if cursor.fetchone() == (0,):
                return
            time.sleep(1)


def _newest(city: BenchCity) -> None:
    """A few real cases on top: the filled identities are not sealed, and a web server looks at the newest ones."""
    writer = words.Writer(random.Random(20))
    for _number in range(REAL):
        title, body, place = writer.message()
        register(intake=Intake(words=body, title=title, place_text=place, category=city.category_codes[0], name="王小明",
                               phone="13812345678"), by=SYSTEM)
