"""What loading a city's files means for grids: those that were changed in the application stay, all else is as the files say.

A village's grids belong to the desk from their first change there until the files are loaded with `replace`. Until then the files'
grids of that village are left aside; where its outline has moved, its grids are fitted to the new one, so that the village stays
whole. What the files change of other villages' grids is written into their history like any change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lianxin.kernel.clock import now

from . import grid_history, partition
from .files import Tables
from .models import BY_FILES, Area, AreaLevel, GridChange, GridStep
from .tiling import as_geojson, centre_of

Grid = tuple[str, Any, bool]  # name, boundary, synthetic


def of_the_desk() -> set[int]:
    """Ids of the villages whose grids were changed in the application since the files' own were taken last."""
    found: set[int] = set()
    for village, step in GridChange.objects.order_by("village_id", "version").values_list("village_id", "step"):
        if step == GridStep.LOADED:
            found.discard(village)
        elif step not in BY_FILES:
            found.add(village)
    return found


@dataclass(slots=True)
class Keeping:
    """Made before areas are stored, `settle` afterwards. `kept` are names of villages whose grids the files did not touch though
    they have others, `fitted` of those whose grids follow a new outline."""

    kept: list[str] = field(default_factory=list)
    fitted: list[str] = field(default_factory=list)
    _drawn: dict[str, Any] = field(default_factory=dict)  # code → outline, of villages that are the desk's
    _before: dict[str, list[Area]] = field(default_factory=dict)  # code → grids, of villages that the files change

    @classmethod
    def of(cls, tables: Tables, *, replace: bool) -> Keeping:
        result = cls()
        standing: dict[str, list[Area]] = {}
        for grid in Area.objects.filter(level=AreaLevel.GRID, active=True).select_related("parent").order_by("code"):
            assert grid.parent is not None
            standing.setdefault(grid.parent.code, []).append(grid)
        if not standing:  # a first load
            return result
        desk = set() if replace else of_the_desk()
        said: dict[str, dict[str, Grid]] = {}
        for row in tables.areas.values():
            if row.level == AreaLevel.GRID:
                said.setdefault(row.parent, {})[row.code] = (row.name, tables.boundaries.get(row.code), row.synthetic)
        for code, grids in standing.items():
            village = grids[0].parent
            assert village is not None
            as_said = said.get(code, {}) == {grid.code: (grid.name, grid.boundary, grid.synthetic) for grid in grids}
            if village.pk in desk and code in tables.areas:
                result._drawn[code] = village.boundary
                if not as_said:
                    result.kept.append(village.name)
            elif not as_said:
                result._before[code] = grids
        return result

    def leaves(self, level: str, parent: str) -> bool:
        """Whether a line of the files is left aside."""
        return level == AreaLevel.GRID and parent in self._drawn

    def settle(self, tables: Tables, ids: dict[str, int]) -> None:
        """Keep the desk's grids in place, fit them, and write what the files changed into the history. `ids` gets the codes that
        were left aside: of the grid that has it, else of the village."""
        at = now()
        for code, outline in self._drawn.items():
            self._keep(code, outline, tables, ids, at)
        for code, grids in self._before.items():
            village = Area.objects.get(code=code)
            grid_history.begin(village, grids, at=at)
            after = list(Area.objects.filter(parent=village, level=AreaLevel.GRID, pk__in=ids.values()))
            stay = {grid.pk: grid for grid in after}
            ended = [grid for grid in grids if grid.pk not in stay]
            was = {grid.pk: (grid.name, grid.boundary, grid.synthetic) for grid in grids}
            altered = [grid for grid in after if was.get(grid.pk) != (grid.name, grid.boundary, grid.synthetic)]
            grid_history.write(village, step=GridStep.LOADED, at=at, by_id=None, why="", ended=ended, altered=altered)

    def _keep(self, code: str, outline: Any, tables: Tables, ids: dict[str, int], at: datetime) -> None:
        village = Area.objects.get(code=code)
        grids = list(Area.objects.filter(parent=village, level=AreaLevel.GRID, active=True).order_by("code"))
        if village.boundary is not None and village.boundary != outline:
            grids = self._fit(village, grids, at)
        Area.objects.filter(pk__in=[grid.pk for grid in grids]).update(
            county=village.county_id, town=village.town_id, village=village.pk)
        ids |= {grid.code: grid.pk for grid in grids}
        aside = [row.code for row in tables.areas.values() if self.leaves(row.level, row.parent) and row.parent == code]
        known = dict(Area.objects.filter(code__in=aside).values_list("code", "pk"))
        for one in aside:
            ids.setdefault(one, known.get(one, village.pk))

    def _fit(self, village: Area, grids: list[Area], at: datetime) -> list[Area]:
        from .grids import shape_of

        before = {grid.code: shape_of(grid) for grid in grids}
        shapes = partition.fitted(shape_of(village), before)
        ended = [grid for grid in grids if shapes[grid.code].is_empty]
        altered = [grid for grid in grids if not shapes[grid.code].is_empty
                   and not partition.same(before[grid.code], shapes[grid.code])]
        for grid in altered:
            grid.boundary = as_geojson(shapes[grid.code])
            grid.lon, grid.lat = centre_of(shapes[grid.code])
            grid.save(update_fields=["boundary", "lon", "lat"])
        for grid in ended:
            grid.active = False
            grid.save(update_fields=["active"])
        if ended or altered:
            grid_history.write(village, step=GridStep.FITTED, at=at, by_id=None, why="", ended=ended, altered=altered)
            self.fitted.append(village.name)
        return [grid for grid in grids if grid.active]
