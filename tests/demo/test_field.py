"""The demo's town at work: somebody on duty, somebody away, somebody who stands in; made once."""

from __future__ import annotations

from lianxin.demo import field
from lianxin.fieldwork.coverage import Standing, coverage
from lianxin.fieldwork.leads import need
from lianxin.fieldwork.models import Cover
from lianxin.kernel.clock import Frozen, now
from tests.fieldwork.town import staffed
from tests.world import World


def test_a_town_is_at_work(world: World, monday: Frozen) -> None:
    staffed(world)
    assert field.at_work() == 1
    made = Cover.objects.get()
    assert (made.absent.username, made.stand_in.username if made.stand_in else "") == ("grid2", "grid3")
    found = coverage(world.units["bridge"], need(world.actor("lead")), at=now())
    assert found.count(Standing.HELD, Standing.COVERED) == 4
    assert [one.staff.username for one in found.workers if one.since] == ["grid"]
    assert field.at_work() == 0
