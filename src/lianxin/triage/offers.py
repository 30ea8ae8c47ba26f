"""What was offered while a case was taken, and what became of it: so that the city knows how good the offers are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, F, Func, IntegerField, Q

from lianxin.kernel.clock import now
from lianxin.organisations.models import Role

from .models import LearntModel, Offer, What

READERS: Final = (Role.SUPERVISOR, Role.LEADER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that stood on the screen: codes, best first, and what was chosen in the end (empty: nothing). Where a model
    said it, which one and how sure it was of the first."""

    what: What
    offered: tuple[str, ...]
    chosen: str
    model: LearntModel | None = None
    probability: float | None = None


def write(case_id: uuid.UUID, shown: Iterable[Shown]) -> None:
    """Once for a case, whoever sends the form again."""
    Offer.objects.bulk_create([
        Offer(case_id=case_id, at=now(), what=one.what, offered=list(one.offered[:10]), chosen=one.chosen[:60],
              model=one.model, probability=one.probability)
        for one in shown if one.offered
    ], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Precision:
    """How one kind of offer fared: how often the first was taken, something else was chosen, or nothing was."""

    what: What
    model: int | None
    offers: int
    accepted: int
    changed: int
    ignored: int
    in_three: int  # what was chosen stood among the first three


def report(since: datetime, until: datetime) -> Sequence[Precision]:
    """Offers made from `since` to before `until`, by kind and by the version of the model that made them."""
    place = Func(F("offered"), F("chosen"), function="array_position", output_field=IntegerField())
    rows = Offer.objects.filter(at__gte=since, at__lt=until).annotate(place=place).values("what", "model__number").annotate(
        offers=Count("id"), accepted=Count("id", filter=Q(place=1)), ignored=Count("id", filter=Q(chosen="")),
        in_three=Count("id", filter=Q(place__lte=3))).order_by("what", "model__number")
    return [Precision(What(row["what"]), row["model__number"], row["offers"], row["accepted"],
                      row["offers"] - row["accepted"] - row["ignored"], row["ignored"], row["in_three"]) for row in rows]
