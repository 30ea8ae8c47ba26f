"""The demo's log of calls: what is kept of it agrees with what is counted from it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import localdate

from lianxin.demo import calls
from lianxin.kernel.clock import Frozen, now
from lianxin.telephony import figures, staffing
from lianxin.telephony.models import Call, HalfHour
from lianxin.telephony.staffing import Asked
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_weeks_are_a_log_that_a_plan_can_be_made_from(world: World, monday: Frozen) -> None:
    made = calls.seed()
    assert made == Call.objects.count() > 8000
    assert calls.seed() == 0  # once
    assert not Call.objects.exclude(number=None).exists()
    day = localdate(now()) - timedelta(days=calls.DAYS.start + 1)
    kept = {half.begins_at: half for half in HalfHour.objects.all()}
    for half in figures.count(figures.midnight(day), figures.midnight(day + timedelta(days=1))):
        mine = kept[half.begins_at]
        assert (mine.offered, mine.answered, mine.answered_in_15, mine.abandoned) == (
            half.offered, half.answered, half.answered_in_15, half.abandoned)
        assert abs(mine.talk_seconds - half.talk_seconds) <= 1
    plan = staffing.plan(world.actor("supervisor"), Asked(), today=localdate(now()))
    assert plan.patience == pytest.approx(calls.PATIENCE, rel=0.15)  # what the callers were given is what is read from their waits
    assert 3 <= max(line.operators for line in plan.lines) <= 8
    assert plan.days == 20
