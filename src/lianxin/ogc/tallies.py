"""Keeps what tiles are drawn from in step with the public record: what changed there is taken out of the counts as it was and put in
as it is. A run costs what changed, not what there is; records that are gone are looked for only when the numbers differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from lianxin.cases.models import Category
from lianxin.kernel.clock import now
from lianxin.publishing.models import Stage, Standing

from .models import TileStanding
from .tiling import AREA_FROM, BINS, DEEPEST, EXACT, EXTENT, GX_SQL, GY_SQL, SHALLOWEST

STAGES: Final = tuple(Stage.values)
_COLUMNS = "case_id, number, x, y, spot, county_id, area_id, category_id, precision, stage, solved, dated, opened_at"
_LAID_OUT: Final = f"""
  SELECT case_id, number, gx / {EXTENT}, gy / {EXTENT}, gy %% {EXTENT} * {EXTENT} + gx %% {EXTENT}, county_id, area_id, category_id,
    precision, stage, solved, dated, opened_at
  FROM (SELECT *, {GX_SQL.format(lon="lon")} AS gx, {GY_SQL.format(lat="lat")} AS gy
        FROM publishing_record r WHERE lon IS NOT NULL {{where}}) placed
"""
_CHANGED: Final = "SELECT case_id FROM publishing_record WHERE revision > %(since)s AND revision <= %(until)s"
_GONE: Final = """
SELECT d.case_id FROM ogc_drawnrecord d LEFT JOIN publishing_record r ON r.case_id = d.case_id AND r.lon IS NOT NULL
WHERE r.case_id IS NULL
"""
_NUMBERS: Final = "SELECT (SELECT count(*) FROM publishing_record WHERE lon IS NOT NULL) <> (SELECT count(*) FROM ogc_drawnrecord)"
# What a record counts for: `sign` is -1 as it was and 1 as it is; the codes of its first- and second-level category.
_MOVED: Final = f"""
INSERT INTO moved SELECT %(sign)s, d.x * {EXTENT} + d.spot %% {EXTENT}, d.y * {EXTENT} + d.spot / {EXTENT}, coalesce(d.county_id, 0),
  coalesce(d.area_id, 0), coalesce(c.first, ''), coalesce(c.second, ''), d.precision, d.stage, d.solved
FROM ogc_drawnrecord d LEFT JOIN coded c ON c.id = d.category_id
"""


def _counted(zoom: int, depth: int) -> str:
    """The statement that adds what `moved` says to the tallies of one zoom."""
    shift = DEEPEST - zoom
    across, down = f"(gx >> {shift})", f"(gy >> {shift})"
    within_x, within_y = f"({across} & {EXTENT - 1})", f"({down} & {EXTENT - 1})"
    size = EXTENT // BINS
    spot = f"{within_y} * {EXTENT} + {within_x}" if zoom >= EXACT else f"{within_y} / {size} * {BINS} + {within_x} / {size}"
    sums = [*(f"sum(sign) FILTER (WHERE stage = '{stage}')" for stage in STAGES), "sum(sign) FILTER (WHERE stage = 'closed' AND solved)",
            f"sum(sign * {within_x})", f"sum(sign * {within_y})"]
    columns = (*STAGES, "solved", "sum_x", "sum_y")
    return (
        f"INSERT INTO ogc_tiletally AS held (zoom, x, y, depth, spot, category, county_id, area_id, precision, {', '.join(columns)})\n"
        f"SELECT {zoom}, {across} / {EXTENT}, {down} / {EXTENT}, {depth}, {spot}, {'first' if depth == 1 else 'second'} AS category, "
        f"county_id, {'area_id' if zoom >= AREA_FROM else '0'} AS area, {'precision' if zoom >= EXACT else chr(39) * 2} AS known, "
        + ", ".join(f"coalesce({one}, 0)" for one in sums)
        + f"\nFROM moved {'' if depth == 1 else chr(10) + 'WHERE second <> ' + chr(39) * 2} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
        "\nON CONFLICT (zoom, x, y, depth, spot, category, county_id, area_id, precision) DO UPDATE SET "
        + ", ".join(f"{name} = held.{name} + excluded.{name}" for name in columns))


# Below the zooms of single positions by both levels of categories; those positions once, at the deepest zoom, by the first level.
ZOOMS: Final = (*((zoom, depth) for zoom in range(SHALLOWEST, EXACT) for depth in (1, 2)), (DEEPEST, 1))
_EMPTY: Final = f"DELETE FROM ogc_tiletally WHERE {' AND '.join(f'{stage} = 0' for stage in STAGES)}"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one run did: records drawn anew and records taken away; `version` counts the runs that changed anything."""

    drawn: int
    gone: int
    version: int
    at: datetime


def refresh(*, whole: bool = False) -> Refreshed:
    """Follow the public record to where it stands now; with `whole` count everything again. Run twice it changes nothing; two runs at
    once wait for each other."""
    with transaction.atomic():
        TileStanding.objects.get_or_create(pk=1)
        held = TileStanding.objects.select_for_update().get(pk=1)
        until = Standing.objects.filter(pk=1).values_list("revision", flat=True).first() or 0
        with connection.cursor() as cursor:
            if whole:
                cursor.execute("SET LOCAL statement_timeout = 0")
            _tables(cursor)
            drawn, gone = _everything(cursor) if whole else _changes(cursor, held.revision, until)
            if drawn or gone or whole:
                for zoom, depth in ZOOMS:
                    cursor.execute(_counted(zoom, depth))
                cursor.execute(_EMPTY)
            cursor.execute("DROP TABLE moved, coded")
        if drawn or gone or whole:
            held.version += 1
        held.revision, held.at = until, now()
        held.save()
    if drawn + gone > 10_000:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE ogc_drawnrecord, ogc_tiletally")
    return Refreshed(drawn, gone, held.version, held.at)


def _tables(cursor: CursorWrapper) -> None:
    cursor.execute("CREATE TEMPORARY TABLE moved (sign int, gx int, gy int, county_id bigint, area_id bigint, first text, second text, "
                   "precision text, stage text, solved boolean) ON COMMIT DROP")
    cursor.execute("CREATE TEMPORARY TABLE coded (id bigint PRIMARY KEY, first text, second text) ON COMMIT DROP")
    codes = _codes()
    cursor.execute("INSERT INTO coded SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])",
                   [[*codes], [first for first, _second in codes.values()], [second for _first, second in codes.values()]])


def _codes() -> dict[int, tuple[str, str]]:
    """Category → the codes of its first- and second-level category; the second is empty for a first-level one."""
    found = {pk: (code, parent) for pk, code, parent in Category.objects.values_list("id", "code", "parent_id")}
    made: dict[int, tuple[str, str]] = {}
    for pk in found:
        line: list[str] = []
        at: int | None = pk
        while at is not None:
            code, at = found[at]
            line.append(code)
        made[pk] = (line[-1], line[-2] if len(line) > 1 else "")
    return made


def _everything(cursor: CursorWrapper) -> tuple[int, int]:
    cursor.execute("DELETE FROM ogc_tiletally")
    cursor.execute("DELETE FROM ogc_drawnrecord")
    gone = cursor.rowcount
    cursor.execute(f"INSERT INTO ogc_drawnrecord ({_COLUMNS})" + _LAID_OUT.format(where=""), {})
    drawn = cursor.rowcount
    cursor.execute(_MOVED, {"sign": 1})
    return drawn, max(gone - drawn, 0)


def _changes(cursor: CursorWrapper, since: int, until: int) -> tuple[int, int]:
    drawn, gone = _replaced(cursor, _CHANGED, {"since": since, "until": until}), 0
    cursor.execute(_NUMBERS)
    if cursor.fetchone() == (True,):
        gone = _replaced(cursor, _GONE, {})
    return drawn, gone


def _replaced(cursor: CursorWrapper, cases: str, values: dict[str, int]) -> int:
    """Take some records out as they were drawn and put them in as they are now; returns how many."""
    cursor.execute(f"CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS {cases}", values)
    count = cursor.rowcount
    if count:
        some = "WHERE d.case_id IN (SELECT case_id FROM chosen)"
        cursor.execute(_MOVED + some, {"sign": -1})
        cursor.execute(f"DELETE FROM ogc_drawnrecord d {some}")
        cursor.execute(f"INSERT INTO ogc_drawnrecord ({_COLUMNS})"
                       + _LAID_OUT.format(where="AND r.case_id IN (SELECT case_id FROM chosen)"), {})
        cursor.execute(_MOVED + some, {"sign": 1})
    cursor.execute("DROP TABLE chosen")
    return int(count)


def version() -> int:
    """How often the tiles have changed so far."""
    return TileStanding.objects.filter(pk=1).values_list("version", flat=True).first() or 0
