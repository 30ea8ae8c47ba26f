"""The history of a village's grids: what they were, who changed them, when and why. Rows are written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Prefetch, QuerySet

from .models import Area, BoundaryVersion, City, GridChange, GridStep


@dataclass(frozen=True, slots=True)
class Was:
    """A change and, of each grid it made or altered, how it became."""

    change: GridChange
    boundaries: tuple[BoundaryVersion, ...]


def version_of(village_id: int) -> int:
    """How many changes a village's grids have seen; 0 for those that are as the files first had them."""
    return GridChange.objects.filter(village_id=village_id).order_by("-version").values_list("version", flat=True).first() or 0


def last_change(village_id: int) -> GridChange | None:
    return GridChange.objects.filter(village_id=village_id).select_related("by").order_by("-version").first()


def _rows(change: GridChange, grids: Iterable[Area]) -> list[BoundaryVersion]:
    return [BoundaryVersion(area=grid, change=change, name=grid.name, boundary=grid.boundary, synthetic=grid.synthetic,
                            valid_from=change.at) for grid in grids if grid.boundary is not None]


def begin(village: Area, grids: Iterable[Area], *, at: datetime) -> None:
    """Write down how the files first had a village's grids, if that is not written yet: as valid since the city was loaded."""
    if version_of(village.pk):
        return
    loaded = City.objects.values_list("loaded_at", flat=True).first() or at
    change = GridChange.objects.create(village=village, version=1, step=GridStep.LOADED, at=min(loaded, at))
    BoundaryVersion.objects.bulk_create(_rows(change, grids))


def write(village: Area, *, step: GridStep, at: datetime, by_id: int | None, why: str, ended: Sequence[Area],
          altered: Sequence[Area]) -> GridChange:
    """Add one change: `ended` grids are no more, `altered` ones – new ones among them – are as they stand now. Whoever calls
    holds the lock on the city's row."""
    last = last_change(village.pk)
    at = max(at, last.at) if last is not None else at  # a clock that was set back must not make history run backwards
    change = GridChange.objects.create(
        village=village, version=(last.version if last is not None else 0) + 1, step=step, at=at, by_id=by_id, why=why)
    BoundaryVersion.objects.filter(area__in=[*ended, *altered], valid_to__isnull=True).update(valid_to=at)
    BoundaryVersion.objects.bulk_create(_rows(change, altered))
    return change


def touch_city() -> None:
    """Every process that holds the areas in memory reads them again."""
    City.objects.update(grids_version=F("grids_version") + 1)


def _changes(village: Area) -> QuerySet[GridChange]:
    return GridChange.objects.filter(village=village).select_related("by").prefetch_related(
        Prefetch("boundaries", BoundaryVersion.objects.select_related("area").order_by("area__code"))).order_by("-version")


def history(village: Area, *, limit: int = 200) -> list[Was]:
    """A village's changes, the newest first. Two queries."""
    return [Was(change, tuple(change.boundaries.all())) for change in _changes(village)[:limit]]


def at_time(village: Area, moment: datetime) -> list[BoundaryVersion]:
    """The grids of a village as they were at an instant, by code; empty before the first that is known."""
    return list(BoundaryVersion.objects.filter(area__village=village, valid_from__lte=moment).exclude(valid_to__lte=moment)
                .select_related("area").order_by("area__code"))
