"""The SQL that makes the facts of some cases from the ledger's tables. Named here, run by `facts`.

An assignment belongs to the round its sign-for clock belongs to. One without such a clock was not dispatched: it says
that a unit answered this case together with its master, and belongs to the round that had begun by then.
"""

from __future__ import annotations

from typing import Final

# Column, what it is made of. The order is that of the table; `log.COLUMNS` makes the same from the event log.
EXPRESSIONS: Final[dict[str, str]] = {
    "case_id": "c.id",
    "round": "r.round",
    "number": "c.number",
    "latest": "r.round = c.round",
    "master_id": "c.master_id",
    "channel": "c.channel",
    "kind": "c.kind",
    "urgency": "c.urgency",
    "state": "c.state",
    "outcome": "c.outcome",
    "category_id": "c.category_id",
    "area_id": "c.area_id",
    "town_id": "CASE WHEN area.level = 'town' THEN area.id ELSE area.town_id END",
    "county_id": "c.county_id",
    "unit_id": "coalesce(lead.unit_id, CASE WHEN r.round = c.round THEN c.lead_unit_id END, master.lead_unit_id)",
    "registered_at": "c.registered_at",
    "closed_at": "c.closed_at",
    "ended_at": "ended.at",
    "ended_as": "coalesce(ended.state, '')",
    "sign_for_due_at": "sign.due_at",
    "sign_for_ended_at": "sign.ended_at",
    "first_contact_due_at": "contact.due_at",
    "first_contact_ended_at": "coalesce(contact.met_at, contact.stopped_at)",
    "first_contact_met_at": "contact.met_at",
    "resolve_due_at": "resolve.due_at",
    "resolve_ended_at": "coalesce(resolve.met_at, resolve.stopped_at)",
    "callback_due_at": "callback.due_at",
    "callback_ended_at": "coalesce(callback.met_at, callback.stopped_at)",
    "callback_stopped_at": "callback.stopped_at",
    "rulings": "coalesce(ruling.ended, 0)",
    "rulings_late": "coalesce(ruling.late, 0)",
    "dispatches": "coalesce(lead.dispatches, 0)",
    "against_catalogue": "coalesce(lead.against, 0)",
    "returns": "coalesce(returned.times, 0)",
    "sent_back": "coalesce(sent.times, 0)",
    "pauses": "coalesce(pause.times, 0)",
    "extensions": "coalesce(extension.times, 0)",
    "attempts": "coalesce(word.attempts, 0)",
    "reached": "coalesce(word.reached, false)",
    "solved": "word.solved",
    "satisfaction": "coalesce(word.satisfaction, '')",
}
COLUMNS: Final = tuple(EXPRESSIONS)

# A clock of the case itself: the last of its kind in the round – but the first callback, for an episode is counted in
# the period in which its callback first fell due, whatever a contest does to it later. A round that a campaign did not draw
# owes no callback: the clock of one who was called because they said "unsolved" is left out, or only they would count.
_CASE_CLOCK = """
  SELECT DISTINCT ON (k.case_id, k.round) k.case_id, k.round, k.due_at, k.met_at, k.stopped_at
  FROM cases_clock k JOIN wanted w ON w.id = k.case_id
  WHERE k.kind = '{kind}' AND k.assignment_id IS NULL{where}
  ORDER BY k.case_id, k.round, {order}
"""
_LAST = "k.started_at DESC, k.id DESC"
_DRAWN = """ AND NOT EXISTS (
    SELECT 1 FROM quality_campaigndraw d WHERE d.case_id = k.case_id AND d.round = k.round AND NOT d.drawn)"""
_FIRST = "coalesce(k.stopped_at < k.due_at, false), k.started_at, k.id"

_WITH = f"""
WITH wanted AS MATERIALIZED (SELECT unnest(%(cases)s::uuid[]) AS id),
begun AS MATERIALIZED (
  SELECT k.case_id, k.round, min(k.started_at) AS at
  FROM cases_clock k JOIN wanted w ON w.id = k.case_id
  WHERE k.kind IN ('first_contact', 'resolve') AND k.assignment_id IS NULL GROUP BY k.case_id, k.round
),
part AS MATERIALIZED (
  SELECT a.id, a.case_id, a.unit_id, a.assigned_at, a.role, a.against_catalogue, signing.round IS NOT NULL AS dispatched,
    coalesce(signing.round, (SELECT max(b.round) FROM begun b WHERE b.case_id = a.case_id AND b.at <= a.assigned_at), 1)
      AS round
  FROM cases_assignment a JOIN wanted w ON w.id = a.case_id
  LEFT JOIN (SELECT k.assignment_id, min(k.round) AS round FROM cases_clock k JOIN wanted w ON w.id = k.case_id
             WHERE k.kind = 'sign_for' GROUP BY k.assignment_id) signing ON signing.assignment_id = a.id
),
lead AS (
  SELECT case_id, round, count(*) FILTER (WHERE dispatched) AS dispatches,
    count(*) FILTER (WHERE dispatched AND against_catalogue) AS against,
    (array_agg(unit_id ORDER BY assigned_at DESC, id DESC))[1] AS unit_id,
    (array_agg(id ORDER BY assigned_at DESC, id DESC) FILTER (WHERE dispatched))[1] AS assignment_id
  FROM part WHERE role = 'lead' GROUP BY case_id, round
),
sign AS (
  SELECT DISTINCT ON (l.case_id, l.round) l.case_id, l.round, k.due_at, coalesce(k.met_at, k.stopped_at) AS ended_at
  FROM lead l JOIN cases_clock k ON k.assignment_id = l.assignment_id AND k.kind = 'sign_for'
  ORDER BY l.case_id, l.round, coalesce(k.met_at, k.stopped_at) IS NULL DESC,
    coalesce(k.met_at, k.stopped_at) - k.due_at DESC, k.id DESC
),
contact AS ({_CASE_CLOCK.format(kind="first_contact", order=_LAST, where="")}),
resolve AS ({_CASE_CLOCK.format(kind="resolve", order=_LAST, where="")}),
callback AS ({_CASE_CLOCK.format(kind="callback", order=_FIRST, where=_DRAWN)}),
ruling AS (
  SELECT k.case_id, k.round, count(*) AS ended,
    count(*) FILTER (WHERE coalesce(k.met_at, k.stopped_at) > k.due_at) AS late
  FROM cases_clock k JOIN wanted w ON w.id = k.case_id
  WHERE k.kind = 'ruling' AND coalesce(k.met_at, k.stopped_at) IS NOT NULL
  GROUP BY k.case_id, k.round
),
returned AS (
  SELECT p.case_id, p.round, count(*) AS times
  FROM cases_return t JOIN part p ON p.id = t.assignment_id GROUP BY p.case_id, p.round
),
sent AS (
  SELECT y.case_id, y.round, count(*) AS times
  FROM cases_reply y JOIN wanted w ON w.id = y.case_id
  JOIN quality_review v ON v.reply_id = y.id AND v.verdict = 'sent_back'
  GROUP BY y.case_id, y.round
),
pause AS (
  SELECT k.case_id, k.round, count(*) AS times
  FROM cases_suspension s JOIN wanted w ON w.id = s.case_id JOIN cases_clock k ON k.id = s.clock_id
  GROUP BY k.case_id, k.round
),
extension AS (
  SELECT k.case_id, k.round, count(*) AS times
  FROM cases_extension e JOIN wanted w ON w.id = e.case_id JOIN cases_clock k ON k.id = e.clock_id
  WHERE e.decision = 'granted' GROUP BY k.case_id, k.round
),
ended AS (
  SELECT DISTINCT ON (case_id, round) case_id, round, at, state
  FROM (SELECT e.case_id, e.id, (e.changes -> 'case' ->> 'closed_at')::timestamptz AS at, e.to_state AS state,
          coalesce(max((e.changes -> 'case' ->> 'round')::int) OVER (PARTITION BY e.case_id ORDER BY e.id), 1) AS round
        FROM cases_event e JOIN wanted w ON w.id = e.case_id) told
  WHERE at IS NOT NULL ORDER BY case_id, round, id
),
said AS (
  SELECT t.case_id, t.round, t.event_id, true AS try, t.outcome = 'reached' AS reached, t.solved, t.satisfaction
  FROM quality_callbackattempt t JOIN wanted w ON w.id = t.case_id
  UNION ALL
  SELECT g.case_id, g.round, g.event_id, false, true, g.solved, g.satisfaction
  FROM quality_rating g JOIN wanted w ON w.id = g.case_id
  UNION ALL
  SELECT n.case_id, n.round, n.event_id, false, true, false, ''
  FROM quality_contest n JOIN wanted w ON w.id = n.case_id
),
word AS (
  SELECT case_id, round, count(*) FILTER (WHERE try) AS attempts, bool_or(reached) AS reached,
    (array_agg(solved ORDER BY event_id DESC) FILTER (WHERE solved IS NOT NULL))[1] AS solved,
    (array_agg(satisfaction ORDER BY event_id DESC) FILTER (WHERE satisfaction <> ''))[1] AS satisfaction
  FROM said GROUP BY case_id, round
)
"""

_JOINED = ("lead", "sign", "contact", "resolve", "callback", "ruling", "returned", "sent", "pause", "extension",
           "ended", "word")

SELECT: Final = (
    _WITH
    + "SELECT " + ",\n  ".join(f"{made} AS {name}" for name, made in EXPRESSIONS.items())
    + "\nFROM wanted w JOIN cases_case c ON c.id = w.id"
    + "\nCROSS JOIN LATERAL generate_series(1, c.round) AS r(round)"
    + "\nLEFT JOIN places_area area ON area.id = c.area_id"
    + "\nLEFT JOIN cases_case master ON master.id = c.master_id\n"
    + "\n".join(f"LEFT JOIN {name} ON {name}.case_id = c.id AND {name}.round = r.round" for name in _JOINED)
)

UPSERT: Final = (
    f"INSERT INTO analysis_episode AS held ({', '.join(COLUMNS)}, revision)\n"
    f"SELECT made.*, %(revision)s FROM ({SELECT}) made\n"
    "ON CONFLICT (case_id, round) DO UPDATE SET\n  "
    + ", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[2:], "revision"))
    + "\nWHERE (" + ", ".join(f"held.{name}" for name in COLUMNS[2:]) + ") IS DISTINCT FROM ("
    + ", ".join(f"excluded.{name}" for name in COLUMNS[2:]) + ")"
)

# Cases whose events may not have been read yet, and the duplicates of those, whose unit is their master's.
CHANGED: Final = """
WITH changed AS (SELECT DISTINCT case_id AS id FROM cases_event WHERE id >= %(read_to)s)
SELECT id FROM changed
UNION
SELECT d.id FROM cases_case d JOIN changed ON changed.id = d.master_id
"""

# How far the log can be taken as read: no transaction that is still open may hold an older event.
OLDEST_OPEN: Final = """
SELECT least(now(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""
