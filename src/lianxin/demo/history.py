"""Two years before the demo's own cases, as an older system would have left them: so that the public figures of places have something
to count. All closed, none called back; older than what the desk looks through for the same matter or for a hot issue."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from lianxin.cases.actions import register_many
from lianxin.cases.actions.intake import History, Intake, rows_for
from lianxin.cases.importing import BATCH, IMPORTER
from lianxin.cases.models import Case, Category
from lianxin.cases.reference import Place, reference
from lianxin.kernel import clock

CASES: Final = 1_500
NEWEST_DAYS, OLDEST_DAYS = 62, 725
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


def write(cases: int = CASES) -> int:
    """Make them, the same ones each time. Returns how many; 0 for a city that has no villages or no topics."""
    chance = random.Random(12345)  # the same picture each time
    topics = list(Category.objects.filter(quick_topic__isnull=False, is_leaf=True, active=True).order_by("code")
                  .values_list("code", "plain_name", "name"))
    places = _places(chance)
    if not topics or not places:
        return 0
    present, made = clock.now(), []
    for serial in range(cases):
        code, plain, name = chance.choice(topics)
        place = chance.choices([one for one, _weight in places], [weight for _one, weight in places])[0]
        said = present - timedelta(days=chance.uniform(NEWEST_DAYS, OLDEST_DAYS))
        # Log-normal: most within days, some for weeks; a little quicker in the second year.
        days = chance.lognormvariate(1.35 if said < present - timedelta(days=365) else 1.1, 0.8)
        closed = min(said + timedelta(days=days), present - timedelta(days=NEWEST_DAYS - 1))
        intake = Intake(
            words=f"{place.name}：{plain or name}，请来看看。", channel="phone", category=code, area=place.code, accept=True,
            registered_at=said, source_system=SYSTEM, source_id=str(serial), history=History(closed_at=closed))
        made.append(rows_for(intake, by=IMPORTER)[0])
    for start in range(0, len(made), BATCH):
        register_many(rows=made[start : start + BATCH])
    return len(made)
