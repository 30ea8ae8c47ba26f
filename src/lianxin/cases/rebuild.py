"""The state columns made again from the event log: the proof that the columns are only a cache of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from .engine import ASSIGNMENT_COLUMNS, CASE_COLUMNS, CLOCK_COLUMNS, plain
from .models import Assignment, Case, Clock, Event


@dataclass(slots=True)
class Rebuilt:
    """What the log says: plain JSON values by column."""

    case: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    assignments: dict[str, dict[str, Any]] = field(default_factory=dict)
    clocks: dict[str, dict[str, Any]] = field(default_factory=dict)


# Columns that came later: what they are in a case that was registered before.
LATER: dict[str, Any] = {"linkage": "", "linked": False, "answer_publication": None}


def rebuild(case_id: uuid.UUID) -> Rebuilt:
    """Fold every event of one case, oldest first."""
    result = Rebuilt(case=dict(LATER))
    for event in Event.objects.filter(case_id=case_id).order_by("id"):
        changes = event.changes
        result.case.update(changes.get("case", {}))
        for name, held in (("assignments", result.assignments), ("clocks", result.clocks)):
            for pk, columns in changes.get(name, {}).items():
                held.setdefault(pk, {}).update(columns)
        result.version = event.version
    return result


def _same(left: Any, right: Any) -> bool:
    from datetime import datetime

    if isinstance(left, str) and isinstance(right, str) and "T" in left and "T" in right:
        try:
            return datetime.fromisoformat(left) == datetime.fromisoformat(right)
        except ValueError:
            return left == right
    return bool(left == right)


def differences(case_id: uuid.UUID) -> list[str]:
    """Every state column that is not what the log says; an empty list is the proof."""
    log = rebuild(case_id)
    case = Case.objects.get(pk=case_id)
    found = [
        f"case.{name}: column {plain(getattr(case, name))!r}, log {log.case.get(name)!r}"
        for name in CASE_COLUMNS
        if not _same(plain(getattr(case, name)), log.case.get(name))
    ]
    if case.version != log.version:
        found.append(f"case.version: column {case.version}, log {log.version}")
    for model, columns, held in (
        (Assignment, ASSIGNMENT_COLUMNS, log.assignments),
        (Clock, CLOCK_COLUMNS, log.clocks),
    ):
        rows = {str(row.pk): row for row in model._default_manager.filter(case_id=case_id)}
        if set(rows) != set(held):
            found.append(f"{model.__name__}: rows {sorted(rows)}, log {sorted(held)}")
            continue
        found += [
            f"{model.__name__} {pk}.{name}: column {plain(getattr(row, name))!r}, log {held[pk].get(name)!r}"
            for pk, row in rows.items()
            for name in columns
            if not _same(plain(getattr(row, name)), held[pk].get(name))
        ]
    return found
