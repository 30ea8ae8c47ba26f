"""What one request costs at the ten most used addresses: statements, and CPU of the web process."""

from __future__ import annotations

import json
import random
import statistics
import uuid
from collections.abc import Callable

from django.db import connection

from lianxin.kernel.ids import uuid7

from .city import BenchCity
from .create import said
from .parts import Run
from .results import Row
from .sampling import Answer, repeat, signed_in
from .words import Writer

# The best-known peer, measured on such a machine.
PEER = {"API: create a case": "the best-known peer: 43 queries, 84 ms CPU",
        "API: list of cases": "the best-known peer's default list: 717 queries, 900 ms"}


def _calls(city: BenchCity) -> dict[str, Callable[[], Answer]]:
    dispatcher, clerk, operator = (signed_in(city.staff[name]) for name in ("dispatcher", "clerk", "operator"))
    writer = Writer(random.Random(45))
    bearer = {"authorization": f"Bearer {city.token}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM cases_case WHERE state = 'closed' ORDER BY id DESC LIMIT 100")
        cases = [str(row[0]) for row in cursor.fetchall()]

    def call() -> Answer:
        _title, words, place = writer.message()
        return operator.post("/desk/call/", {
            "words": words, "category": city.category_codes[3], "area": "990002", "place_text": place, "phone": "13812345678",
            "name": "王小明", "submission": str(uuid7()), "do": "register"})

    def create() -> Answer:
        return operator.post("/api/v1/cases", json.dumps(said(city, writer)), content_type="application/json",
                             headers={"idempotency-key": uuid.uuid4().hex, **bearer})

    def suggest() -> Answer:
        return operator.post("/desk/call/suggest/", {"words": writer.message()[1], "area": "990002"})

    def one(path: str) -> Callable[[], Answer]:
        return lambda: dispatcher.get(path.format(writer.chance.choice(cases)))

    return {
        "dispatcher's queue": one("/desk/board/queue/"),
        "live line of an open list": one(f"/desk/board/queue/live/?since={uuid7()}"),
        "clerk's list": lambda: clerk.get("/desk/board/mine/"),
        "one case": one("/desk/cases/{}/"),
        "one case beside a list": one("/desk/cases/{}/pane/"),
        "search": one("/desk/board/all/?q=路灯"),
        "suggestions while typing": suggest,
        "register a call": call,
        "API: create a case": create,
        "API: list of cases": lambda: operator.get("/api/v1/cases", headers=bearer),
    }


def measure(city: BenchCity, *, times: int, warm: int = 3) -> list[Row]:
    found = []
    for what, call in _calls(city).items():
        sample = repeat(call, times=times, warm=warm)
        found.append(Row(
            "queries", what, f"{sample.statements} queries · {statistics.median(sample.cpu):.1f} ms CPU · "
            f"{sample.p50():.1f} ms in all, {statistics.median(sample.database):.1f} in PostgreSQL", PEER.get(what, "")))
    return found


def bench(run: Run) -> list[Row]:
    run.grow(run.sizes[0])
    run.tell("ten endpoints: queries and CPU")
    return measure(run.city, times=3, warm=1) if run.quick else measure(run.city, times=40)
