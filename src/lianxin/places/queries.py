"""Reading areas."""

from __future__ import annotations

from dataclasses import dataclass

from .models import Area


@dataclass(frozen=True, slots=True)
class Child:
    """An area to pick from a list; the name is the one people say."""

    id: int
    code: str
    name: str
    level: str
    lon: float | None
    lat: float | None
    synthetic: bool


def children(parent: str) -> list[Child]:
    """The active areas right under one, by code."""
    rows = Area.objects.filter(parent__code=parent, active=True).order_by("code").values_list(
        "id", "code", "name", "short_name", "level", "lon", "lat", "synthetic"
    )
    return [Child(pk, code, short or name, level, lon, lat, synthetic)
            for pk, code, name, short, level, lon, lat, synthetic in rows]


def exists(code: str) -> bool:
    return Area.objects.filter(code=code, active=True).exists()


def level_below(code: str) -> str | None:
    """The level of the areas right under one; None when there is nothing under it."""
    return (
        Area.objects.filter(parent__code=code, active=True).order_by("level").values_list("level", flat=True).first()
    )
