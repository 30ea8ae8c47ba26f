"""What was offered while a case was taken, and what became of it: so that the city knows how good the offers are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from lianxin.kernel.clock import now

from .models import Did, LearntModel, Offer, What


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that stood on the screen: codes, best first, and what was chosen in the end (empty: nothing)."""

    what: What
    offered: tuple[str, ...]
    chosen: str
    probability: float | None = None

    @property
    def did(self) -> Did:
        if not self.chosen:
            return Did.IGNORED
        return Did.ACCEPTED if self.chosen in self.offered[:1] else Did.CHANGED


def write(case_id: uuid.UUID, shown: Iterable[Shown], model: LearntModel | None) -> None:
    """Once for a case, whoever sends the form again."""
    Offer.objects.bulk_create([
        Offer(case_id=case_id, at=now(), what=one.what, offered=list(one.offered[:10]), chosen=one.chosen[:60], did=one.did,
              model=model if one.what == What.CATEGORY else None,
              probability=one.probability if one.what == What.CATEGORY else None)
        for one in shown if one.offered
    ], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Precision:
    """How one kind of offer fared: how many, and how many were taken, changed, or left."""

    what: What
    model: int | None
    offers: int
    accepted: int
    changed: int
    ignored: int
    in_three: int  # what was chosen stood among the first three


def report(since: datetime, until: datetime) -> Sequence[Precision]:
    """Offers made from `since` to before `until`, by kind and by the version of the model that made them."""
    rows = Offer.objects.filter(at__gte=since, at__lt=until).values("what", "model__number").annotate(
        offers=Count("id"), accepted=Count("id", filter=Q(did=Did.ACCEPTED)), changed=Count("id", filter=Q(did=Did.CHANGED)),
        ignored=Count("id", filter=Q(did=Did.IGNORED))).order_by("what", "model__number")
    kept = [(row["what"], row["model__number"]) for row in rows]
    three = dict.fromkeys(kept, 0)
    for what, number, offered, chosen in Offer.objects.filter(at__gte=since, at__lt=until).exclude(chosen="").values_list(
            "what", "model__number", "offered", "chosen").iterator():
        three[(what, number)] += chosen in offered[:3]
    return [Precision(What(row["what"]), row["model__number"], row["offers"], row["accepted"], row["changed"], row["ignored"],
                      three[(row["what"], row["model__number"])]) for row in rows]
