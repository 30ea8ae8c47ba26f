"""What a version says, by codes: read, compared, changed by one rule. Nothing here writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ..models import CatalogueRule, CatalogueVersion

Key = tuple[str, str, date | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule by codes; an empty category or area means any. `valid_to` is exclusive."""

    category: str
    area: str
    lead: str
    assisting: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    basis: str = ""

    @property
    def key(self) -> Key:
        return (self.category, self.area, self.valid_from)

    def about(self, category: str, area: str) -> bool:
        return (self.category, self.area) == (category, area)

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule that two versions say differently: added (`before` is None), removed (`after` is None), or changed."""

    before: Line | None
    after: Line | None

    @property
    def line(self) -> Line:
        """The rule as it is now, or as it was."""
        found = self.after or self.before
        if found is None:
            raise AssertionError("a difference is of something")
        return found

    @property
    def key(self) -> Key:
        return self.line.key

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def newest() -> CatalogueVersion | None:
    """The last version made. It may come into force later."""
    return CatalogueVersion.objects.order_by("-number").first()


def content_of(version: CatalogueVersion) -> tuple[Line, ...]:
    """The rules of one version. One query."""
    rows = CatalogueRule.objects.filter(version=version).values_list(
        "category__code", "area__code", "lead_unit__code", "assisting_units", "valid_from", "valid_to", "basis")
    return tuple(Line(category or "", area or "", lead, tuple(assisting), start, end, basis)
                 for category, area, lead, assisting, start, end, basis in rows)


def compare(before: Iterable[Line], after: Iterable[Line]) -> list[Difference]:
    """What differs, by category and area. A rule with another first day is another rule."""
    was, now = {line.key: line for line in before}, {line.key: line for line in after}
    keys = sorted((key for key in was.keys() | now.keys() if was.get(key) != now.get(key)),
                  key=lambda key: (key[0], key[1], key[2] or date.min))
    return [Difference(was.get(key), now.get(key)) for key in keys]


def with_rule(lines: Sequence[Line], rule: Line, *, on: date) -> list[Line]:
    """These rules with one said anew from `on`. What was written down for later days stays, and ends the new one."""
    same = [line for line in lines if line.about(rule.category, rule.area)]
    later = [line for line in same if line.valid_from is not None and line.valid_from > on]
    ends = min((line.valid_from for line in later if line.valid_from is not None), default=None)
    others = [line for line in lines if not line.about(rule.category, rule.area)]
    return [*others, replace(rule, valid_from=on, valid_to=ends), *later]


def in_force(lines: Iterable[Line], category: str, area: str, *, on: date) -> Line | None:
    """The rule for exactly this category and area that holds on a day."""
    return next((line for line in lines if line.about(category, area) and line.holds_on(on)), None)


def digest(lines: Iterable[Line]) -> str:
    """The same for the same rules in whatever order."""
    written = sorted(
        "\t".join((line.category, line.area, line.lead, "|".join(line.assisting), str(line.valid_from),
                   str(line.valid_to), line.basis))
        for line in lines
    )
    return hashlib.sha256("\n".join(written).encode()).hexdigest()
