"""How a place is doing: what was said, what is open, how long it usually takes – of whole weeks, compared with itself.

Counted from the facts of `analysis`, by the area a case lies in, and all cases are counted: confidential ones and those that are
listed nowhere too, which is why small numbers are kept back (`withholding`). Figures stand as of a Monday's first moment, so that looking
each day tells nothing about a single case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import ibis
from django.core.cache import cache
from ibis.expr.types import Table

from lianxin.analysis.counting import ENDS_AT, EPISODES, NOTHING, Counts, Narrowed, count_by, moment, moments, number
from lianxin.analysis.counting import figures as counted_figures
from lianxin.analysis.counting import registered_in as said_in
from lianxin.analysis.engines import Blank, Engine, Value, answer, engine
from lianxin.analysis.figures import Figure
from lianxin.analysis.periods import Period
from lianxin.cases.reference import Place, Reference, reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.places.models import City
from lianxin.worktime.calendar import CHINA

from . import withholding
from .typical import Span, Typical, typical

WEEKS: Final = 52
BLOCK_WEEKS: Final = 13
BLOCKS: Final = 8
KEPT_SECONDS: Final = 6 * 3600
LEVELS: Final = ("city", "county", "town", "village")
RATES: Final = ("response", "resolution", "satisfaction", "on_time_resolve")
_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Window:
    """Whole weeks, Monday to Sunday, Asia/Shanghai; `end` is the first day after the last."""

    start: date
    end: date

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    def back(self, weeks: int) -> Window:
        return Window(self.start - timedelta(weeks=weeks), self.end - timedelta(weeks=weeks))

    @classmethod
    def before(cls, at: datetime, weeks: int = WEEKS) -> Window:
        """So many weeks up to the Monday that `at` follows."""
        day = at.astimezone(CHINA).date()
        end = day - timedelta(days=day.weekday())
        return cls(end - timedelta(weeks=weeks), end)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in one area with all below it. `registered` counts everybody who said something, `matters` what they said it
    about: duplicates of one matter once. `open` is what was open when the window ended, whenever it was said."""

    registered: int = 0
    matters: int = 0
    closed: int = 0
    open: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.registered + other.registered, self.matters + other.matters, self.closed + other.closed,
                     self.open + other.open)


@dataclass(frozen=True, slots=True)
class Standing:
    """One area as anyone may know it. `tally` is None where it is kept back; `typical` too where it rests on too little."""

    code: str
    name: str
    name_en: str
    level: str
    tally: Tally | None
    typical: Typical | None

    @property
    def open_said(self) -> int | None:
        """How many are open; None for one to four."""
        return None if self.tally is None or withholding.few(self.tally.open) else self.tally.open


@dataclass(frozen=True, slots=True)
class Block:
    """Thirteen weeks: what was said in them, how long it took."""

    window: Window
    typical: Typical


@dataclass(frozen=True, slots=True)
class Page:
    """An area's page: itself, the year before, its parts in the order of their codes, its way over two years, its rates."""

    window: Window
    as_of: datetime
    area: Standing
    before: Standing
    parts: tuple[Standing, ...]
    blocks: tuple[Block, ...]
    rates: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        return self.area.tally is not None


def top() -> str:
    """The code of the whole city; empty before a city is loaded."""
    return City.objects.values_list("code", flat=True).first() or ""


def place_of(code: str) -> Place | None:
    """An area that has a page. Grids are the administration's own and have none."""
    found = reference().places_by_code.get(code)
    return found if found is not None and found.level in LEVELS else None


def path_to(place: Place) -> list[Place]:
    """The areas above one, the city first."""
    held = reference()
    return [held.places[pk] for pk in reversed(place.lineage[1:]) if held.places[pk].level in LEVELS]


def _ended(e: Table) -> Any:
    """When a case was first closed; what was done again in its first round ended with the case."""
    return ibis.coalesce(e.ended_at, e.closed_at)


def _said_by_area() -> Table:
    said = said_in()
    closed = (said.state == "closed") & (_ended(said) < moment(ENDS_AT))
    return said.group_by(key=said.area_id).aggregate(
        registered=said.count(), matters=said.count(where=said.master_id.isnull()), closed=said.count(where=closed))


def _running_by_area() -> Table:
    e, end = EPISODES, moment(ENDS_AT)
    running = e.filter((e["round"] == 1) & (e.registered_at < end) & (e.closed_at.isnull() | (e.closed_at >= end)))
    return running.group_by(key=running.area_id).aggregate(n=running.count())


def _tallies(source: Engine, window: Window) -> dict[int | None, Tally]:
    """By the very area the case lies in."""
    given = moments(source, window.period)
    rows = answer(source, _said_by_area, **given)
    found = {key: Tally(int(registered), int(matters), int(done)) for key, registered, matters, done in rows}
    for key, count in answer(source, _running_by_area, **given):
        found[key] = found.get(key, Tally()) + Tally(open=int(count))
    return found


def _rolled(counted: Mapping[int | None, Any], held: Reference, zero: Any, root: int | None) -> dict[int, Any]:
    """What lies in each area with all below it; what has no area lies in the city."""
    found: dict[int, Any] = {}
    for key, value in counted.items():
        lineage = held.places[key].lineage if key is not None and key in held.places else (() if root is None else (root,))
        for pk in lineage:
            found[pk] = found.get(pk, zero) + value
    return found


def _parents(held: Reference) -> dict[int, int | None]:
    return {pk: (place.lineage[1] if len(place.lineage) > 1 else None) for pk, place in held.places.items() if place.level in LEVELS}


@dataclass(frozen=True, slots=True)
class _Tree:
    tallies: Mapping[int, Tally]
    shown: frozenset[int]


def _tree(source: Engine, window: Window) -> _Tree:
    held = reference()
    root = next((pk for pk, place in held.places.items() if place.level == "city"), None)
    tallies = _rolled(_tallies(source, window), held, Tally(), root)
    shown = withholding.shown({pk: tally.registered for pk, tally in tallies.items()}, _parents(held))
    return _Tree(tallies, frozenset(shown))


def _kept(name: str, source: Engine, make: Any) -> Any:
    """Counted once for each reading of the facts."""
    key = f"publishing:areas:{name}:{source.name}:{source.as_of.timestamp():.6f}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found


def _inside(place: Place, held: Reference) -> list[int]:
    return [pk for pk, other in held.places.items() if place.id in other.lineage]


def _of(e: Table, level: str, inside: tuple[int, ...]) -> Table:
    """The episodes of one area with all below it."""
    if level == "city":
        return e
    column = {"county": e.county_id, "town": e.town_id}.get(level)
    return e.filter(column == number(Blank("place")) if column is not None else e.area_id.isin(inside))


def _long(level: str, inside: tuple[int, ...], by: str) -> Table:
    """By a column, or by blocks of thirteen weeks: how many took or wait how many hours. What was declined or withdrawn is neither."""
    e, end = _of(said_in(), level, inside), moment(ENDS_AT)
    e = e.filter(~e.state.isin(["declined", "withdrawn"]))
    done = _ended(e) < end
    hours = (ibis.ifelse(done, _ended(e), end).epoch_seconds() - e.registered_at.epoch_seconds()).cast("int64") // 3600
    key = e[by] if by else (e.registered_at.epoch_seconds().cast("int64") - number(Blank("began"))) // (BLOCK_WEEKS * _SECONDS)
    table = e.mutate(key=key, hours=hours, done=done.fill_null(False))
    return table.group_by(["key", "hours", "done"]).aggregate(n=table.count())


def _spans(source: Engine, place: Place, window: Window, held: Reference, by: str = "") -> dict[Any, list[Span]]:
    """How long what was said in the window took or waits, in whole hours, by a column or by blocks."""
    inside = tuple(_inside(place, held)) if place.level == "village" else ()
    given: dict[str, Value] = {"place": place.id, "began": int(window.period.starts_at.timestamp()), **moments(source, window.period)}
    found: dict[Any, list[Span]] = {}
    for name, long, ended, count in answer(source, _long, place.level, inside, by, **given):
        found.setdefault(name, []).append(Span(int(long), bool(ended), int(count)))
    return found


def _part_of(place: Place, key: int | None, held: Reference) -> int | None:
    """Which of an area's parts another area lies in."""
    lineage = held.places[key].lineage if key is not None and key in held.places else ()
    at = lineage.index(place.id) if place.id in lineage else 0
    return lineage[at - 1] if at > 0 else None


def _typicals(source: Engine, place: Place, window: Window, held: Reference) -> dict[int | None, Typical]:
    """The typical time of each part of an area; of the whole under None."""
    column = {"city": "county_id", "county": "town_id"}.get(place.level, "area_id")
    found = _spans(source, place, window, held, column)
    parts: dict[int, list[Span]] = {}
    for key, spans in found.items():
        part = _part_of(place, key, held)
        if part is not None:
            parts.setdefault(part, []).extend(spans)
    return {None: typical(span for spans in found.values() for span in spans),
            **{part: typical(spans) for part, spans in parts.items()}}


def _blocks(source: Engine, place: Place, window: Window, held: Reference) -> tuple[Block, ...]:
    """Two years in blocks of thirteen weeks, oldest first. Each is seen as it stood when the window ended."""
    whole = Window(window.end - timedelta(weeks=BLOCKS * BLOCK_WEEKS), window.end)
    found = _spans(source, place, whole, held)
    return tuple(
        Block(Window(whole.start + timedelta(weeks=BLOCK_WEEKS * at), whole.start + timedelta(weeks=BLOCK_WEEKS * (at + 1))),
              typical(found.get(at, ())))
        for at in range(BLOCKS))


def _rates(source: Engine, place: Place, window: Window, held: Reference) -> dict[str, Figure]:
    within = Narrowed(county=place.county_id if place.level != "city" else None)
    column = {"city": "county_id", "county": "county_id", "town": "town_id"}.get(place.level, "area_id")
    counts: Counts = dict(NOTHING)
    for key, more in count_by(source, window.period, within, column).items():
        known = held.places.get(key) if key is not None else None
        if place.level == "city" or (known is not None and place.id in known.lineage):
            counts = {name: counts.get(name, 0) + value for name, value in more.items()}
    made = counted_figures({**NOTHING, **counts})
    return {code: made[code] for code in RATES}


def _standing(place: Place, tree: _Tree, found: Typical | None) -> Standing:
    open_to_all = place.id in tree.shown
    return Standing(place.code, place.name, place.name_en, place.level,
                    tree.tallies.get(place.id, Tally()) if open_to_all else None,
                    found if open_to_all and found is not None and not found.few else None)


def _parts(place: Place, held: Reference) -> Iterable[Place]:
    if place.level == "village":
        return []
    return sorted((one for one in held.places.values() if len(one.lineage) > 1 and one.lineage[1] == place.id and one.level in LEVELS),
                  key=lambda one: one.code)


def _page(source: Engine, place: Place, window: Window) -> Page:
    held = reference()
    tree: _Tree = _kept(f"tree:{window.end}", source, lambda: _tree(source, window))
    earlier: _Tree = _kept(f"tree:{window.back(WEEKS).end}", source, lambda: _tree(source, window.back(WEEKS)))
    shown = place.id in tree.shown
    times = _typicals(source, place, window, held) if shown else {}
    before = _typicals(source, place, window.back(WEEKS), held) if place.id in earlier.shown else {}
    return Page(
        window, source.as_of, _standing(place, tree, times.get(None)), _standing(place, earlier, before.get(None)),
        tuple(_standing(part, tree, times.get(part.id)) for part in _parts(place, held)),
        _blocks(source, place, window, held) if shown else (),
        _rates(source, place, window, held) if shown else {},
    )


def page_of(place: Place, at: datetime | None = None) -> Page | None:
    """An area's page as of the last Monday; None before any facts were read."""
    try:
        with engine() as source:
            window = Window.before(min(at or now(), source.as_of))
            made: Page = _kept(f"page:{place.code}:{window.end}", source, lambda: _page(source, place, window))
            return made
    except Conflict:
        return None
