"""Two who change one village at the same moment: one is done, the other is told how it stands, and nothing is lost."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from lianxin.kernel.errors import Conflict
from lianxin.places import drawing, grids
from lianxin.places.models import BoundaryVersion, City, GridChange
from tests.fieldwork.town import VILLAGE, divided
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_at_once(transactional_db: None) -> None:
    world = World.make()
    made = divided(world, 4)
    begin, told = threading.Barrier(3), []

    def cut(number: int) -> None:
        west, south, east, north = grids.shape_of(made[number]).bounds
        line = drawing.line_of(f"{west},{(south + north) / 2}\n{east},{(south + north) / 2}")
        begin.wait()
        try:
            grids.split(village=VILLAGE, version=0, grid=made[number].code, line=line, name=f"新{number}", why="x",
                        by_id=world.staff["bridge"].pk)
            told.append("done")
        except Conflict as error:
            told.append(str(error.current["version"]))
        finally:
            connection.close()

    workers = [threading.Thread(target=cut, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(told) == ["2", "2", "done"]
    found = grids.held(VILLAGE)
    assert (len(found.grids), found.version, grids.faults_of(found)) == (5, 2, [])
    assert GridChange.objects.count() == 2
    assert BoundaryVersion.objects.filter(valid_to__isnull=True).count() == 5
    assert City.objects.get().grids_version == 1
