"""What is counted, as Ibis expressions over the facts: the same for every engine.

Times are compared with `as_of`, the moment the facts were read, never with the machine's clock: the same facts give the
same numbers on any day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import ibis
from ibis.expr.types import BooleanValue, IntegerScalar, Table

from .engines import TABLE, Engine
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


def moment(at: datetime) -> Any:
    """An instant as a literal both engines read alike."""
    return ibis.literal(at.isoformat()).cast("timestamp('UTC')")


def _in_time(e: Table, stage: str, as_of: datetime) -> BooleanValue:
    """Ended by its due time, or still running before it."""
    return ibis.coalesce(e[f"{stage}_ended_at"], moment(as_of)) <= e[f"{stage}_due_at"]


def measures(e: Table, as_of: datetime) -> dict[str, IntegerScalar]:
    """Numerators and denominators, by the names that `rates.DEFINITIONS` uses."""

    def where(condition: BooleanValue) -> IntegerScalar:
        return e.count(where=condition)

    def total(column: Any) -> IntegerScalar:
        return column.cast("int64").sum().fill_null(0).cast("int64")

    def stage(name: str) -> dict[str, IntegerScalar]:
        owed = e[f"{name}_due_at"].notnull()
        return {f"{name}_owed": where(owed), f"{name}_in_time": where(owed & _in_time(e, name, as_of))}

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
        "callback_in_time": where(_in_time(e, "callback", as_of)),
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


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A scope as ids: a category with all below it."""

    unit: int | None = None
    county: int | None = None
    categories: tuple[int, ...] | None = None

    def of(self, e: Table) -> Table:
        if self.unit is not None:
            e = e.filter(e.unit_id == self.unit)
        if self.county is not None:
            e = e.filter(e.county_id == self.county)
        if self.categories is not None:
            e = e.filter(e.category_id.isin(self.categories) if self.categories else ibis.literal(False))
        return e


def fell_due(period: Period, as_of: datetime) -> Table:
    """Episodes whose callback fell due in the period: not later than the facts stand, and still owed when it did."""
    e = EPISODES
    return e.filter(
        (e.callback_due_at >= moment(period.starts_at)) & (e.callback_due_at < moment(period.ends_at))
        & (e.callback_due_at <= moment(as_of))
        & (e.callback_stopped_at.isnull() | (e.callback_stopped_at >= e.callback_due_at))
    )


Counts = dict[str, int]


def count(engine: Engine, period: Period, narrowed: Narrowed) -> Counts:
    """The measures of one period and scope."""
    e = narrowed.of(fell_due(period, engine.as_of))
    made = measures(e, engine.as_of)
    row = engine.rows(e.aggregate(**made))[0]
    return {name: int(value) for name, value in zip(made, row, strict=True)}


def count_by(engine: Engine, period: Period, narrowed: Narrowed, column: str) -> dict[int | None, Counts]:
    """The measures for each value of a column of ids: `unit_id`, `county_id`, `town_id` or `category_id`."""
    e = narrowed.of(fell_due(period, engine.as_of))
    made = measures(e, engine.as_of)
    rows = engine.rows(e.group_by(key=e[column]).aggregate(**made))
    return {row[0]: {name: int(value) for name, value in zip(made, row[1:], strict=True)} for row in rows}


def _within(at: Any, period: Period, as_of: datetime) -> BooleanValue:
    return (at >= moment(period.starts_at)) & (at < moment(period.ends_at)) & (at <= moment(as_of))


def registered_in(period: Period, as_of: datetime) -> Table:
    """The first episode of each case registered in the period."""
    return EPISODES.filter((EPISODES["round"] == 1) & _within(EPISODES.registered_at, period, as_of))


def ended_in(period: Period, as_of: datetime) -> Table:
    """Episodes that ended in the period for the first time, whatever a contest or a reopening did later."""
    return EPISODES.filter(_within(EPISODES.ended_at, period, as_of))


def registered_by(engine: Engine, period: Period, narrowed: Narrowed, column: str) -> dict[Any, int]:
    """How many cases were registered in the period, for each value of a column."""
    e = narrowed.of(registered_in(period, engine.as_of))
    return {key: int(n) for key, n in engine.rows(e.group_by(key=e[column]).aggregate(n=e.count()))}


def ended_by_state(engine: Engine, period: Period, narrowed: Narrowed) -> dict[str, int]:
    """How many episodes first ended in the period, by how: closed, declined, withdrawn."""
    e = narrowed.of(ended_in(period, engine.as_of))
    return {str(key): int(n) for key, n in engine.rows(e.group_by(key=e.ended_as).aggregate(n=e.count()))}


def figures(counts: Counts) -> dict[str, Figure]:
    """Every figure of `rates.DEFINITIONS` from the measures."""
    return {
        code: figure(code, counts[definition.numerator], counts[definition.denominator])
        for code, definition in DEFINITIONS.items()
    }


NOTHING: Final[Counts] = {
    name: 0 for definition in DEFINITIONS.values() for name in (definition.numerator, definition.denominator)
}
