"""Open311: lists of a thousand among all public requests, and posts beside `POST /api/v1/cases` in the same run."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from django.db import connection
from django.test import Client

from lianxin.kernel.clock import now
from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh

from .create import MESSAGES, Runs, load, said, served
from .parts import Run
from .results import Row, percentile
from .words import Writer

PART: Final = "open311"
CLIENTS: Final = 8
LIST_BAR: Final = 250.0  # milliseconds for a thousand requests
POST_BAR: Final = 0.7  # of the rate of the API's own registration
TIMES: Final = 30
SPAN: Final = timedelta(days=90)
# As the API's fields are called here.
NAMES: Final = {"words": "description", "category": "service_code", "lon": "long", "lat": "lat", "place_text": "address_string",
                "name": "last_name", "phone": "phone"}


def _asked() -> dict[str, Callable[[random.Random], dict[str, object]]]:
    """What is asked for, by what the table calls it. Records older than ninety days are reached by dates."""
    codes = list(Record.objects.exclude(category=None).values_list("category__code", flat=True).distinct())
    today = now().replace(microsecond=0)
    recent = Record.objects.filter(opened_at__gte=today - SPAN).count()
    old = {"start_date": (today - 3 * SPAN).isoformat(), "end_date": (today - 2 * SPAN).isoformat()}
    return {
        "the newest 1,000": lambda _chance: {},
        "of one service": lambda chance: {"service_code": chance.choice(codes), "status": "open,closed"},
        "closed ones of a span": lambda _chance: old | {"status": "closed"},
        "the last page of 1,000": lambda _chance: {"page": max(recent // 1_000, 1)},
        "what changed since yesterday": lambda _chance: {"updated_after": (today - timedelta(days=1)).isoformat()},
    }


def _lists(run: Run) -> list[Row]:
    client, chance, rows = Client(SERVER_NAME="localhost"), random.Random(311), []
    count = Record.objects.count()
    for what, asked in _asked().items():
        times, answered = [], 0
        for turn in range(2 if run.quick else TIMES):
            path = f"/open311/v2/requests.json?{urlencode(asked(chance))}"
            began = time.perf_counter()
            answer = client.get(path)
            if turn:  # the first reads the city
                times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
            answered = max(answered, len(json.loads(answer.content)))
        tail = percentile(times, 0.95)
        rows.append(Row(PART, f"list: {what}", f"{answered:,} of {count:,}: p50 {percentile(times, 0.5):.0f} · p95 {tail:.0f} ms",
                        bar=f"≤ {LIST_BAR:.0f} ms", met=tail <= LIST_BAR))
    return rows


def _posts(run: Run) -> list[Row]:
    messages = [said(run.city, Writer(random.Random(number))) for number in range(MESSAGES)]
    bodies = {
        "api": [json.dumps(message, ensure_ascii=False).encode() for message in messages],
        "open311": [urlencode({NAMES[name]: value for name, value in message.items() if name in NAMES}).encode() for message in messages],
    }
    runs = {target: Runs() for target in bodies}
    with served(workers=run.workers) as port:
        for target in bodies:
            load(port, CLIENTS, min(run.seconds, 0.5), run.city, bodies[target], Runs(), target=target)
        for _round in range(1 if run.quick else 3):
            for target in bodies:
                load(port, CLIENTS, run.seconds, run.city, bodies[target], runs[target], target=target)
    ratio = runs["open311"].rate / runs["api"].rate
    return [Row(PART, f"post, {CLIENTS} clients over HTTP", runs["open311"].told(), f"POST /api/v1/cases: {runs['api'].told()}",
                f"{ratio:.0%}", f"≥ {POST_BAR:.0%}", ratio >= POST_BAR)]


def bench(run: Run) -> list[Row]:
    run.grow(run.sizes[-1])
    run.tell("Open311: lists of public requests, posts beside the API's own")
    if not Record.objects.exists():
        refresh(whole=True)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE publishing_record")
    return [*_lists(run), *_posts(run)]
