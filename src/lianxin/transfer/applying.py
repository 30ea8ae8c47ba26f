"""An uploaded workbook as a plan, and the plan put into the database: all of it or nothing, and just what was shown.

A list that is in the workbook is taken as a city's file would be – what is gone from it is closed – but for people: who is not
in the list is left alone, and changes of accounts go through `organisations.accounts`. Lists that are not in the workbook stay
as they are and are checked along with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from lianxin.cases import reference
from lianxin.cases.catalogue.content import Difference
from lianxin.cases.tasks import recompute_due_times
from lianxin.city import knowledge, store, terms, undoing
from lianxin.city.areas import Areas
from lianxin.city.changes import Change, Picture, between, picture
from lianxin.city.faults import Faults
from lianxin.city.load import FORM as _FORM
from lianxin.city.plan import Plan, check_lists
from lianxin.city.tables import Row, row_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, NotAllowed
from lianxin.knowledge.models import Version, VersionState
from lianxin.organisations import accounts
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role, Staff, Unit, WorkCalendar
from lianxin.places.models import Area, City

from .lists import BY_KEY, SHEETS, ListSheet
from .spreadsheets import BadSheets, Uploaded, sentences

_LOCK = 430_600_012_345  # the same as a load of the city's files
SHOWN = 200
WHY = "XLSX"
# Which tables of `city.changes` each list may change.
TABLES = {"units": "units", "categories": "categories", "time_limits": "time_limits", "catalogue": "catalogue_rules",
          "keywords": "categories", "staff": "staff", "articles": "articles"}


@dataclass(frozen=True, slots=True)
class ListPlan:
    """What becomes of one list: numbers, and the keys of what is added, changed and closed."""

    key: str
    title: str
    change: Change
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan that could be applied as it is now. `stands` is a digest of the database it was made for; `undone` are decisions of the
    desk on the dispatch catalogue that it would undo."""

    lists: list[ListPlan]
    stands: str
    undone: list[Difference]

    @property
    def changes(self) -> bool:
        return any(one.change for one in self.lists)


def may(actor: Actor) -> bool:
    """The hotline's administrators."""
    return actor.holds_in_hotline(Role.ADMINISTRATOR)


def _rows(sheet: ListSheet, cells: list[dict[str, str]], lines: list[int], faults: Faults) -> list[Row]:
    made = []
    for line, row in zip(lines, cells, strict=True):
        typed = row_of(sheet.table, row, line, faults)
        if typed is not None:
            made.append(typed)
    return _once(sheet, made, faults)


_KEYS = {"units": ("code",), "categories": ("code",), "time_limits": ("category", "kind", "urgency", "track", "unit", "valid_from"),
         "keywords": (), "catalogue": (), "staff": ("username",), "articles": ("code",)}


def _once(sheet: ListSheet, rows: list[Row], faults: Faults) -> list[Row]:
    from lianxin.city.checks import once

    return once(rows, _KEYS[sheet.key], faults) if _KEYS[sheet.key] else rows


def _planned(found: Uploaded, today: date) -> Plan:
    """The workbook's lists, and the database's for the others, as a checked plan."""
    city = City.objects.order_by("id").first()
    plan = Plan(Path(city.code if city else "."), settings=dict(city.settings) if city else {})
    plan.areas = Areas(levels=dict(Area.objects.filter(active=True).values_list("code", "level")), complete=True)
    plan.calendars = [Row("calendars.yaml", 0, {"code": one.code, "name": one.name, "name_en": one.name_en, "definition": one.definition})
                      for one in WorkCalendar.objects.filter(active=True)]
    typed: dict[str, list[Row]] = {}
    for sheet in SHEETS:
        if sheet.key in found.rows:
            typed[sheet.key] = _rows(sheet, found.rows[sheet.key], found.lines[sheet.key], plan.faults)
        else:
            cells = sheet.rows()
            typed[sheet.key] = _rows(sheet, cells, [0] * len(cells), plan.faults)
    if any(fault.line for fault in plan.faults.found):
        return plan  # a row that cannot be read would be missed by all that refer to it
    plan.units, plan.categories, plan.limits = typed["units"], typed["categories"], typed["time_limits"]
    plan.staff = typed["staff"]
    plan.articles = [Row(row.file, row.line, row.cells | {name: list(row[name]) for name in ("questions", "keywords")})
                     for row in typed["articles"]]
    check_lists(plan, keywords=typed["keywords"], catalogue=typed["catalogue"], today=today)
    if not plan.faults.found and "time_limits" in found.rows:
        terms.keep_the_past(plan, today=today, terms=(terms.TIME_LIMITS,))
    return plan


def _checked(found: Uploaded, today: date) -> Plan:
    """Raises BadSheets for what the workbook brings in; faults that the database has by itself are none of its."""
    plan = _planned(found, today)
    if plan.faults.found:
        before = {fault.reason for fault in _planned(Uploaded(), today).faults.found}
        if faults := sentences(plan.faults, found, but=before):
            raise BadSheets(faults)
    return plan


def _articles(plan: Plan, ids: Mapping[str, Mapping[str, int]]) -> None:
    """What the desk has written and the workbook says as it stands is no news: it stays the desk's."""
    current = {one.article.code: one for one in Version.objects.filter(
        state=VersionState.APPROVED, written_by__isnull=False).select_related("article")}
    names = ("title", "questions", "keywords", "answer", "basis", "source", "valid_from", "valid_until", "review_by", "public")

    def same(row: Row) -> bool:
        held = current.get(row["code"])
        return held is not None and all(getattr(held, name) == row[name] for name in names) and all(
            getattr(held, f"{name}_id") == found.get(row[name]) for name, found in ids.items())

    plan.articles = [row for row in plan.articles if not same(row)]


def _person(row: Mapping[str, str]) -> tuple[object, ...]:
    return (row["username"], row["name"], row["unit"], frozenset(row["roles"].split("|")), frozenset(row["area"].split("|")))


def _staff(plan: Plan, found: Uploaded, unit_ids: Mapping[str, int], area_ids: Mapping[str, int], by: Actor) -> None:
    """New people get an account, those who are there are changed; whoever is not in the list is left alone."""
    known = {person.username: person for person in Staff.objects.filter(username__in=[row["username"] for row in plan.staff])}
    units = {unit.code: unit for unit in Unit.objects.filter(pk__in=unit_ids.values())}
    as_it_is = {_person(row) for row in BY_KEY["staff"].rows()}
    faults: list[str] = []
    for row in plan.staff:
        if _person({name: "|".join(cell) if isinstance(cell, tuple) else cell for name, cell in row.cells.items()}) in as_it_is:
            continue
        try:
            person, unit, roles = known.get(row["username"]), units[row["unit"]], [Role(role) for role in row["roles"]]
            areas = [area_ids[area] for area in row["area"]]
            if person is None:
                person, _token = accounts.make(username=row["username"], name=row["name"], unit=unit, roles=roles, by=by)
                if not areas:
                    continue
            accounts.change(staff_id=person.pk, by=by, why=WHY, name=row["name"], unit=unit, roles=roles, areas=areas)
        except DomainError as error:
            words = "；".join([str(error.message), *(words for words in error.fields.values() if words)])
            faults.append(_("“%(sheet)s”第 %(line)d 行：%(fault)s") % {"sheet": found.titles["staff"], "line": row.line, "fault": words})
    if faults:
        raise BadSheets(faults)


def _write(plan: Plan, found: Uploaded, by: Actor) -> None:
    at = now()
    today = reference.today_of(at)
    area_ids = dict(Area.objects.values_list("code", "id"))
    unit_ids = store.units(plan, area_ids, today) if "units" in found.rows else dict(Unit.objects.values_list("code", "id"))
    if found.rows.keys() & {"categories", "keywords"}:
        category_ids = store.categories(plan)
    else:
        from lianxin.cases.models import Category

        category_ids = dict(Category.objects.values_list("code", "id"))
    ids = {"category": category_ids, "unit": unit_ids}
    if "time_limits" in found.rows:
        terms.store(terms.TIME_LIMITS, plan.limits, today=today, ids=ids)
    if "catalogue" in found.rows:
        store.catalogue(plan, at, keep=False)
    if "articles" in found.rows:
        whole = ids | {"area": area_ids}
        _articles(plan, whole)
        knowledge.articles(plan, whole, at)
    if "staff" in found.rows:
        _staff(plan, found, unit_ids, area_ids, by)


def _digest(seen: Picture) -> str:
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False, default=str).encode() + _FORM.encode()).hexdigest()


def _keys(before: Mapping[str, tuple[bool, str]], after: Mapping[str, tuple[bool, str]]) -> tuple[list[str], list[str], list[str]]:
    was, there = ({key for key, (used, _hash) in held.items() if used} for held in (before, after))
    changed = [key for key in was & there if before[key] != after[key]]
    return sorted(there - was)[:SHOWN], sorted(changed)[:SHOWN], sorted(was - there)[:SHOWN]


def _run(found: Uploaded, by: Actor) -> tuple[list[ListPlan], str, list[Difference]]:
    """Check and write, inside the caller's transaction. Raises BadSheets and NotAllowed."""
    if not may(by):
        raise NotAllowed(_("只有热线中心的系统管理员可以用表格改这些清单。"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    plan = _checked(found, reference.today_of(now()))
    lost = undoing.undone(plan) if "catalogue" in found.rows else []
    before = picture()
    _write(plan, found, by)
    after = picture()
    changes = between(before, after)
    lists = [ListPlan(key, found.titles[key], changes[TABLES[key]], *_keys(before[TABLES[key]], after[TABLES[key]])) for key in found.rows]
    return lists, _digest(before), lost


class _Enough(Exception):
    """Ends a rehearsal."""


def prepare(found: Uploaded, *, by: Actor) -> Prepared:
    """What applying the workbook would do, found by doing it and taking everything back. Raises BadSheets and NotAllowed."""
    made: list[Any] = []
    try:
        with transaction.atomic():
            made += _run(found, by)
            raise _Enough
    except _Enough:
        pass
    lists, stands, lost = made
    return Prepared(lists, stands, lost)


def apply(found: Uploaded, *, by: Actor, stands: str) -> list[ListPlan]:
    """Apply what was shown. Raises Conflict when any of the lists was changed since, BadSheets and NotAllowed; then nothing was changed."""
    with transaction.atomic():
        lists, now_stands, _lost = _run(found, by)
        if now_stands != stands:
            raise Conflict(_("给您看过之后，有人改了这些清单。请重新上传，再看一遍。"))
        recompute_due_times.configure(schedule_in={"seconds": 10}).defer()
    forget()
    return lists


def forget() -> None:
    """This process reads the lists anew; others do within seconds."""
    from lianxin.places import gazetteer, locate

    for held in (reference, locate, gazetteer):
        held.forget()


__all__ = ["BY_KEY", "ListPlan", "Prepared", "apply", "may", "prepare"]
