"""Lists, filters, one case, search, counts: the same pages at each size of the database."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

from django.db import connection
from django.test import Client

from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7_floor

from .city import BenchCity
from .parts import Run
from .results import Row
from .sampling import Answer, Sample, repeat, signed_in
from .words import RARE, SHOPS, WHAT, Writer

WITHIN, SEARCH_BAR = 2.0, 50.0
FULL = "all cases, newest first"
PEER_LIST, PEER_QUERIES, PEER_BAR = 900.0, 717, 30  # the best-known peer's default list at 10,000 cases, milliseconds


@dataclass(frozen=True, slots=True)
class Probe:
    """One page, looked at by one person. `path` may differ from call to call; `form` is what is posted to it."""

    what: str
    who: str
    path: Callable[[random.Random], str]
    search: bool = False
    form: Callable[[random.Random], dict[str, str]] | None = None


@dataclass(slots=True)
class Reading:
    """Every probe at one size."""

    size: int
    samples: dict[str, Sample] = field(default_factory=dict)


def _board(code: str, **query: str) -> Callable[[random.Random], str]:
    return lambda _chance: f"/desk/board/{code}/?{urlencode(query)}"


def _search(words: Callable[[random.Random], str], **more: str) -> Callable[[random.Random], str]:
    return lambda chance: f"/desk/board/all/?{urlencode({'q': words(chance), **more})}"


def _common(chance: random.Random) -> str:
    """Two characters that about every seventh case has."""
    what = chance.choice(WHAT)
    start = chance.randrange(3)
    return what[start:start + 2]


def _seldom(chance: random.Random) -> str:
    """Two characters that one case in fifty to one in a thousand has."""
    return chance.choice(SHOPS[1:])


def _rare(chance: random.Random) -> str:
    """Two characters that one case in twenty thousand has."""
    return chance.choice(RARE) + chance.choice(RARE)


def _several(chance: random.Random) -> str:
    return f"{_common(chance)} {_seldom(chance)}"


def _being_said(chance: random.Random, *, placed: bool) -> dict[str, str]:
    """What an operator has typed of a message so far, with or without a position on the map."""
    _title, words, place = Writer(chance).message()
    position = {"lon": f"{112.4 + 1.2 * chance.random():.6f}", "lat": f"{28.4 + 0.3 * chance.random():.6f}"} if placed else {}
    return {"words": words[:chance.randrange(20, 80)], "place_text": place} | position


def _some_cases(limit: int = 300) -> list[str]:
    """Cases from all over the table that a unit has worked on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_case WHERE lead_unit_id IS NOT NULL ORDER BY tracking_digest LIMIT %s", [limit])
        return [str(row[0]) for row in cursor.fetchall()]


def probes(city: BenchCity) -> list[Probe]:
    cases = _some_cases()
    leaf, unit, county = city.category_codes[7], "u3", "990004"
    since = uuid7_floor(now() - timedelta(minutes=3))
    return [
        Probe("dispatcher's queue", "dispatcher", _board("queue")),
        Probe("dispatcher's queue, urgent ones", "dispatcher", _board("queue", urgency="urgent")),
        Probe("dispatcher's queue, overdue ones", "dispatcher", _board("queue", due="overdue")),
        Probe("clerk's list", "clerk", _board("mine")),
        Probe("reviewer's list", "reviewer", _board("review")),
        Probe("caller's list", "callback", _board("callback")),
        Probe("one case", "dispatcher", lambda chance: f"/desk/cases/{chance.choice(cases)}/"),
        Probe("one case beside a list", "dispatcher", lambda chance: f"/desk/cases/{chance.choice(cases)}/pane/"),
        Probe(FULL, "supervisor", _board("all")),
        Probe("all cases of a unit, its clerk", "clerk", _board("all")),
        Probe("county view, its supervisor", "county", _board("all")),
        Probe("county view, its government's clerk", "county_clerk", _board("all")),
        Probe("filter: category", "supervisor", _board("all", category=leaf)),
        Probe("filter: branch of categories", "supervisor", _board("all", category="0101")),
        Probe("filter: unit", "supervisor", _board("all", unit=unit)),
        Probe("filter: county and category", "supervisor", _board("all", county=county, category=leaf)),
        Probe("filter: overdue", "supervisor", _board("all", due="overdue")),
        Probe("filter: overdue, unit", "supervisor", _board("all", due="overdue", unit=unit)),
        Probe("filter: state", "supervisor", _board("all", state="objected")),
        Probe("filter: closed and returned, unit's clerk", "clerk", _board("all", state="closed", returned="1")),
        Probe("filter: channel nobody used", "supervisor", _board("all", channel="sensor")),
        Probe("filter: urgent, reopened, returned", "supervisor", _board("all", urgency="urgent", reopened="1", returned="1")),
        Probe("live line of the queue", "dispatcher", lambda _chance: f"/desk/board/queue/live/?since={since}"),
        Probe("overview", "supervisor", lambda _chance: "/desk/overview/"),
        Probe("overview of a county", "county", lambda _chance: "/desk/overview/"),
        Probe("overview of a unit, its head", "head", lambda _chance: "/desk/overview/"),
        Probe("overview, the leading group", "leader", lambda _chance: "/desk/overview/"),
        Probe("returns", "supervisor", lambda _chance: "/desk/returns/"),
        Probe("orders", "supervisor", lambda _chance: "/desk/supervision/"),
        Probe("notices of a unit", "head", lambda _chance: "/desk/notices/"),
        Probe("search: common word", "dispatcher", _search(_common), search=True),
        Probe("search: less common word", "dispatcher", _search(_seldom), search=True),
        Probe("search: rare word", "dispatcher", _search(_rare), search=True),
        Probe("search: word nobody used", "dispatcher", _search(lambda _chance: "龘龘"), search=True),
        Probe("search: two words", "dispatcher", _search(_several), search=True),
        Probe("search: common word, one county", "county", _search(_common), search=True),
        Probe("search: less common word, one unit", "clerk", _search(_seldom), search=True),
        Probe("search: common word, one category", "supervisor", _search(_common, category=leaf), search=True),
        Probe("same matter while typing", "operator", lambda _chance: "/desk/call/suggest/", search=True,
              form=lambda chance: _being_said(chance, placed=False)),
        Probe("same matter while typing, placed", "operator", lambda _chance: "/desk/call/suggest/", search=True,
              form=lambda chance: _being_said(chance, placed=True)),
        Probe("same matter in the queue", "dispatcher", lambda _chance: "/desk/alike/"),
        Probe("search in the queue", "dispatcher", lambda chance: "/desk/board/queue/?" + urlencode({"q": _common(chance)}),
              search=True),
        Probe("search in the clerk's list", "clerk", lambda chance: "/desk/board/mine/?" + urlencode({"q": _common(chance)}),
              search=True),
    ]


def _asked(client: Client, probe: Probe, chance: random.Random) -> Answer:
    path = probe.path(chance)
    return client.post(path, probe.form(chance)) if probe.form else client.get(path)


def measure(city: BenchCity, size: int, *, times: int, warm: int = 2) -> Reading:
    """Each page `times` times; the same chance at each size."""
    reading = Reading(size)
    clients: dict[str, Client] = {}
    for probe in probes(city):
        client = clients.setdefault(probe.who, signed_in(city.staff[probe.who]))
        chance = random.Random(probe.what)
        reading.samples[probe.what] = repeat(
            lambda client=client, probe=probe, chance=chance: _asked(client, probe, chance),  # type: ignore[misc]
            times=times, warm=warm)
    return reading


def _told(sample: Sample) -> str:
    return f"p50 {sample.p50():.1f} · p95 {sample.p95():.1f} ms, {sample.database_p95():.1f} in PostgreSQL"


def rows(readings: list[Reading]) -> list[Row]:
    """A page a line, at the largest size against the smallest; the sizes between for the eye."""
    first, last = readings[0], readings[-1]
    found = []
    for what, small in first.samples.items():
        large = last.samples[what]
        # A list that is short at the smallest size is compared with a full page there: rows cost time to show.
        short = small.rows < large.rows - 5
        base = max(small.p95(), first.samples[FULL].p95()) if short else small.p95()
        ratio = large.p95() / base
        between = "".join(f"; {reading.size:,}: p95 {reading.samples[what].p95():.1f}" for reading in readings[1:-1])
        search = what.startswith(("search", "same matter while typing"))
        bar: str = f"≤ {WITHIN:.0f} ×"
        met: bool | None = ratio <= WITHIN if len(readings) > 1 else None
        if what.startswith("overview"):  # no list: it counts everything that is open, and of that there is more
            bar, met = "", None
        if search:
            bar, met = f"≤ {SEARCH_BAR:.0f} ms in PostgreSQL", large.database_p95() <= SEARCH_BAR
        found.append(Row(
            "search" if search else "lists", f"{what}, {last.size:,}", _told(large),
            f"{first.size:,}: {_told(small)}{between}" + (f"; {small.rows} rows, so a full page: {base:.1f}" if short else ""),
            f"{ratio:.2f} ×", bar, met,
        ))
    queue = first.samples[FULL]
    times = PEER_LIST / queue.p50()
    found.append(Row(
        "lists", f"default list at {first.size:,}, the best-known peer", f"{queue.p50():.1f} ms, {queue.statements} queries",
        f"{PEER_LIST:.0f} ms, {PEER_QUERIES} queries at 10,000 cases", f"{times:.0f} ×", f"≥ {PEER_BAR} ×", times >= PEER_BAR,
    ))
    return found


def bench(run: Run) -> list[Row]:
    readings = []
    times, warm = (1, 0) if run.quick else (60, 2)
    for size in run.sizes:
        run.grow(size)
        run.tell(f"lists, cases and search at {size:,}")
        readings.append(measure(run.city, size, times=times, warm=warm))
    return rows(readings)
