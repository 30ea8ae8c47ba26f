"""Limits and notice rules: rows with a first and a last day. They are checked here, and changed for the future only.

What was in force before today stays in the database as it was: deadlines computed from it can be explained for good. A city ends
a row from today or a later day on, and lets another follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _

from lianxin.cases.models import DutyLimit, Kind, NoticeRule, TimeLimit, Urgency

from . import files
from .checks import dates, known, overlaps
from .faults import Faults
from .tables import Row

if TYPE_CHECKING:
    from .plan import Plan

Key = tuple[Any, ...]
Ids = dict[str, int]


@dataclass(frozen=True, slots=True)
class Term:
    """One table of dated rows: what names a row beside its first day, and what it says. `basis` is words, no rule."""

    file: str
    model: type[models.Model]
    key: tuple[str, ...]
    says: tuple[str, ...]
    rows: Callable[[Plan], list[Row]]

    def named(self, row: Row) -> Key:
        return (*(row[name] for name in self.key), row["valid_from"])


TIME_LIMITS = Term(files.TIME_LIMITS.file, TimeLimit, ("category", "kind", "urgency", "track", "unit"),
                   ("calendar", "sign_for", "first_contact", "resolve"), lambda plan: plan.limits)
DUTY_LIMITS = Term(files.DUTY_LIMITS.file, DutyLimit, ("duty", "urgency", "unit"), ("calendar", "minutes"),
                   lambda plan: plan.duty_limits)
NOTICE_RULES = Term(files.NOTICE_RULES.file, NoticeRule, ("code",),
                    ("level", "kinds", "urgency", "share_left", "minutes_after", "to"), lambda plan: plan.notice_rules)
TERMS = (TIME_LIMITS, DUTY_LIMITS, NOTICE_RULES)


def check(plan: Plan) -> None:
    """Every fault of the three files that can be seen without the database."""
    faults = plan.faults
    names, units = {row["code"] for row in plan.categories}, {row["code"] for row in plan.units}
    for term in TERMS:
        rows = term.rows(plan)
        for row in rows:
            dates(faults, row, "valid_from", "valid_to")
            for name, allowed in (("category", names), ("unit", units), ("calendar", plan.calendar_codes)):
                if name in row.cells:
                    known(faults, row, name, allowed)
        overlaps(faults, rows, term.key)
    for row in plan.limits:
        if max(row["sign_for"], row["first_contact"]) > row["resolve"]:
            faults.add(row.file, row.line, _("签收和首次联系的时限不能长于办结时限"))
    for row in plan.notice_rules:
        if (row["share_left"] is None) == (row["minutes_after"] is None):
            faults.add(row.file, row.line, _("share_left 和 minutes_after 要写一个，也只能写一个"))
    _check_whole(plan)


def _check_whole(plan: Plan) -> None:
    """Any case must find a limit whatever its category and unit: so there is a row for each combination without them."""
    if not plan.limits:
        return
    wanted = [(str(TimeLimit.Case.ORDINARY), kind, urgency) for kind in Kind.values for urgency in Urgency.values]
    wanted += [(str(track), kind, str(Urgency.NORMAL)) for track in (TimeLimit.Case.COMPLEX, TimeLimit.Case.REOPENED)
               for kind in Kind.values]
    for track, kind, urgency in wanted:
        if not any(
            not row["category"] and not row["unit"] and row["track"] == track and row["kind"] in ("", kind)
            and row["urgency"] in ("", urgency) and row["valid_to"] is None
            for row in plan.limits
        ):
            plan.faults.add(files.TIME_LIMITS.file, 0, _("缺少不限事项的时限：%s") % f"{track} {kind} {urgency}")


def _plain(value: Any) -> Any:
    """Comparable whether it came from a file or from the database."""
    return tuple(value) if isinstance(value, list | tuple) else value


def _held(term: Term) -> dict[Key, Any]:
    """The database's rows by what names them."""
    pointing = [name for name in ("category", "unit") if name in term.key]
    found = {}
    for one in term.model._default_manager.select_related(*pointing):
        key = tuple(
            (getattr(one, name).code if getattr(one, name) else "") if name in pointing else getattr(one, name)
            for name in term.key)
        found[(*key, getattr(one, "valid_from"))] = one  # noqa: B009 - the models have nothing else in common
    return found


def _gone(term: Term, key: Key, plan: Plan) -> bool:
    """Whether a row's category or unit is itself gone from the files: its rows are closed with it."""
    codes = {"category": {row["code"] for row in plan.categories}, "unit": {row["code"] for row in plan.units}}
    return any(name in codes and value and value not in codes[name] for name, value in zip(term.key, key, strict=False))


def keep_the_past(plan: Plan, *, today: date, terms: Iterable[Term] = TERMS) -> None:
    """Add a fault for every change of what was in force before today, and for every new row that would have been."""
    for term in terms:
        held = _held(term)
        if not held:
            continue
        given = {term.named(row): row for row in term.rows(plan)}
        for key, row in given.items():
            if key not in held and row["valid_from"] < today:
                plan.faults.add(term.file, row.line, _("新的一行须从今天或以后生效（valid_from），不能改写过去"))
            elif key in held and row["valid_from"] < today:
                _unchanged(term, row, held[key], today, plan.faults)
        for key in held.keys() - given.keys():
            if key[-1] < today and not _ended(held[key], today) and not _gone(term, key, plan):
                shown = " ".join(str(part) for part in key if part)
                plan.faults.add(term.file, 0, _("已生效的一行不能删掉，要停用请写 valid_to：%s") % shown)


def _ended(one: Any, today: date) -> bool:
    return one.valid_to is not None and one.valid_to < today


def _unchanged(term: Term, row: Row, one: Any, today: date, faults: Faults) -> None:
    changed = [name for name in term.says if _plain(row[name]) != _plain(getattr(one, name))]
    if changed:
        faults.add(row.file, row.line, _("这一行今天以前已经生效，不能改 %s；请写上 valid_to，另加一行") % "、".join(changed))
    elif row["valid_to"] != one.valid_to and (_ended(one, today) or (row["valid_to"] or date.max) < today):
        faults.add(row.file, row.line, _("valid_to 只能写今天或以后的日期，已经过去的不能改"))


def store(term: Term, rows: Iterable[Row], *, today: date, ids: dict[str, Ids]) -> int:
    """Write one table: rows of the future come and go, those of the past stay, ended at most."""
    held, count = _held(term), 0
    for row in rows:
        count += 1
        key, one = term.named(row), held.pop(term.named(row), None)
        values = {name: _listed(row[name]) for name in (*term.says, "basis", "valid_to")}
        if one is None:
            named = {f"{name}_id" if name in ids else name: ids[name].get(value) if name in ids else value
                     for name, value in zip((*term.key, "valid_from"), key, strict=True)}
            term.model._default_manager.create(**named, **values)
        elif any(_plain(getattr(one, name)) != _plain(value) for name, value in values.items()):
            for name, value in values.items():
                setattr(one, name, value)
            if hasattr(one, "armed"):  # running clocks wait for the rule as it was: the sweep makes their moments again
                values["armed"] = one.armed = False
            one.save(update_fields=list(values))
    for one in held.values():
        if one.valid_from >= today:
            one.delete()
        elif one.valid_to is None or one.valid_to > today:
            one.valid_to = today
            one.save(update_fields=["valid_to"])
    return count


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def written(plan: Plan, today: date, ids: dict[str, Ids]) -> dict[str, int]:
    """Write all three tables; returns how many rows each file holds."""
    return {term.file.removesuffix(".csv"): store(term, term.rows(plan), today=today, ids=ids) for term in TERMS}
