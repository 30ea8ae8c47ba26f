"""Vector tiles of many public cases: counted once, kept in step, and drawn at each zoom, cold and warm, narrowed and whole.

The records are made straight from the cases, each at its own place of some hundred metres: a city that shows everything as finely as it
may, which is the most that tiles can have to draw.
"""

from __future__ import annotations

import random
import time
from typing import Any, Final

from django.db import connection
from django.test import Client

from lianxin.cases.models import Category
from lianxin.ogc import tallies, tile_views
from lianxin.ogc.tiling import DEEPEST, EXACT, SHALLOWEST, place

from .parts import Run
from .results import Row, percentile

PART: Final = "tiles"
BAR, BYTES = 100.0, 100_000  # milliseconds, bytes on the line
CHANGED = 500
_RECORDS: Final = """
INSERT INTO publishing_record (case_id, number, case_number, category_id, kind, precision, area_id, county_id, lon, lat, stage, dated,
  opened_at, closed_at, solved, cleared, title, body, answer, changed_at, revision)
SELECT id, 'R-' || row_number() OVER (ORDER BY id), '', category_id, kind, 'cell', area_id, county_id, round(lon::numeric, 3)::float8,
  round(lat::numeric, 3)::float8, CASE state WHEN 'closed' THEN 'closed' WHEN 'declined' THEN 'declined' WHEN 'registered' THEN 'received'
    ELSE 'with_unit' END, 'day', date_trunc('day', registered_at), date_trunc('day', closed_at), state = 'closed', false, '', '', '',
  now(), 1
FROM cases_case WHERE lon IS NOT NULL AND state <> 'withdrawn'
"""


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in statements:
            cursor.execute(statement)


def _seconds(body: Any) -> float:
    began = time.perf_counter()
    body()
    return time.perf_counter() - began


def _some_positions(many: int) -> list[tuple[float, float]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lon, lat FROM publishing_record ORDER BY md5(number) LIMIT %s", [many])
        return list(cursor.fetchall())


def _drawn(client: Client, zoom: int, positions: list[tuple[float, float]], queries: list[str]) -> tuple[list[float], list[float], int]:
    """Milliseconds cold and warm of one tile per position, and the largest on the line."""
    cold: list[float] = []
    warm: list[float] = []
    largest = 0
    for number, (lon, lat) in enumerate(positions):
        x, y, _px, _py = place(lon, lat, zoom)
        path = f"/tiles/cases/{zoom}/{x}/{y}.mvt?{queries[number % len(queries)]}"
        tile_views.forget()
        for times in (cold, warm):
            began = time.perf_counter()
            answer = client.get(path, headers={"Accept-Encoding": "gzip"})
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code not in (200, 204):
                raise RuntimeError(f"{answer.status_code} for {path}")
        largest = max(largest, len(answer.content))
    return cold, warm, largest


def _row(what: str, cold: list[float], warm: list[float], largest: int, *, bar: bool) -> Row:
    slow = percentile(cold, 0.95)
    return Row(PART, what, f"cold p50 {percentile(cold, 0.5):.1f} · p95 {slow:.1f} ms; warm p95 {percentile(warm, 0.95):.1f} ms",
               f"largest {largest / 1000:.1f} kB", bar=f"p95 ≤ {BAR:.0f} ms, ≤ 100 kB",
               met=(slow <= BAR and largest <= BYTES) if bar else None)


def bench(run: Run) -> list[Row]:
    """On the most cases there are: the bar is for a million."""
    size = run.sizes[-1]
    run.grow(size)
    run.tell(f"tiles of {size:,} public cases")
    _run("TRUNCATE publishing_record CASCADE", _RECORDS, "INSERT INTO publishing_standing (id, revision) VALUES (1, 1) "
         "ON CONFLICT (id) DO UPDATE SET revision = 1", "VACUUM (ANALYZE) publishing_record")
    try:
        return _measured(size, times=2 if run.quick else 60, bar=size >= 1_000_000)
    finally:
        _run("TRUNCATE publishing_record, publishing_standing CASCADE", "TRUNCATE ogc_drawnrecord, ogc_tiletally, ogc_tilestanding")


def _measured(size: int, *, times: int, bar: bool) -> list[Row]:
    whole = _seconds(lambda: tallies.refresh(whole=True))
    _run("VACUUM (ANALYZE) ogc_drawnrecord", "VACUUM (ANALYZE) ogc_tiletally")
    client, positions = Client(SERVER_NAME="localhost"), _some_positions(times)
    client.get("/tiles/cases.json")  # the first request of a process reads all addresses of the site
    rows = [Row(PART, f"counted for the first time, {size:,} records", f"{whole:.1f} s")]
    for zoom in range(SHALLOWEST, DEEPEST + 1):
        if zoom % 2 == 0 or zoom >= EXACT:
            rows.append(_row(f"zoom {zoom}", *_drawn(client, zoom, positions, [""]), bar=bar))
    leaves = list(Category.objects.filter(is_leaf=True).order_by("code").values_list("code", flat=True)[:10])
    chance = random.Random(11)
    narrow = [f"category={chance.choice(leaves)}", f"category={leaves[0][:2]}&stage=open", f"category={leaves[0][:4]}", "stage=done"]
    for zoom in (8, 11, 13, 14):
        rows.append(_row(f"zoom {zoom}, by category and stage", *_drawn(client, zoom, positions, narrow), bar=bar))
    _run("UPDATE publishing_record SET stage = 'closed', revision = 2 "
         f"WHERE case_id IN (SELECT case_id FROM publishing_record LIMIT {CHANGED})",
         "UPDATE publishing_standing SET revision = 2")
    follow = _seconds(tallies.refresh)
    rows.append(Row(PART, f"{CHANGED} records changed: followed", f"{follow * 1000:.0f} ms", "each minute"))
    return rows
