"""Lists whose parts stand one under the other, such as the urgent cases on top, in keyset pages that miss nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Q

from lianxin.organisations.actors import Actor

from .models import Case, Urgency
from .queries import PAGE, Filters, Page, by_due

URGENT = Q(urgency=Urgency.URGENT)


def in_turn(actor: Actor, parts: Sequence[Q], *, states: Sequence[str], filters: Filters, after: str = "",
            limit: int = PAGE) -> Page:
    """Cases of the first part, then of the next, each in order of what is due. The parts share no case; a page may hold the
    end of one and the beginning of the next. `after` names the part and the place in it."""
    number, _dot, inner = after.partition(".")
    known = number in {str(index) for index in range(len(parts))}
    found: list[Case] = []
    for index in range(int(number) if known else 0, len(parts)):
        narrowed = replace(filters, also=filters.also & parts[index])
        page = by_due(actor, states=states, filters=narrowed, after=inner if known else "", limit=max(limit - len(found), 1))
        if page.rows and len(found) == limit:
            return Page(found, f"{index}.")  # only looked whether there are more
        found += page.rows
        if page.after:
            return Page(found, f"{index}.{page.after}")
        known = False
    return Page(found)
