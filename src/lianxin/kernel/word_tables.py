"""Tables of our words and another party's, both ways, with a list of what was met and nothing maps yet. The tables themselves are the
contexts' own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F

from .clock import now


@dataclass(frozen=True, slots=True)
class WordTable:
    """`lines` has `inbound`, `ours` and `theirs`; `missing` has `inbound`, `value`, `times`, `first_at` and `last_at`; both name whose
    they are in the field `owner`. `which` narrows them further, where one party has several lists."""

    lines: type[models.Model]
    missing: type[models.Model]
    owner: str

    def found(self, owner: models.Model, value: str, *, inbound: bool, **which: Any) -> str:
        """What a word becomes: theirs → ours with `inbound`, else ours → theirs. Empty where nothing maps it."""
        said, other = _sides(inbound)
        rows = self.lines._default_manager.filter(**{self.owner: owner, said: value}, inbound=inbound, **which)
        return rows.values_list(other, flat=True).first() or ""

    def note(self, owner: models.Model, value: str, *, inbound: bool, **which: Any) -> None:
        """Write down that a word was met that nothing maps."""
        at, table = now(), self.missing._default_manager
        longest: int | None = getattr(self.missing._meta.get_field("value"), "max_length", None)
        row, made = table.get_or_create(**{self.owner: owner}, inbound=inbound, value=value[:longest] or "—", **which,
                                        defaults={"first_at": at, "last_at": at})
        if not made:
            table.filter(pk=row.pk).update(times=F("times") + 1, last_at=at)

    def change(self, owner: models.Model, value: str, to: str, *, inbound: bool, **which: Any) -> str | None:
        """Let a word become another, or nothing with an empty `to`, in the caller's transaction, which holds the owner. Returns what it
        became before, None where nothing changes."""
        before = self.found(owner, value, inbound=inbound, **which)
        if before == to:
            return None
        said, other = _sides(inbound)
        here = {self.owner: owner, "inbound": inbound, **which}
        self.lines._default_manager.filter(**here, **{said: value}).delete()
        if to:
            self.lines._default_manager.create(**here, **{said: value, other: to})
            self.missing._default_manager.filter(**here, value=value).delete()
        return before


def _sides(inbound: bool) -> tuple[str, str]:
    return ("theirs", "ours") if inbound else ("ours", "theirs")
