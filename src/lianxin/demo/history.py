"""Two years before the demo's own cases, so that public figures have something to count: most lived through here, called back and closed
as their reporters said (`lives`); some left by an older system, that had called nobody. The same ones each time. Every one says that it is
demonstration data. All but a few are older than what the desk looks through for the same matter or for a hot issue, and those few lie
each in a village of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from lianxin.cases.actions import register_many
from lianxin.cases.actions.intake import History, Intake, rows_for
from lianxin.cases.clocks import limits_of_case
from lianxin.cases.importing import BATCH, IMPORTER
from lianxin.cases.models import Case, Category
from lianxin.cases.reference import Limits, Node, Place, Reference, reference, today_of
from lianxin.kernel import clock
from lianxin.organisations.models import Role, RoleGrant

from . import lives
from .seed import Cast

CASES: Final = 1_000
RECENT: Final = 60  # of them, those newer than the others
NEWEST_DAYS, OLDEST_DAYS = 62, 725
RECENT_DAYS: Final = (9, 60)
IMPORTED: Final = 7  # one of so many came from an older system
SYSTEM: Final = "demo-history"


def _places(chance: random.Random) -> list[tuple[Place, float]]:
    """Villages of the county where the demo's cases lie most, a few of them far busier than the rest, and some of everywhere else."""
    held = reference()
    counted: dict[int, int] = {}
    for county in Case.objects.exclude(county=None).values_list("county_id", flat=True):
        counted[county] = counted.get(county, 0) + 1
    busy = max(counted, key=lambda pk: counted[pk], default=None)
    villages = sorted((one for one in held.places.values() if one.level == "village"), key=lambda one: one.code)
    near = [one for one in villages if one.county_id == busy]
    chosen = chance.sample(near, min(len(near), 24)) + chance.sample(villages, min(len(villages), 40))
    return [(place, 12.0 if at < 6 else 3.0 if at < 24 else 1.0) for at, place in enumerate(chosen)]


@dataclass(frozen=True, slots=True)
class Said:
    """One matter of the past: what about, where, when, and how many days it took to be answered."""

    node: Node
    words: str
    place: Place
    at: datetime
    days: float


def _matters(chance: random.Random, cases: int, present: datetime) -> Iterator[Said]:
    held = reference()
    topics = [(held.nodes[pk], plain or name) for pk, plain, name in Category.objects.filter(
        quick_topic__isnull=False, is_leaf=True, active=True).order_by("code").values_list("id", "plain_name", "name")]
    places, taken = _places(chance), set(Case.objects.exclude(area=None).values_list("area_id", flat=True))
    quiet = [one for one in sorted(held.places.values(), key=lambda one: one.code) if one.level == "village" and one.id not in taken]
    recent = chance.sample(quiet, min(len(quiet), RECENT))
    if not topics or not places:
        return
    for serial in range(cases):
        node, words = chance.choice(topics)
        if serial < len(recent):
            place, ago = recent[serial], chance.uniform(*RECENT_DAYS)
        else:
            place = chance.choices([one for one, _weight in places], [weight for _one, weight in places])[0]
            ago = chance.uniform(NEWEST_DAYS, OLDEST_DAYS)
        # Log-normal: most within days, some for weeks; a little quicker in the second year.
        days = chance.lognormvariate(1.35 if ago > 365 else 1.1, 0.8)
        yield Said(node, words, place, present - timedelta(days=ago), min(days, ago - 5))


_NEEDED: Final = {Role.OPERATOR, Role.DISPATCHER, Role.REVIEWER, Role.CALLBACK, Role.SUPERVISOR}


def _clerks() -> dict[int, int]:
    """By unit, who of its clerks came first."""
    grants = RoleGrant.objects.filter(role=Role.CLERK, ended_at__isnull=True, staff__is_active=True).order_by("-staff_id")
    return dict(grants.values_list("unit_id", "staff_id"))


@dataclass(slots=True)
class _Past:
    """Who handles what, and the lives that were lived to be lived again."""

    chance: random.Random
    held: Reference
    today: date
    cast: Cast
    clerks: dict[int, int]
    made: list[lives.Life] | None = None
    limits: Limits | None = None

    def limits_for(self, node: Node) -> Limits:
        return limits_of_case(self.held, category_id=node.id, kind=node.kind, urgency=node.urgency, at=clock.now())

    def begin(self, matters: list[Said]) -> None:
        """Live each way once, with the first matter that needs no photo, under limits that the most share."""
        for said in matters:
            answer = self.held.responsible(category_id=said.node.id, area_id=said.place.id, on=self.today)
            if answer is None or said.node.field_matter or answer.lead.id not in self.clerks:
                continue
            self.limits = self.limits_for(said.node)
            begun = (clock.now() - timedelta(days=NEWEST_DAYS + 20)).replace(hour=1, minute=7, second=0, microsecond=0)
            self.made = lives.gone(self.cast, begun, category=said.node.code, place=said.place, unit=answer.lead.code, rule=answer.rule_id)
            return

    def instants(self, said: Said, steps: tuple[str, ...]) -> list[datetime]:
        """When each step came: the answer after the days it took, somebody late now and then."""
        late = self.chance.random() < 0.06
        hours = {"dispatch": (0.2, 2), "sign": (30, 60) if late else (0.3, 3),
                 "contact": (20, 60) if self.chance.random() < 0.08 else (0.3, 3),
                 "approve": (0.5, 6), "call": (2, 20), "rate": (2, 30), "close": (0.1, 1)}
        made = [said.at]
        for step in steps[1:]:
            if step == "reply":
                gap = max((said.at + timedelta(days=said.days) - made[-1]) / timedelta(hours=1), self.chance.uniform(1, 12))
            else:
                gap = self.chance.uniform(*hours[step])
            made.append(made[-1] + timedelta(seconds=round(gap * 3600)))
        over = (made[-1] - said.at) / (clock.now() - timedelta(days=1) - said.at)
        return [said.at + (one - said.at) / max(over, 1.0) for one in made]


def write(cases: int = CASES) -> int:
    """Make them. Returns how many; 0 for a city that has no villages or no topics."""
    chance, present = random.Random(12345), clock.now()  # the same picture each time
    matters = list(_matters(chance, cases, present))
    past = _Past(chance, reference(), today_of(present), Cast.of_city(), _clerks())
    if past.cast.people.keys() >= _NEEDED:
        past.begin(matters)
    lived, rests, imported = [], [], []
    shares = [share for share, _steps in lives.WAYS]
    for serial, said in enumerate(matters):
        words = f"{said.place.name}：{said.words}，请来看看。（演示数据）"
        given = Intake(words=words, channel="phone", category=said.node.code, area=said.place.code, accept=True,
                       registered_at=said.at.replace(microsecond=0), source_system=SYSTEM, source_id=str(serial))
        answer = past.held.responsible(category_id=said.node.id, area_id=said.place.id, on=past.today)
        if (not past.made or answer is None or answer.lead.id not in past.clerks or past.limits_for(said.node) != past.limits
                or serial % IMPORTED == IMPORTED - 1):
            closed = said.at + timedelta(days=said.days)
            imported.append(rows_for(replace(given, history=History(closed_at=closed)), by=IMPORTER)[0])
            continue
        life = chance.choices(past.made, shares)[0]
        rows = rows_for(given, by=IMPORTER)[0]
        at = past.instants(replace(said, at=said.at.replace(microsecond=0)), life.steps)
        rests.append(life.lived(rows, at, unit=answer.lead.id, code=answer.lead.code, rule=answer.rule_id,
                                clerk=past.clerks[answer.lead.id], content=chance.choices([*lives.CONTENT], [*lives.CONTENT.values()])[0]))
        lived.append(rows)
    for start in range(0, len(imported), BATCH):
        register_many(rows=imported[start : start + BATCH])
    for start in range(0, len(lived), BATCH):
        lives.written(lived[start : start + BATCH], rests[start : start + BATCH])
    return len(matters)
