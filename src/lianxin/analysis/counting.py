"""What is counted, as Ibis expressions over the facts: the same for every engine.

Periods and `as_of`, the moment the facts were read, stand in them as blanks. Times are compared with `as_of`, never with the
machine's clock: the same facts give the same numbers on any day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import ibis
from ibis.expr.types import BooleanValue, IntegerScalar, Table

from .engines import TABLE, Blank, Engine, answer
from .facts_sql import COLUMNS
from .figures import Figure, Period
from .intervals import figure
from .models import Episode
from .rates import DEFINITIONS

_TYPES: Final = {
    "UUIDField": "uuid", "CharField": "string", "PositiveSmallIntegerField": "int16", "BigIntegerField": "int64",
    "BooleanField": "boolean", "DateTimeField": "timestamp('UTC')",
}
EPISODES: Final = ibis.table(
    {name: _TYPES[Episode._meta.get_field(name).get_internal_type()] for name in COLUMNS}, name=TABLE
)


STARTS_AT: Final = Blank("starts_at")
ENDS_AT: Final = Blank("ends_at")
AS_OF: Final = Blank("as_of")


def moment(blank: Blank) -> Any:
    """An instant as a literal both engines read alike."""
    return ibis.literal(blank.text).cast("timestamp('UTC')")


def number(blank: Blank) -> Any:
    """An id, or another whole number."""
    return ibis.literal(blank.text).cast("int64")


def _in_time(e: Table, stage: str) -> BooleanValue:
    """Ended by its due time, or still running before it."""
    return ibis.coalesce(e[f"{stage}_ended_at"], moment(AS_OF)) <= e[f"{stage}_due_at"]


def measures(e: Table) -> dict[str, IntegerScalar]:
    """Numerators and denominators, by the names that `rates.DEFINITIONS` uses."""

    def where(condition: BooleanValue) -> IntegerScalar:
        return e.count(where=condition)

    def total(column: Any) -> IntegerScalar:
        return column.cast("int64").sum().fill_null(0).cast("int64")

    def stage(name: str) -> dict[str, IntegerScalar]:
        owed = e[f"{name}_due_at"].notnull()
        return {f"{name}_owed": where(owed), f"{name}_in_time": where(owed & _in_time(e, name))}

    first = (e["round"] == 1) & (e.dispatches > 0)
    return {
        "due": e.count(),
        "contacted_in_time": where(e.first_contact_met_at <= e.first_contact_due_at),
        "reached": where(e.reached),
        "solved": where(e.reached & e.solved),
        "rated": where(e.satisfaction != ""),
        "satisfied": where(e.satisfaction.isin(["satisfied", "basically"])),
        "unreached": where(~e.reached),
        **stage("sign_for"), **stage("first_contact"), **stage("resolve"),
        "callback_in_time": where(_in_time(e, "callback")),
        "rulings_owed": total(e.rulings),
        "rulings_in_time": total(e.rulings - e.rulings_late),
        "first_dispatched": where(first),
        "first_dispatch_stood": where(first & (e.dispatches == 1)),
        "reopened": where(~e.latest),
        "returns": total(e.returns),
        "reworks": total(e.sent_back + ibis.cases((e.latest, 0), else_=1)),
        "against_catalogue": total(e.against_catalogue),
        "pauses": total(e.pauses),
        "extensions": total(e.extensions),
    }


@cache
def _names() -> tuple[str, ...]:
    return tuple(measures(EPISODES))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a scope narrows the episodes, but for the ids that stand in it as blanks."""

    unit: bool
    county: bool
    categories: tuple[int, ...] | None

    def of(self, e: Table) -> Table:
        if self.unit:
            e = e.filter(e.unit_id == number(Blank("unit")))
        if self.county:
            e = e.filter(e.county_id == number(Blank("county")))
        if self.categories is not None:
            e = e.filter(e.category_id.isin(self.categories) if self.categories else ibis.literal(False))
        return e


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A scope as ids: a category with all below it."""

    unit: int | None = None
    county: int | None = None
    categories: tuple[int, ...] | None = None

    @property
    def shape(self) -> Shape:
        return Shape(self.unit is not None, self.county is not None, self.categories)

    @property
    def ids(self) -> dict[str, int]:
        return {name: pk for name, pk in (("unit", self.unit), ("county", self.county)) if pk is not None}


def moments(source: Engine, period: Period) -> dict[str, datetime]:
    """What the blanks of time stand for."""
    return {"starts_at": period.starts_at, "ends_at": period.ends_at, "as_of": source.as_of}


def fell_due() -> Table:
    """Episodes whose callback fell due in the period: not later than the facts stand, and still owed when it did."""
    e = EPISODES
    return e.filter(
        (e.callback_due_at >= moment(STARTS_AT)) & (e.callback_due_at < moment(ENDS_AT))
        & (e.callback_due_at <= moment(AS_OF))
        & (e.callback_stopped_at.isnull() | (e.callback_stopped_at >= e.callback_due_at))
    )


Counts = dict[str, int]


def _counted(shape: Shape, column: str | None) -> Table:
    e = shape.of(fell_due())
    return (e if column is None else e.group_by(key=e[column])).aggregate(**measures(e))


def count(engine: Engine, period: Period, narrowed: Narrowed) -> Counts:
    """The measures of one period and scope."""
    row = answer(engine, _counted, narrowed.shape, None, **moments(engine, period), **narrowed.ids)[0]
    return {name: int(value) for name, value in zip(_names(), row, strict=True)}


def count_by(engine: Engine, period: Period, narrowed: Narrowed, column: str) -> dict[int | None, Counts]:
    """The measures for each value of a column of ids: `unit_id`, `county_id`, `town_id` or `category_id`."""
    rows = answer(engine, _counted, narrowed.shape, column, **moments(engine, period), **narrowed.ids)
    return {row[0]: {name: int(value) for name, value in zip(_names(), row[1:], strict=True)} for row in rows}


def _within(at: Any) -> BooleanValue:
    return (at >= moment(STARTS_AT)) & (at < moment(ENDS_AT)) & (at <= moment(AS_OF))


def registered_in() -> Table:
    """The first episode of each case registered in the period."""
    return EPISODES.filter((EPISODES["round"] == 1) & _within(EPISODES.registered_at))


def ended_in() -> Table:
    """Episodes that ended in the period for the first time, whatever a contest or a reopening did later."""
    return EPISODES.filter(_within(EPISODES.ended_at))


def _registered(shape: Shape, column: str) -> Table:
    e = shape.of(registered_in())
    return e.group_by(key=e[column]).aggregate(n=e.count())


def _ended(shape: Shape) -> Table:
    e = shape.of(ended_in())
    return e.group_by(key=e.ended_as).aggregate(n=e.count())


def registered_by(engine: Engine, period: Period, narrowed: Narrowed, column: str) -> dict[Any, int]:
    """How many cases were registered in the period, for each value of a column."""
    rows = answer(engine, _registered, narrowed.shape, column, **moments(engine, period), **narrowed.ids)
    return {key: int(n) for key, n in rows}


def ended_by_state(engine: Engine, period: Period, narrowed: Narrowed) -> dict[str, int]:
    """How many episodes first ended in the period, by how: closed, declined, withdrawn."""
    rows = answer(engine, _ended, narrowed.shape, **moments(engine, period), **narrowed.ids)
    return {str(key): int(n) for key, n in rows}


def figures(counts: Counts) -> dict[str, Figure]:
    """Every figure of `rates.DEFINITIONS` from the measures."""
    return {
        code: figure(code, counts[definition.numerator], counts[definition.denominator])
        for code, definition in DEFINITIONS.items()
    }


NOTHING: Final[Counts] = {
    name: 0 for definition in DEFINITIONS.values() for name in (definition.numerator, definition.denominator)
}
