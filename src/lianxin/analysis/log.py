"""The same facts made again from nothing but the event log: what `verify` holds against the tables.

A fold over a case's events, oldest first. It reads `changes` and `data`, no ledger table, no state column. Only the case
number, which the log does not hold and no action can alter, is left to the tables; the town of an area is reference data.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_PAST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the fold reads it."""

    id: uuid.UUID
    case_id: uuid.UUID
    action: str
    at: datetime
    changes: Mapping[str, Any]
    data: Mapping[str, Any]


@dataclass(slots=True)
class _Round:
    """What the log counts of one round."""

    returns: int = 0
    sent_back: int = 0
    pauses: int = 0
    extensions: int = 0
    drawn: bool = True
    ended_at: datetime | None = None
    ended_as: str = ""
    attempts: int = 0
    reached: bool = False
    solved: bool | None = None
    satisfaction: str = ""


@dataclass(slots=True)
class Folded:
    """One case as its events say it."""

    case_id: uuid.UUID
    registered_at: datetime = _PAST
    channel: str = ""
    case: dict[str, Any] = field(default_factory=dict)
    clocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    rounds: dict[int, _Round] = field(default_factory=dict)

    @property
    def round(self) -> int:
        return int(self.case.get("round", 1))

    def take(self, entry: Entry) -> None:
        """Read one event. What it says of the reporter's word belongs to the round it was said in, not one it opens."""
        was = self.rounds.setdefault(self.round, _Round())
        changes = entry.changes
        if entry.action == "register":
            self.registered_at, self.channel = entry.at, entry.data["channel"]
        self.case.update(changes.get("case", {}))
        for pk, columns in changes.get("clocks", {}).items():
            self._clock(pk, columns)
        for pk, columns in changes.get("assignments", {}).items():
            self.parts.setdefault(pk, {"in_round": self.round, "signing": False}).update(columns)
        for clock in self.clocks.values():
            if clock["kind"] == "sign_for" and clock["assignment_id"] in self.parts:
                part = self.parts[clock["assignment_id"]]
                if not part["signing"]:
                    part.update(signing=True, in_round=int(clock["round"]))
        self._said(entry, was)
        held = self.rounds.setdefault(self.round, _Round())
        ended = changes.get("case", {}).get("closed_at")
        if ended and held.ended_at is None:
            held.ended_at, held.ended_as = _time(ended), str(self.case["state"])

    def _clock(self, pk: str, columns: Mapping[str, Any]) -> None:
        held = self.clocks.setdefault(pk, {})
        extended, paused = held.get("extended_minutes", 0), held.get("paused_at")
        held.update(columns)
        counts = self.rounds.setdefault(int(held["round"]), _Round())
        counts.extensions += int(held.get("extended_minutes", 0) > extended)
        counts.pauses += int(held.get("paused_at") is not None and paused is None)

    def _said(self, entry: Entry, was: _Round) -> None:
        data = entry.data
        if entry.action == "raise_return":
            was.returns += 1
        elif entry.action in ("approve", "answer_with_master"):
            was.drawn = was.drawn and data.get("drawn") is not False
        elif entry.action == "send_back":
            was.sent_back += 1
        elif entry.action == "record_callback_attempt":
            was.attempts += 1
            if data["outcome"] == "reached":
                self._word(was, data["solved"], data["satisfaction"])
        elif entry.action == "rate":
            self._word(was, data["solved"], data["satisfaction"])
        elif entry.action == "contest":
            self._word(was, False, "")

    def _word(self, was: _Round, solved: bool | None, satisfaction: str) -> None:
        was.reached = True
        if solved is not None:
            was.solved = solved
        if satisfaction:
            was.satisfaction = satisfaction

    def _last_part(self, number: int, *, dispatched: bool) -> str | None:
        found = [(_time(part["assigned_at"]) or _PAST, pk) for pk, part in self.parts.items()
                 if part["role"] == "lead" and part["in_round"] == number and (part["signing"] or not dispatched)]
        return max(found)[1] if found else None

    def _of_case(self, kind: str, number: int) -> list[tuple[str, dict[str, Any]]]:
        return [(pk, clock) for pk, clock in self.clocks.items()
                if clock["kind"] == kind and clock["assignment_id"] is None and clock["round"] == number]

    def _last_clock(self, kind: str, number: int) -> dict[str, Any]:
        found = self._of_case(kind, number)
        return max(found, key=lambda one: (_time(one[1]["started_at"]), one[0]))[1] if found else {}

    def _callback(self, number: int) -> dict[str, Any]:
        if not self.rounds.get(number, _Round()).drawn:
            return {}
        found = self._of_case("callback", number)

        def order(one: tuple[str, dict[str, Any]]) -> tuple[bool, Any, str]:
            stopped, due = _time(one[1]["stopped_at"]), _time(one[1]["due_at"])
            return bool(stopped and due and stopped < due), _time(one[1]["started_at"]), one[0]

        return min(found, key=order)[1] if found else {}

    def _signing(self, number: int) -> dict[str, Any]:
        part = self._last_part(number, dispatched=True)
        found = [(pk, clock) for pk, clock in self.clocks.items()
                 if clock["kind"] == "sign_for" and part is not None and clock["assignment_id"] == part]

        def order(one: tuple[str, dict[str, Any]]) -> tuple[bool, Any, str]:
            ended, due = _ended(one[1]), _time(one[1]["due_at"])
            return ended is None, ended - due if ended and due else None, one[0]

        if any(_ended(clock) is None for _pk, clock in found):
            found = [one for one in found if _ended(one[1]) is None]
        return max(found, key=order)[1] if found else {}

    def _rulings(self, number: int) -> tuple[int, int]:
        ended = [(_ended(clock), _time(clock["due_at"])) for clock in self.clocks.values()
                 if clock["kind"] == "ruling" and clock["round"] == number and _ended(clock) is not None]
        return len(ended), sum(1 for end, due in ended if end and due and end > due)

    def episodes(self, towns: Mapping[int, int | None], master: Folded | None) -> dict[int, dict[str, Any]]:
        """The facts of each round, by the columns of `facts_sql.COLUMNS` but for `number`."""
        return {number: self._episode(number, towns, master) for number in range(1, self.round + 1)}

    def _episode(self, number: int, towns: Mapping[int, int | None], master: Folded | None) -> dict[str, Any]:
        counts = self.rounds.get(number, _Round())
        latest = number == self.round
        leads = [part for part in self.parts.values()
                 if part["role"] == "lead" and part["in_round"] == number and part["signing"]]
        last = self._last_part(number, dispatched=False)
        unit = self.parts[last]["unit_id"] if last else None
        if unit is None and latest:
            unit = self.case["lead_unit_id"]
        if unit is None and master is not None:
            unit = master.case["lead_unit_id"]
        signing, contact = self._signing(number), self._last_clock("first_contact", number)
        resolve, callback = self._last_clock("resolve", number), self._callback(number)
        rulings, late = self._rulings(number)
        area, held = self.case["area_id"], self.case["master_id"]
        return {
            "case_id": self.case_id, "round": number, "latest": latest, "master_id": uuid.UUID(held) if held else None,
            "channel": self.channel, "kind": self.case["kind"], "urgency": self.case["urgency"],
            "state": self.case["state"], "outcome": self.case["outcome"], "category_id": self.case["category_id"],
            "area_id": area, "town_id": towns.get(area) if area is not None else None,
            "county_id": self.case["county_id"], "unit_id": unit, "registered_at": self.registered_at,
            "closed_at": _time(self.case["closed_at"]), "ended_at": counts.ended_at, "ended_as": counts.ended_as,
            "sign_for_due_at": _time(signing.get("due_at")), "sign_for_ended_at": _ended(signing),
            "first_contact_due_at": _time(contact.get("due_at")), "first_contact_ended_at": _ended(contact),
            "first_contact_met_at": _time(contact.get("met_at")),
            "resolve_due_at": _time(resolve.get("due_at")), "resolve_ended_at": _ended(resolve),
            "callback_due_at": _time(callback.get("due_at")), "callback_ended_at": _ended(callback),
            "callback_stopped_at": _time(callback.get("stopped_at")),
            "rulings": rulings, "rulings_late": late, "dispatches": len(leads),
            "against_catalogue": sum(1 for part in leads if part["against_catalogue"]),
            "returns": counts.returns, "sent_back": counts.sent_back, "pauses": counts.pauses,
            "extensions": counts.extensions, "attempts": counts.attempts, "reached": counts.reached,
            "solved": counts.solved, "satisfaction": counts.satisfaction,
        }


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _ended(clock: Mapping[str, Any]) -> datetime | None:
    return _time(clock.get("met_at")) or _time(clock.get("stopped_at"))


def fold(entries: Iterable[Entry]) -> dict[uuid.UUID, Folded]:
    """Every case of the events given, which must be whole and in order for each case."""
    held: dict[uuid.UUID, Folded] = {}
    for entry in entries:
        if entry.case_id not in held:
            held[entry.case_id] = Folded(entry.case_id)
        held[entry.case_id].take(entry)
    return held
