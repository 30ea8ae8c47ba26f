"""Matters as residents raise them."""

from __future__ import annotations

import uuid
from typing import Any

from tests.world import World

VILLAGE = "990101001001"


def raised(world: World, count: int, *, category: str = "010102", area: str = VILLAGE, **more: Any) -> list[uuid.UUID]:
    """As many matters of one village, accepted now."""
    return [world.accepted(category, area=area, **more) for _each in range(count)]
