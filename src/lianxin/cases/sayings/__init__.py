"""The sentences of events, by area of work: what `narrative.said` says of an action it has no sentence for itself.

Each module holds `INSIDE`, for staff, and `OUTSIDE`, for the reporter: action → a function of the event and of who did
it, already as it stands in a sentence. A public action needs both.
"""

from __future__ import annotations

from collections.abc import Callable

from ..models import Event
from . import clocks, grid, handing_over, merging, outside, quality, recomputing, returns, supervision

Saying = Callable[[Event, str], str]
INSIDE: dict[str, Saying] = {
    **clocks.INSIDE, **grid.INSIDE, **handing_over.INSIDE, **merging.INSIDE,
    **outside.INSIDE, **quality.INSIDE, **recomputing.INSIDE, **returns.INSIDE, **supervision.INSIDE,
}
OUTSIDE: dict[str, Saying] = {
    **clocks.OUTSIDE, **grid.OUTSIDE, **handing_over.OUTSIDE, **merging.OUTSIDE,
    **outside.OUTSIDE, **quality.OUTSIDE, **recomputing.OUTSIDE, **returns.OUTSIDE, **supervision.OUTSIDE,
}

__all__ = ["INSIDE", "OUTSIDE", "Saying"]
