"""What a message is about: the model in force and the city's keyword rules together; the rules alone where no model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from lianxin.cases.reference import reference

from . import keywords, store
from .keywords import Suggestion
from .models import LearntModel

SHOWN: Final = 3  # categories
LEAST: Final = 0.02  # what is less likely is not shown


@dataclass(frozen=True, slots=True)
class Heard:
    """The likeliest categories, best first. `abstains` says that nobody should take the first without looking; `model` is
    the version that read, None where the rules read alone."""

    found: tuple[Suggestion, ...]
    abstains: bool
    model: LearntModel | None

    @property
    def first(self) -> Suggestion | None:
        """The category to fill in; None where none is sure enough."""
        return None if self.abstains or not self.found else self.found[0]


def heard(text: str, title: str = "") -> Heard:
    """Read a message of up to 12,000 characters, and its heading where it has one.

    What the model believes of each category and what the rules found for it are pooled (`classify.pooling`), so that the
    words of both count. A model that was taught a branch only, or the top, says how likely the branch is, and the rules
    share that out among the leaves below it for which they found words.
    """
    held, in_force = reference(), store.in_force()
    rules = keywords.in_force(held).read(f"{title}\n{text}" if title else text)
    if in_force is None:
        return _judged(keywords.shares(held, rules, SHOWN), None)
    from .belief import believed  # only where there is a model: it brings numerical libraries into the process

    belief = believed(held, in_force[1], title, text, rules)
    best = belief.leaves()[:SHOWN]
    told = belief.told([share for _pk, share, _above in best])
    return _judged([keywords.suggestion(held, pk, chance, belief.words(pk, above))
                    for (pk, _share, above), chance in zip(best, told, strict=True) if chance >= LEAST], in_force[0])


def several(text: str) -> tuple[tuple[str, str], ...]:
    """The matters of a message that clearly holds more than one, in its order: the words of each, and what it is about.
    Empty for one matter, and where no model reads. Each is told as far down the tree as is clear; two of one branch, of
    which one is no clearer than the branch, are one matter."""
    in_force = store.in_force()
    if in_force is None:
        return ()
    from .belief import apart

    held = reference()
    return tuple((one.text, held.nodes_by_code[one.guess.label].said)
                 for one in apart(held, in_force[1], keywords.in_force(held), text))


def _judged(found: Sequence[Suggestion], model: LearntModel | None) -> Heard:
    return Heard(tuple(found), not found or found[0].score < settings.LIANXIN_TRIAGE_SURE, model)
