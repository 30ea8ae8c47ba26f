"""Two beliefs made one: what a model says of the categories, and what the keyword rules found.

A product of experts (Hinton 2002; log-linear pooling, Genest and Zidek 1986): pᵢ ∝ mᵢ^`model` · (rᵢ + `floor`)^`rules`,
with mᵢ the model's probability and rᵢ the rules' score. What the first, second and third guess are then worth is told for each
rank on its own (Platt 1999): the pool ranks well and is too sure of itself, since both experts read the same words. How it is
fitted stands in `pooled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from .features import Floats

FLOOR: Final = 0.3  # the rules' score of a category of which they found nothing
LEAST: Final = 1e-9
RANKS: Final = 3
Line = tuple[float, float]  # slope and offset of log odds


@dataclass(frozen=True, slots=True)
class Pooling:
    """How much each belief counts. `ranks` hold for the first, second, third guess, `branches` for the likeliest branch of the
    tree, the top first. `bare` holds for messages without a title: less stands in them, and both are surer than they should be."""

    model: float
    rules: float
    ranks: tuple[Line, ...]
    branches: tuple[Line, ...] = ()
    bare: Pooling | None = None

    def of_title(self, title: str) -> Pooling:
        """What holds for a message with this title, which may be empty."""
        return self if title.strip() or self.bare is None else self.bare

    def shares(self, chances: Floats, found: Floats) -> Floats:
        """Of probabilities (… × c) and the rules' scores (… × c) the pooled belief; it ranks, and adds up to 1."""
        raised = self.model * np.log(chances + LEAST) + self.rules * np.log(found + FLOOR)
        raised = np.exp(raised - raised.max(axis=-1, keepdims=True))
        pooled: Floats = raised / raised.sum(axis=-1, keepdims=True)
        return pooled

    def told(self, ranked: Sequence[float]) -> list[float]:
        """Of the likeliest shares, best first, how probable each is: never more than the one before it, nor all more than 1."""
        found: list[float] = []
        for share, line in zip(ranked, self.ranks, strict=False):
            found.append(min(_at(line, share), found[-1] if found else 1.0, 1.0 - sum(found)))
        return found

    def branch(self, share: float, depth: int) -> float:
        """How probable the likeliest branch is at a depth, 0 at the top, whose leaves have this share together."""
        return _at(self.branches[min(depth, len(self.branches) - 1)], share) if self.branches else share

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, said: dict[str, Any]) -> Pooling:
        """Raises ValueError or TypeError for what is none."""
        ranks, branches = (tuple((float(slope), float(offset)) for slope, offset in said[name]) for name in ("ranks", "branches"))
        made = cls(float(said["model"]), float(said["rules"]), ranks, branches, cls.of(said["bare"]) if said.get("bare") else None)
        slopes = np.array([made.model, made.rules, *(line[0] for line in (*ranks, *branches))])
        offsets = np.array([line[1] for line in (*ranks, *branches)])
        if len(ranks) != RANKS or not (np.isfinite(slopes) & (slopes >= 0)).all() or not np.isfinite(offsets).all():
            raise ValueError("pooling")
        return made


# What the training texts of Yueyang give (docs/reference/triage.md): for a model that was taught without the rules.
USUAL: Final = Pooling(
    0.52, 2.01, ((0.34, -0.22), (0.45, -0.37), (0.45, -0.75)), ((0.48, 0.24), (0.41, -0.01)),
    bare=Pooling(0.56, 1.91, ((0.33, -0.56), (0.58, -0.14), (0.55, -0.77)), ((0.53, -0.09), (0.47, -0.32))))


def _at(line: Line, share: float) -> float:
    raised = line[0] * odds(np.array(share)) + line[1]
    return float(1 / (1 + np.exp(-raised)))


def odds(share: Floats) -> Floats:
    """Log odds of a share."""
    kept = np.clip(share, LEAST, 1 - LEAST)
    found: Floats = np.log(kept) - np.log1p(-kept)
    return found
