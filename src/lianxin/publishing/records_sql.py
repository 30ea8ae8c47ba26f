"""The SQL that the records are made from. Named here, run by `records`."""

from __future__ import annotations

from typing import Final

from .models import Precision
from .rules import LEVELS, Level

# What the rules judge of some cases, as the tables say now. `answered` and `due` are those of the answer itself, as the tracking
# page promises it; `solved` is the reporter's last word. The words are there only when they were cleared and still are.
MATTERS: Final = """
SELECT c.id, c.number, c.state, c.kind, c.confidential, c.category_id, c.area_id, c.lead_unit_id AS unit_id, c.lon, c.lat,
  c.registered_at, c.closed_at, promise.due_at, promise.met_at, word.solved,
  c.publication = 'public' AND v.cleared_at IS NOT NULL AS cleared,
  v.title, v.body, v.area_id AS cleared_area_id, CASE WHEN c.answer_publication = 'public' THEN v.answer END AS answer
FROM unnest(%(cases)s::uuid[]) AS wanted(id)
JOIN cases_case c ON c.id = wanted.id
LEFT JOIN LATERAL (
  SELECT k.due_at, k.met_at FROM cases_clock k
  WHERE k.case_id = c.id AND k.kind IN ('resolve', 'handover') AND k.assignment_id IS NULL
  ORDER BY k.started_at DESC, k.id DESC LIMIT 1) promise ON true
LEFT JOIN LATERAL (
  SELECT said.solved FROM (
    SELECT t.event_id, t.solved FROM quality_callbackattempt t WHERE t.case_id = c.id AND t.solved IS NOT NULL
    UNION ALL SELECT g.event_id, g.solved FROM quality_rating g WHERE g.case_id = c.id
    UNION ALL SELECT n.event_id, false FROM quality_contest n WHERE n.case_id = c.id) said
  ORDER BY said.event_id DESC LIMIT 1) word ON true
LEFT JOIN cases_publicversion v ON v.case_id = c.id
"""

# Enough of some cases to see which of them wait: whether words are cleared, and whether there is a record.
BRIEFLY: Final = """
SELECT c.id, c.state, c.kind, c.confidential, c.category_id, c.area_id, c.registered_at, c.publication = 'public', r.case_id IS NOT NULL
FROM unnest(%(cases)s::uuid[]) AS wanted(id)
JOIN cases_case c ON c.id = wanted.id
LEFT JOIN publishing_record r ON r.case_id = c.id
"""

# Cases that wait, by columns. What waits for something else than before is of no crowd any more.
WAIT: Final = """
INSERT INTO publishing_waiting AS held (case_id, day, village, town, county, leaf, middle, top)
SELECT * FROM unnest(%s::uuid[], %s::date[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (case_id) DO UPDATE SET day = excluded.day, village = excluded.village, town = excluded.town, county = excluded.county,
  leaf = excluded.leaf, middle = excluded.middle, top = excluded.top, level = NULL, crowd = NULL
WHERE (held.day, held.village, held.town, held.county, held.leaf, held.middle, held.top)
  IS DISTINCT FROM (excluded.day, excluded.village, excluded.town, excluded.county, excluded.leaf, excluded.middle, excluded.top)
"""

CHANGED: Final = "SELECT DISTINCT case_id FROM cases_event WHERE id >= %(read_to)s ORDER BY case_id"

# Cases of categories that the city has come to only count: their records go.
ONLY_COUNTED: Final = """
SELECT c.id FROM cases_category k JOIN cases_case c ON c.category_id = k.id
WHERE k.publicity = 'count'
  AND (EXISTS (SELECT FROM publishing_record r WHERE r.case_id = c.id) OR EXISTS (SELECT FROM publishing_waiting w WHERE w.case_id = c.id))
"""


def crowd(level: Level) -> str:
    """Marks those waiting who found a crowd at one level; parameters: bound (a day), k, level (its number)."""
    keys = [f"date_trunc('{level.dated}', day)"]
    if level.place != Precision.CITY:
        keys.append(str(level.place))
    if level.category:
        keys.append(level.category)
    alike = " AND ".join(
        (f"date_trunc('{level.dated}', w.day) = crowd.key0", *(f"w.{key} = crowd.key{i}" for i, key in enumerate(keys[1:], 1))))
    named = ", ".join(f"{key} AS key{i}" for i, key in enumerate(keys))
    here = "" if level.place == Precision.CITY else f" AND {level.place} IS NOT NULL"
    return (
        "UPDATE publishing_waiting w SET level = %(level)s, crowd = crowd.n FROM (\n"
        "  SELECT (SELECT coalesce(max(crowd), 0) FROM publishing_waiting) + row_number() OVER () AS n,\n"
        f"    {named} FROM publishing_waiting WHERE level IS NULL AND day < %(bound)s{here}\n"
        f"  GROUP BY {', '.join(keys)} HAVING count(*) >= %(k)s) crowd\n"
        f"WHERE w.level IS NULL AND w.day < %(bound)s AND {alike}")


CROWDS: Final = tuple(crowd(level) for level in LEVELS)
