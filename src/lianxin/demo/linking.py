"""Handovers to look at in the demo, lived through by both desks: ours by its own actions, the other through its people's interface.

Every message is sent, signed and received as always. Happens once, after the demo has opened, because both desks must be there.
"""

from __future__ import annotations

import csv
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import requests
from django.conf import settings
from django.db import transaction

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import Case
from lianxin.linkage import deciding, signing
from lianxin.linkage.models import Direction, Handover, Matter, Partner
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

from .seed import PHONE, Cast, SeedError

log = logging.getLogger(__name__)
COLUMNS = ("story", "category", "area", "words", "reason", "answer")
PATIENCE = 40.0  # seconds for one step of the other desk to arrive
FIRST = 9100  # of the telephone numbers


class NotYet(Exception):
    """The other desk, or what it said, was not there in time."""


def links_in(data: Path) -> dict[str, dict[str, str]]:
    """The other desks of this demo by their names: `url`, `secret`, `open` (the address for a browser). Empty where there are none."""
    try:
        found: dict[str, dict[str, str]] = json.loads((data / "linkage.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


@transaction.atomic
def connect(links: dict[str, dict[str, str]]) -> None:
    """Write address and secret of each other desk, as `lianxin linkage` does."""
    for code, link in links.items():
        partner = Partner.objects.filter(code=code).first()
        if partner is None:
            continue
        Partner.objects.filter(pk=partner.pk).update(url=link["url"])
        if link["secret"] not in signing.secrets_of(partner):
            signing.add_secret(partner, link["secret"])


@dataclass(slots=True)
class Desk:
    """The other desk, worked as its people would."""

    url: str

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        return requests.request(method, self.url + path, json=body, timeout=10)

    def there(self) -> bool:
        try:
            return self._call("GET", "/healthz").status_code == 200
        except requests.RequestException:
            return False

    def knows(self, handover: Handover) -> bool:
        return self._call("GET", f"/api/matters/{handover.matter_id}").status_code == 200

    def do(self, handover: Handover, what: str, **fields: Any) -> None:
        reply = self._call("POST", f"/api/handovers/{handover.pk}/{what}", {"operator": "P0327", **fields})
        reply.raise_for_status()

    def offer(self, **fields: Any) -> UUID:
        reply = self._call("POST", "/api/offers", {"operator": "P0327", **fields})
        reply.raise_for_status()
        return UUID(reply.json()["id"])


def until(fact: Callable[[], object], what: str) -> Any:
    """Wait for it. Raises NotYet."""
    ends = time.monotonic() + PATIENCE
    while not (found := fact()):
        if time.monotonic() > ends:
            raise NotYet(what)
        time.sleep(0.1)
    return found


@dataclass(slots=True)
class Scene:
    """One row, and who plays it."""

    row: dict[str, str]
    serial: int
    desk: Desk
    partner: Partner
    operator: Actor

    def reached(self, handover: Handover, *states: str) -> None:
        until(lambda: Handover.objects.filter(pk=handover.pk, state__in=states).exists(), f"{self.row['story']}: {states}")

    def offered(self, *, emergency: bool = False) -> Handover:
        """A call is taken and handed over; the other desk has it."""
        row = self.row
        made = a.register(intake=a.Intake(
            words=row["words"], channel="phone", category=row["category"], area=row["area"], accept=True,
            phone=PHONE.format(FIRST + self.serial), name="李先生"), by=self.operator)
        a.offer_handover(On(made.case_id, self.operator), partner=self.partner.code, reason=row["reason"], emergency=emergency,
                         wish="agrees")
        handover = Handover.objects.get(matter__case_id=made.case_id)
        until(lambda: self.desk.knows(handover), row["story"])
        self.desk.do(handover, "acknowledge")
        return handover

    def taken(self, *, emergency: bool = False) -> Handover:
        handover = self.offered(emergency=emergency)
        self.desk.do(handover, "accept")
        self.desk.do(handover, "progress", step="dispatched")
        self.reached(handover, "in_progress")
        return handover

    def comes_in(self) -> Handover:
        """The other desk offers; it waits here."""
        row = self.row
        matter = self.desk.offer(
            matter=str(matter_of(row)), words=row["words"], category=row["category"], place=row["words"][:8], reason=row["reason"],
            wish="agrees", caller_name="陈女士", caller_phone=PHONE.format(FIRST + self.serial))
        found: Handover = until(lambda: Handover.objects.filter(matter_id=matter, direction=Direction.IN).first(), row["story"])
        return found


def _out_closed(scene: Scene) -> None:
    handover = scene.taken()
    scene.desk.do(handover, "progress", step="on_scene")
    answer = scene.row["answer"]
    scene.desk.do(handover, "outcome", result="mediated", words=answer, public_words=answer)
    scene.reached(handover, "outcome_returned", "closed")


def _out_working(scene: Scene) -> None:
    scene.taken(emergency=True)


def _out_refused(scene: Scene) -> None:
    handover = scene.offered()
    scene.desk.do(handover, "refuse", reason="not_police", words=scene.row["answer"])
    scene.reached(handover, "refused")


def _out_followup(scene: Scene) -> None:
    handover = scene.taken()
    answer = scene.row["answer"]
    scene.desk.do(handover, "outcome", result="mediated", words=answer, public_words=answer, follow_up=True,
                  follow_up_words="请安排人民调解。")
    until(lambda: Handover.objects.filter(matter_id=handover.matter_id, direction=Direction.IN).exists(), "out_followup")


def _in_waiting(scene: Scene) -> None:
    scene.comes_in()


def _in_accepted(scene: Scene) -> None:
    deciding.accept(scene.operator, scene.comes_in().pk, area=scene.row["area"])


def _in_refused(scene: Scene) -> None:
    deciding.refuse(scene.operator, scene.comes_in().pk, reason="other", words=scene.row["answer"])


STORIES: dict[str, Callable[[Scene], None]] = {
    "out_closed": _out_closed, "out_working": _out_working, "out_refused": _out_refused, "out_followup": _out_followup,
    "in_waiting": _in_waiting, "in_accepted": _in_accepted, "in_refused": _in_refused,
}


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a city's `demo/handovers.csv`. Raises SeedError for other columns and unknown stories."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(line for line in file if not line.startswith("#"))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise SeedError(f"{path}: the columns must be {', '.join(COLUMNS)}")
        rows = list(reader)
    if unknown := {row["story"] for row in rows} - STORIES.keys():
        raise SeedError(f"{path}: unknown story {', '.join(sorted(unknown))}")
    return rows


def matter_of(row: dict[str, str]) -> UUID:
    """The matter that the other desk begins in a story, the same whenever it is played."""
    return uuid5(NAMESPACE_URL, "demo " + row["words"])


def to_play(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows that were not begun yet, with their places in the file."""
    begun = set(Case.objects.filter(linked=True).values_list("words", flat=True))
    came = set(Matter.objects.values_list("pk", flat=True))
    return [(serial, row) for serial, row in enumerate(read(path)) if row["words"] not in begun and matter_of(row) not in came]


def lived_through(path: Path) -> int:
    """Play every row that was not begun yet with the first desk of the demo. Returns how many; 0 without a desk."""
    links = links_in(settings.DATA)
    if not links:
        return 0
    code, link = next(iter(links.items()))
    desk, partner = Desk(link["url"]), Partner.objects.get(code=code)
    until(desk.there, code)
    operator = Cast.of_city().actor(Role.OPERATOR)
    rows = to_play(path)
    for serial, row in rows:
        STORIES[row["story"]](Scene(row, serial, desk, partner, operator))
    log.info("%d handovers to look at", len(rows))
    return len(rows)
