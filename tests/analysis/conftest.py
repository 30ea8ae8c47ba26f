"""A city in which things happened, through the real actions, in October and November 2026."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lianxin.cases.engine import On
from lianxin.kernel import clock
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import reporter_for
from lianxin.quality import campaigns
from lianxin.quality.actions.closing import contest
from lianxin.quality.models import CampaignDraw
from tests.cases.ways import take, walk
from tests.world import World

HANDLED = ("accept", "dispatch", "sign", "reply", "approve")


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, settings: Any) -> Path:
    settings.LIANXIN_ANALYSIS_DIR = str(tmp_path / "analysis")
    return tmp_path / "analysis"


@pytest.fixture
def october() -> Iterator[Frozen]:
    """The clock stands at Monday 12 October 2026, 10:00 in Yueyang."""
    with clock.frozen(datetime(2026, 10, 12, 2, 0, tzinfo=UTC)) as frozen:
        yield frozen


class Town:
    """The cases by what became of them."""

    def __init__(self, world: World, at: Frozen) -> None:
        self.world, self.at = world, at
        self.cases: dict[str, uuid.UUID] = {}

    def case(self, name: str, *steps: str, **intake: Any) -> uuid.UUID:
        self.cases[name] = walk(self.world, self.world.case(**intake), steps)
        return self.cases[name]

    def take(self, name: str, action: str, **fields: Any) -> None:
        take(self.world, self.cases[name], action, **fields)


@pytest.fixture
def town(world: World, october: Frozen) -> Town:
    """Nine cases: each a different answer to what the rates ask."""
    made = Town(world, october)
    village = "990101001001"
    made.case("content", *HANDLED, "record_callback_attempt", area=village)
    made.case("unsolved", *HANDLED, area=village)
    made.take("unsolved", "record_callback_attempt", solved=False, satisfaction="dissatisfied")
    made.case("unreached", *HANDLED, area="990102")
    made.take("unreached", "record_callback_attempt", outcome="no_answer", truthful=None, solved=None, satisfaction="")
    made.case("rated", *HANDLED, "rate")
    made.case("bounced", "accept", "dispatch", "raise_return", "uphold_return")
    made.take("bounced", "dispatch", lead_unit="housing", assisting_units=[])
    made.take("bounced", "sign", by="housing")
    made.take("bounced", "reply", by="housing")
    made.take("bounced", "approve")
    made.case("redone", "accept", "dispatch", "sign", "reply", "send_back", "reply", "approve")
    made.case("late", "accept", "dispatch", area=village)
    made.case("declined", "decline")
    made.case("open", "accept", "dispatch")
    october.move(days=10)
    for step in ("sign", "reply", "approve", "record_callback_attempt", "close"):
        made.take("late", step)
    made.take("content", "close")
    contest(On(made.cases["content"], reporter_for(made.cases["content"])), words="昨夜又施工。")
    october.move(days=12)
    return made


@pytest.fixture
def busy(town: Town) -> Town:
    """The town, and in November: a duplicate under a master that was paused and given more time, and two cases that a
    campaign did not draw – one says nothing, one says unsolved and is called after all."""
    town.case("master", "accept", "dispatch", "sign")
    town.case("duplicate", phone="13900003303")
    town.take("master", "merge", duplicates=[str(town.cases["duplicate"])])
    town.take("master", "suspend")
    town.at.move(days=1)
    for step in ("resume_work", "ask_extension", "grant_extension", "reply", "approve"):
        town.take("master", step)
    town.take("duplicate", "rate")
    campaigns.define(by=town.world.actor("supervisor"), name="抽样", starts_on=date(2026, 11, 4), ends_on=date(2026, 11, 30),
                     share=1, seed="s")
    for name in ("silent", "unhappy"):
        while True:
            case_id = town.case(name, *HANDLED)
            if not CampaignDraw.objects.get(case=case_id).drawn:
                break
            town.take(name, "withdraw")  # one in a hundred: it is not what is asked here
    town.take("unhappy", "rate", solved=False, satisfaction="dissatisfied")
    return town
