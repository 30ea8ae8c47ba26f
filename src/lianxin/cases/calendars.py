"""The city's calendars by code: the two that are always there, and those its files name.

They are held in memory with the rest of the reference picture (`reference.Reference.calendars`), so that computing a due
time asks the database nothing. `clocks.calendar_named` answers from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lianxin.organisations.models import AROUND_THE_CLOCK, WORKING, WorkCalendar
from lianxin.worktime import AnyCalendar, calendar_of, digest_of

# What the built-in codes mean until a city's file says otherwise; `around_the_clock` always means itself.
BUILT_IN: Mapping[str, Mapping[str, str]] = {WORKING: {"base": "legal"}, AROUND_THE_CLOCK: {"base": "around_the_clock"}}
NAMES: Mapping[str, tuple[str, str]] = {WORKING: ("工作日", "Working days"), AROUND_THE_CLOCK: ("全天候", "Around the clock")}


def definitions() -> dict[str, Mapping[str, object]]:
    """Code → definition of every calendar that a clock may run in, those no longer offered among them."""
    return {**BUILT_IN, **dict(WorkCalendar.objects.values_list("code", "definition"))}


def loaded() -> dict[str, AnyCalendar]:
    """Code → calendar. One query; a definition that has not changed gives the calendar made before."""
    return {code: calendar_of(definition) for code, definition in definitions().items()}


def of_duty(limit: str, unit: str) -> str:
    """The calendar in which a unit owes a duty to the hotline: `limit` is what the row of limits names, `unit` the unit's own.

    `working` in a row means working time, and that is the unit's own: a desk that never closes has 240 minutes where an
    office has 240 working minutes. Any other code in a row means that calendar, whoever owes it: what is urgent is signed
    for within half an hour at night as well. What was promised to the reporter never asks this question.
    """
    return unit if limit == WORKING else limit


@dataclass(frozen=True, slots=True)
class Settling:
    """A calendar by which the running clocks have yet to be computed, and its digest then."""

    code: str
    digest: str

    @staticmethod
    def settle(changed: Sequence[Settling]) -> None:
        """Note that every running clock has been computed by these."""
        for one in changed:
            WorkCalendar.objects.filter(code=one.code).update(settled=one.digest)


def unsettled() -> list[Settling]:
    """Calendars that changed since all their clocks were computed: by a city's file, or by a newer legal calendar."""
    for code, definition in BUILT_IN.items():  # so that it is noted for them too
        WorkCalendar.objects.get_or_create(
            code=code, defaults={"name": NAMES[code][0], "name_en": NAMES[code][1], "definition": dict(definition)})
    return [Settling(row.code, digest) for row in WorkCalendar.objects.all()
            if (digest := digest_of(row.definition)) != row.settled]
