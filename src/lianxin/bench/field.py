"""After an outage: a thousand telephones send twenty reports each at the same moment, and every one is looked for afterwards.

Some lines break when everything is sent, some telephones send the same twice at once: as telephones with a bad signal do. The
load comes from one process over a connection for each telephone; the web server runs as the demo's.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from lianxin.fieldwork.models import Device
from lianxin.kernel.clock import now
from lianxin.organisations.models import Role, RoleGrant, Staff, token_digest

from .city import SOUTH, STEP, WEST, BenchCity
from .create import served
from .parts import Run
from .results import Row, percentile
from .words import Writer

TELEPHONES, ITEMS = 1000, 20
QUICK_TELEPHONES, QUICK_ITEMS = 12, 5
FAULTS = ("lost", "twice")
FAULTY = 0.1  # of the telephones
LONGEST = 120.0  # seconds until the last of a thousand has its answer: sooner than somebody looks at the telephone again
WARM = 16


@dataclass(slots=True)
class Telephones:
    """What the telephones of the bench hold: secrets, and what each made during the outage."""

    secrets: list[str]
    items: list[list[dict[str, Any]]]

    def told(self, chance: random.Random, faulty: float) -> bytes:
        """What `lianxin.bench.outage` reads."""
        lines = []
        for secret, items in zip(self.secrets, self.items, strict=True):
            body = {"sent_at": now().isoformat(), "version": "bench", "waiting": len(items), "items": items}
            faults = {"0": chance.choice(FAULTS)} if chance.random() < faulty else {}
            lines.append(json.dumps({"secret": secret, "bodies": [json.dumps(body, ensure_ascii=False)], "faults": faults}))
        return "\n".join(lines).encode()

    @property
    def sent(self) -> dict[str, str]:
        """Words by the item's id."""
        return {one["id"]: one["body"]["words"] for items in self.items for one in items}


def enrol(city: BenchCity, count: int, chance: random.Random) -> list[str]:
    """Workers of twelve counties with a telephone each; returns the secrets."""
    mark = uuid.uuid4().hex[:6]
    unit_id = city.unit_ids[0]
    people = Staff.objects.bulk_create(
        Staff(username=f"grid-{mark}-{n}", name=f"网格员{n}", unit_id=unit_id) for n in range(count))
    RoleGrant.objects.bulk_create(
        RoleGrant(staff=person, role=Role.GRID_WORKER, unit_id=unit_id, area_id=chance.choice(city.county_ids)) for person in people)
    secrets = [f"lxd_{uuid.uuid4().hex}{uuid.uuid4().hex}" for _person in people]
    Device.objects.bulk_create(
        Device(staff=person, name="手机", digest=token_digest(secret), hint=secret[-4:], enrolled_at=now() - timedelta(days=1))
        for person, secret in zip(people, secrets, strict=True))
    return secrets


def made(city: BenchCity, count: int, items: int, seed: int) -> Telephones:
    """Telephones and what was reported on each in the last hours."""
    chance = random.Random(seed)
    writer = Writer(chance)
    found: list[list[dict[str, Any]]] = []
    for telephone in range(count):
        began = now() - timedelta(hours=3)
        found.append([{
            "id": str(uuid.uuid4()), "kind": "report", "made_at": (began + timedelta(minutes=8 * n)).isoformat(), "files": [],
            "body": {"words": f"{writer.message()[1]}（{telephone}-{n}）", "category": chance.choice(city.category_codes),
                     "lon": round(WEST + chance.random() * 4 * STEP * 0.999, 6),
                     "lat": round(SOUTH + chance.random() * 3 * STEP * 0.999, 6), "accuracy": 12},
        } for n in range(items)])
    return Telephones(enrol(city, count, chance), found)


def send(port: int, telephones: Telephones, *, faulty: float) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "lianxin.bench.outage", str(port)], stdout=subprocess.PIPE, check=True,
                          input=telephones.told(random.Random(5), faulty))
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def check(telephones: Telephones, outcome: dict[str, Any]) -> dict[str, int]:
    """Look for every item: how many are lost, doubled, answered otherwise than they are, or out of order."""
    sent = telephones.sent
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text, status, answer ->> 'case' FROM fieldwork_receipt WHERE id = ANY(%s::uuid[])", [list(sent)])
        receipts = {pk: (status, case_id) for pk, status, case_id in cursor.fetchall()}
        cursor.execute("SELECT words, array_agg(id::text ORDER BY id) FROM cases_case WHERE channel = 'field' GROUP BY words")
        cases = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM cases_event WHERE action = 'register' AND case_id = ANY(%s::uuid[])",
                       [[case_id for ids in cases.values() for case_id in ids]])
        events = int(cursor.fetchone()[0])
    found = {"items": len(sent), "lost": 0, "doubled": 0, "wrong": 0, "disordered": 0}
    for pk, words in sent.items():
        held = cases.get(words, [])
        found["lost"] += not held or pk not in receipts
        found["doubled"] += len(held) > 1
        answer = outcome["results"].get(pk, {}).get("answer") or {}
        found["wrong"] += receipts.get(pk) != ("accepted", answer.get("case")) or held != [answer.get("case")]
    for items in telephones.items:
        ids = [case_id for one in items for case_id in cases.get(one["body"]["words"], [])]
        found["disordered"] += ids != sorted(ids)
    ours = sum(len(cases.get(words, [])) for words in sent.values())
    found["wrong"] += abs(events - sum(map(len, cases.values())))
    found["doubled"] += max(ours - len(sent), 0)
    return found


def measure(city: BenchCity, *, telephones: int, items: int, faulty: float = FAULTY, workers: int = 2) -> list[Row]:
    """Raises RuntimeError when one item is lost or doubled: a bar that can be missed is no place for that."""
    warm, real = made(city, WARM, 2, 3), made(city, telephones, items, 4)
    with served(workers=workers) as port:
        send(port, warm, faulty=0)
        outcome = send(port, real, faulty=faulty)
    found = check(real, outcome)
    if set(outcome["statuses"]) != {"200"}:
        raise RuntimeError(f"not every answer was 200: {outcome['statuses']} {outcome['faults']}")
    if any(found[fault] for fault in ("lost", "doubled", "wrong", "disordered")):
        raise RuntimeError(f"not every item is there once: {found}")
    total, waits = found["items"], [wait / 1000 for wait in outcome["latencies"]]
    what = f"{telephones:,} telephones, {items} reports each, at once"
    met = outcome["seconds"] <= LONGEST if telephones >= TELEPHONES else None
    return [
        Row("field", what, f"{total / outcome['seconds']:,.0f} items/s · {outcome['seconds']:.1f} s in all", "", "",
            f"≤ {LONGEST:.0f} s" if met is not None else "", met),
        Row("field", "until a telephone has its answer",
            f"p50 {percentile(waits, 0.5):.1f} · p95 {percentile(waits, 0.95):.1f} · p99 {percentile(waits, 0.99):.1f} s",
            f"{outcome['again']} sent again after a broken line"),
        Row("field", "every item looked for", f"{total:,} sent · {total - found['lost']:,} there · {found['lost']} lost · "
            f"{found['doubled']} doubled · {found['disordered']} telephones out of order", "", "", "none lost, none doubled", True),
    ]


def bench(run: Run) -> list[Row]:
    run.fresh(run.sizes[0])
    run.tell("telephones after an outage")
    if run.quick:  # few telephones, so a third of them with a bad signal
        return measure(run.city, telephones=QUICK_TELEPHONES, items=QUICK_ITEMS, faulty=0.35, workers=run.workers)
    return measure(run.city, telephones=TELEPHONES, items=ITEMS)
