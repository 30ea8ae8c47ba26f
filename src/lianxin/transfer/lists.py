"""The lists of an office that are kept as spreadsheets: their sheets, what their columns are called, and the database's own rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from lianxin.cases.catalogue.content import newest
from lianxin.cases.models import Category, Kind, TimeLimit, Urgency
from lianxin.cases.reference import today_of
from lianxin.city import files, writing
from lianxin.city.tables import Column, Table, code, day, many, words
from lianxin.kernel.clock import now
from lianxin.knowledge.models import Version, VersionState
from lianxin.organisations.models import Role, RoleGrant, Staff, Unit, UnitKind, WorkCalendar
from lianxin.places.models import Area

from .labels import LABELS

Cells = dict[str, str]


def _public(cell: str) -> bool:
    if cell not in ("", "yes", "no"):
        raise ValueError(_("“%s”应写成 yes 或 no") % cell)
    return cell != "no"


ARTICLES = Table("knowledge", "Answers that operators read out; an article that is changed here is the next version, in use at once.", (
    Column("code", "The article's code; never reused.", code(40), needed=True),
    Column("title", "What it answers, in a few words.", words(160), needed=True),
    Column("answer", "What the operator reads out, in plain sentences.", words(4000), needed=True),
    Column("questions", "Ways residents ask it, separated by |.", many(words(200))),
    Column("keywords", "Words that find it, separated by |.", many(words(40))),
    Column("category", "Code of a category.", code(12)),
    Column("unit", "Code of the unit that answers for it.", code(24)),
    Column("area", "Code of the area it holds for; the whole city when empty.", code(24)),
    Column("basis", "The law or document it rests on.", words(1000)),
    Column("source", "Who wrote it.", words(200)),
    Column("valid_from", "First day it may be used.", day, needed=True),
    Column("valid_until", "Last day it holds.", day),
    Column("review_by", "Day after which it is no longer shown until reviewed.", day),
    Column("public", "`no`: for staff only; `yes` when empty.", _public),
))

@dataclass(frozen=True, slots=True)
class ListSheet:
    """One list: the name of its sheet, its columns, and how to read the database's rows. `choices` are the values of columns that
    may be chosen from."""

    key: str
    title: str | Promise
    table: Table
    rows: Callable[[], list[Cells]]

    def label(self, column: Column) -> str:
        if (get_language() or "zh").startswith("zh"):
            return LABELS[self.key][column.name][0]
        return column.name.replace("_", " ")

    def meaning(self, column: Column) -> str:
        if (get_language() or "zh").startswith("zh"):
            return LABELS[self.key][column.name][1]
        return column.meaning.replace("`", "")


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _code(one: Any) -> str:
    return one.code if one is not None else ""


def units() -> list[Cells]:
    return [{
        "code": one.code, "name": one.name, "short_name": one.short_name, "name_en": one.name_en, "kind": one.kind,
        "parent": _code(one.parent), "area": _code(one.area), "calendar": "" if one.calendar == "working" else one.calendar,
        "duties": one.duties,
        "active_from": _day(one.active_from), "active_to": _day(one.active_to),
    } for one in Unit.objects.select_related("parent", "area").order_by("code")]


def categories() -> list[Cells]:
    return [{
        "code": one.code, "name": one.name, "name_en": one.name_en, "parent": _code(one.parent), "kind": one.kind if one.is_leaf else "",
        "urgency": "" if one.urgency == Urgency.NORMAL else one.urgency, "field_matter": _yes(one.field_matter),
        "complex_allowed": _yes(one.complex_allowed), "plain_name": one.plain_name, "plain_name_en": one.plain_name_en,
        "quick_topic": str(one.quick_topic or ""), "added": _yes(one.added), "publicity": one.publicity,
    } for one in Category.objects.filter(active=True).select_related("parent").order_by("code")]


def time_limits() -> list[Cells]:
    over = Q(category__active=False, valid_to__lte=today_of(now()))
    return [{
        "category": _code(one.category), "kind": one.kind, "urgency": one.urgency, "track": one.track, "calendar": one.calendar,
        "sign_for": str(one.sign_for), "first_contact": str(one.first_contact), "resolve": str(one.resolve), "unit": _code(one.unit),
        "basis": one.basis, "valid_from": _day(one.valid_from), "valid_to": _day(one.valid_to),
    } for one in TimeLimit.objects.exclude(over).select_related("category", "unit").order_by(
        "category__code", "track", "kind", "urgency", "unit__code", "valid_from", "id")]


def catalogue() -> list[Cells]:
    version = newest()
    if version is None:
        return []
    out = io.StringIO()
    writing.write(version, out)
    out.seek(0)
    return [dict(row) for row in csv.DictReader(out)]


def keywords() -> list[Cells]:
    def said(weights: dict[str, float]) -> str:
        return " ".join(word if weight == 1 else f"{word}:{weight:g}" for word, weight in weights.items())

    return [{"category": one.code, "name": one.name, "words": said(one.keywords)}
            for one in Category.objects.filter(active=True, is_leaf=True).order_by("code") if one.keywords]


def staff() -> list[Cells]:
    """People with an account that is open, whose roles one row can say."""
    held: dict[int, list[RoleGrant]] = {}
    for grant in RoleGrant.objects.filter(ended_at__isnull=True).select_related("area"):
        held.setdefault(grant.staff_id, []).append(grant)
    rows = []
    for one in Staff.objects.filter(is_active=True, unit__isnull=False).select_related("unit").order_by("unit__code", "username"):
        grants = held.get(one.pk, [])
        if grants and plain(one, grants):
            areas, roles = sorted({grant.area.code for grant in grants if grant.area is not None}), {grant.role for grant in grants}
            rows.append({"username": one.username, "name": one.name, "unit": _code(one.unit), "area": "|".join(areas),
                         "roles": "|".join(role for role in Role.values if role in roles)})
    return rows


def plain(person: Staff, grants: list[RoleGrant]) -> bool:
    """Whether every role is held in the person's own unit and all in the same areas."""
    if any(grant.unit_id != person.unit_id for grant in grants):
        return False
    areas: dict[str, set[int | None]] = {}
    for grant in grants:
        areas.setdefault(grant.role, set()).add(grant.area_id)
    return all(held == next(iter(areas.values())) for held in areas.values())


def articles() -> list[Cells]:
    return [{
        "code": one.article.code, "title": one.title, "answer": one.answer, "questions": "|".join(one.questions),
        "keywords": "|".join(one.keywords), "category": _code(one.category), "unit": _code(one.unit), "area": _code(one.area),
        "basis": one.basis, "source": one.source, "valid_from": _day(one.valid_from), "valid_until": _day(one.valid_until),
        "review_by": _day(one.review_by), "public": "yes" if one.public else "no",
    } for one in Version.objects.filter(state=VersionState.APPROVED).select_related("article", "category", "unit", "area")
        .order_by("article__code")]


SHEETS = (
    ListSheet("units", pgettext_lazy("sheet", "单位"), files.UNITS, units),
    ListSheet("categories", pgettext_lazy("sheet", "事项"), files.CATEGORIES, categories),
    ListSheet("time_limits", pgettext_lazy("sheet", "办理时限"), files.TIME_LIMITS, time_limits),
    ListSheet("catalogue", pgettext_lazy("sheet", "派单目录"), files.CATALOGUE, catalogue),
    ListSheet("keywords", pgettext_lazy("sheet", "关键词"), files.KEYWORDS, keywords),
    ListSheet("staff", pgettext_lazy("sheet", "人员"), files.STAFF, staff),
    ListSheet("articles", pgettext_lazy("sheet", "知识库"), ARTICLES, articles),
)
BY_KEY = {sheet.key: sheet for sheet in SHEETS}


def choices(sheet: ListSheet, column: str) -> tuple[str, ...]:
    """The values of a column that may be chosen from; empty where there are none, or several may stand in one cell."""
    if column == "kind":
        return tuple(UnitKind.values) if sheet.key == "units" else tuple(Kind.values)
    fixed: dict[str, Callable[[], tuple[str, ...]]] = {
        "urgency": lambda: tuple(Urgency.values), "track": lambda: tuple(TimeLimit.Case.values),
        "calendar": lambda: tuple(WorkCalendar.objects.filter(active=True).order_by("code").values_list("code", flat=True)),
    }
    if column in fixed:
        return fixed[column]()
    if column in ("field_matter", "complex_allowed", "added", "public"):
        return ("yes", "no")
    if column == "publicity":
        from lianxin.cases.models.catalogue import Publicity

        return tuple(Publicity.values)
    if column == "unit":
        return tuple(Unit.objects.filter(active_to__isnull=True).order_by("code").values_list("code", flat=True))
    if column == "category":
        return tuple(Category.objects.filter(active=True).order_by("code").values_list("code", flat=True))
    if column == "area" and sheet.key in ("units", "articles"):
        return tuple(Area.objects.filter(active=True, level__in=("city", "county", "town")).order_by("code").values_list("code", flat=True))
    return ()
