"""A city read and checked as a whole, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from lianxin.kernel.language import listed
from lianxin.organisations.accounts import HOTLINE_ROLES, OPTIONAL_ROLES
from lianxin.organisations.models import Role, UnitKind
from lianxin.patrols.xlsform import FormFile

from . import areas, calendars, files, linkage, patrols, services, terms
from .catalogue import Rule, expand, gaps
from .checks import dates, known, once, overlaps
from .faults import Faults
from .mappings import read_articles, read_city, read_synonyms
from .tables import Row, read_table

SHOWN_GAPS = 20


@dataclass(slots=True)
class Plan:
    """All that will be written. Complete only when `faults` is empty."""

    directory: Path
    faults: Faults = field(default_factory=Faults)
    settings: dict[str, Any] = field(default_factory=dict)
    areas: areas.Areas = field(default_factory=areas.Areas)
    calendars: list[Row] = field(default_factory=list)
    units: list[Row] = field(default_factory=list)
    categories: list[Row] = field(default_factory=list)
    leaves: set[str] = field(default_factory=set)
    limits: list[Row] = field(default_factory=list)
    duty_limits: list[Row] = field(default_factory=list)
    notice_rules: list[Row] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    keywords: dict[str, dict[str, float]] = field(default_factory=dict)
    staff: list[Row] = field(default_factory=list)
    routes: list[Row] = field(default_factory=list)
    reasons: list[Row] = field(default_factory=list)
    checklist: list[Row] = field(default_factory=list)
    articles: list[Row] = field(default_factory=list)
    synonyms: list[list[str]] = field(default_factory=list)
    forms: list[FormFile] = field(default_factory=list)
    rounds: list[Row] = field(default_factory=list)
    partners: list[Row] = field(default_factory=list)
    handover_limits: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    linkage_mappings: list[Row] = field(default_factory=list)
    service_attributes: list[Row] = field(default_factory=list)

    @property
    def calendar_codes(self) -> set[str]:
        """The codes that a unit or a limit may name."""
        return {row["code"] for row in self.calendars}


def read(directory: Path, *, today: date) -> Plan:
    """Read and check everything. Never raises for what is in the files: see `Plan.faults`."""
    plan = Plan(directory)
    faults = plan.faults
    if not directory.is_dir():
        faults.add(str(directory), 0, _("没有这个目录"))
        return plan
    plan.settings = read_city(directory, faults)
    plan.areas = areas.read(directory, plan.settings, faults)

    plan.calendars = once(calendars.read(directory, faults), ("code",), faults)
    plan.units = once(read_table(directory, files.UNITS, faults), ("code",), faults)
    plan.categories = once(read_table(directory, files.CATEGORIES, faults), ("code",), faults)
    plan.limits = once(read_table(directory, files.TIME_LIMITS, faults),
                        ("category", "kind", "urgency", "track", "unit", "valid_from"), faults)
    plan.duty_limits = once(read_table(directory, files.DUTY_LIMITS, faults), ("duty", "urgency", "unit", "valid_from"), faults)
    plan.notice_rules = once(read_table(directory, files.NOTICE_RULES, faults), ("code", "valid_from"), faults)
    plan.staff = once(read_table(directory, files.STAFF, faults), ("username",), faults)
    plan.routes = once(read_table(directory, files.DECLINE_ROUTES, faults), ("code",), faults)
    plan.reasons = once(read_table(directory, files.RETURN_REASONS, faults), ("code",), faults)
    plan.checklist = once(read_table(directory, files.CHECKLIST, faults), ("code", "category"), faults)
    plan.articles = once(read_articles(directory, faults), ("code",), faults)
    plan.synonyms = read_synonyms(directory, faults)
    plan.forms = patrols.read_forms(directory, faults)
    plan.rounds = once(read_table(directory, files.ROUNDS, faults), ("code",), faults)
    names = {row["code"]: row["name"] for row in plan.categories}

    check_lists(plan, keywords=read_table(directory, files.KEYWORDS, faults),
                catalogue=read_table(directory, files.CATALOGUE, faults), today=today)
    _check_training(plan, names)
    _check_every_role_held(plan)
    _check_checklist(plan, names)
    patrols.check(plan)
    linkage.read(plan)
    linkage.check(plan)
    services.read(plan)
    services.check(plan)
    return plan


def check_lists(plan: Plan, *, keywords: list[Row], catalogue: list[Row], today: date) -> None:
    """Units, categories, time limits, keywords, staff, articles and the catalogue against each other: what their files and the
    spreadsheets of an office are both checked by."""
    faults, levels = plan.faults, plan.areas.levels
    names, unit_codes = {row["code"]: row["name"] for row in plan.categories}, {row["code"] for row in plan.units}
    _check_units(plan, levels)
    _check_categories(plan)
    terms.check(plan)
    _check_keywords(plan, names, keywords)
    _check_staff(plan, levels)
    for row in plan.articles:
        known(faults, row, "category", names)
        known(faults, row, "unit", unit_codes)
        if plan.areas.complete:
            known(faults, row, "area", levels)
    _check_catalogue(plan, catalogue, names, levels, today)


def _check_units(plan: Plan, levels: Mapping[str, str]) -> None:
    faults = plan.faults
    parents = {row["code"]: row["parent"] for row in plan.units}
    for row in plan.units:
        known(faults, row, "parent", parents)
        known(faults, row, "calendar", plan.calendar_codes)
        if plan.areas.complete:
            known(faults, row, "area", levels)
        dates(faults, row, "active_from", "active_to")
        above, steps = row["parent"], 0
        while above and above != row["code"] and steps <= len(parents):
            above, steps = parents.get(above, ""), steps + 1
        if above:
            faults.add(row.file, row.line, _("%s 的上级绕成了圈") % row["code"])
        if row["kind"] in (UnitKind.COUNTY_GOVERNMENT, UnitKind.TOWN_GOVERNMENT) and not row["area"]:
            faults.add(row.file, row.line, _("县级政府和乡镇街道要写明 area"))
    if plan.units and not any(row["kind"] == UnitKind.HOTLINE for row in plan.units):
        faults.add(files.UNITS.file, 0, _("至少要有一个 hotline（热线中心）"))


def _check_categories(plan: Plan) -> None:
    faults = plan.faults
    codes = {row["code"] for row in plan.categories}
    above = {row["parent"] for row in plan.categories}
    plan.leaves = codes - above
    topics: dict[int, Row] = {}
    for row in plan.categories:
        code, parent = row["code"], row["parent"]
        if known(faults, row, "parent", codes) and parent and (not code.startswith(parent) or code == parent):
            faults.add(row.file, row.line, _("%(code)s 应以上级代码 %(parent)s 开头") % {"code": code, "parent": parent})
        if code in plan.leaves and not row["kind"]:
            faults.add(row.file, row.line, _("末级事项要写明 kind"))
        if row["quick_topic"] is not None:
            if code not in plan.leaves:
                faults.add(row.file, row.line, _("只有末级事项能放在首页"))
            first = topics.setdefault(row["quick_topic"], row)
            if first is not row:
                faults.add(row.file, row.line, _("quick_topic 与第 %s 行重复") % first.line)


def _check_keywords(plan: Plan, names: dict[str, str], rows: list[Row]) -> None:
    for row in once(rows, ("category",), plan.faults):
        if not known(plan.faults, row, "category", names):
            continue
        if row["category"] not in plan.leaves:
            plan.faults.add(row.file, row.line, _("%s 不是末级事项") % row["category"])
        _name_agrees(plan.faults, row, names)
        plan.keywords[row["category"]] = row["words"]


def _check_training(plan: Plan, names: dict[str, str]) -> None:
    """The texts in training/ are learnt by `lianxin triage learn`, never loaded; a label that is no leaf is told here."""
    if not names:  # then categories.csv is at fault, and every row here would only say so again
        return
    for path in sorted((plan.directory / "training").glob("*.csv")):
        table = replace(files.TRAINING, file=path.relative_to(plan.directory).as_posix())
        for row in read_table(plan.directory, table, plan.faults):
            if known(plan.faults, row, "category", names) and row["category"] not in plan.leaves:
                plan.faults.add(row.file, row.line, _("%s 不是末级事项") % row["category"])


def _name_agrees(faults: Faults, row: Row, names: dict[str, str]) -> None:
    if row["name"] and row["name"] != names.get(row["category"], row["name"]):
        faults.add(row.file, row.line, _("%(code)s 在 categories.csv 里叫“%(name)s”")
                   % {"code": row["category"], "name": names[row["category"]]})


def _check_staff(plan: Plan, levels: Mapping[str, str]) -> None:
    faults = plan.faults
    kinds = {row["code"]: row["kind"] for row in plan.units}
    for row in plan.staff:
        known(faults, row, "unit", kinds)
        if plan.areas.complete:
            for area in row["area"]:
                if area not in levels:
                    faults.add(row.file, row.line, _("%(name)s：没有 %(value)s") % {"name": "area", "value": area})
        if kinds.get(row["unit"]) != UnitKind.HOTLINE and (wrong := set(row["roles"]) & HOTLINE_ROLES):
            faults.add(row.file, row.line, _("%s 是热线中心的岗位") % listed(sorted(wrong)))


def _check_every_role_held(plan: Plan) -> None:
    held = {role for row in plan.staff for role in row["roles"]}
    if plan.staff and (missing := [role for role in Role.values if role not in held and role not in OPTIONAL_ROLES]):
        plan.faults.add(files.STAFF.file, 0, _("没有人担任：%s") % listed(missing))


def _check_checklist(plan: Plan, names: dict[str, str]) -> None:
    """A reply must not pass unread: at least one question is required of every case."""
    faults = plan.faults
    for row in plan.checklist:
        known(faults, row, "category", names)
    if plan.checklist and not any(
        row["required"] and not row["category"] and not row["field_only"] for row in plan.checklist
    ):
        faults.add(files.CHECKLIST.file, 0, _("至少要有一项不限事项的必答项"))


def _check_catalogue(plan: Plan, rows: list[Row], names: dict[str, str], levels: Mapping[str, str], today: date) -> None:
    faults = plan.faults
    for row in rows:
        known(faults, row, "category", names)
        _name_agrees(faults, row, names)
        dates(faults, row, "valid_from", "valid_to")
    overlaps(faults, rows, ("category", "area"))
    if not plan.areas.complete:
        return
    before = len(faults)
    plan.rules = expand(rows, units={row["code"] for row in plan.units}, levels=levels, faults=faults)
    _not_to_villages(plan, levels)
    if len(faults) > before or not rows or not plan.leaves:
        return
    units = {row["code"]: row for row in plan.units}
    missing = next(filter(None, (
        [(on, *pair) for pair in gaps(
            plan.rules, categories={row["code"]: row["parent"] for row in plan.categories}, leaves=plan.leaves,
            counties=[code for code, level in levels.items() if level == "county"], units=units, today=on)]
        for on in _turning_days(plan, today)
    )), [])
    for on, leaf, county in missing[:SHOWN_GAPS]:
        words = (_("事项 %(leaf)s（%(name)s）在 %(county)s 没有承办单位") if on == today
                 else _("事项 %(leaf)s（%(name)s）在 %(county)s 从 %(day)s 起没有承办单位"))
        faults.add(files.CATALOGUE.file, 0,
                   words % {"leaf": leaf, "name": names[leaf], "county": county, "day": on.isoformat()})
    if len(missing) > SHOWN_GAPS:
        faults.add(files.CATALOGUE.file, 0, _("共有 %s 处没有承办单位") % len(missing))


def _not_to_villages(plan: Plan, levels: Mapping[str, str]) -> None:
    """No rule gives a case to a village or a grid: dispatch would refuse it."""
    low = {row["code"] for row in plan.units if levels.get(row["area"]) in ("village", "grid")}
    told = {(rule.line, unit) for rule in plan.rules for unit in (rule.lead, *rule.assisting) if unit in low}
    for line, unit in sorted(told):
        plan.faults.add(files.CATALOGUE.file, line, _("%s 是村社区或网格的，不能主办或协办") % unit)


def _turning_days(plan: Plan, today: date) -> list[date]:
    """Today, and the days to come on which a rule ends or a unit that leads one closes."""
    leads = {rule.lead for rule in plan.rules}
    ends = {rule.valid_to for rule in plan.rules} | {row["active_to"] for row in plan.units if row["code"] in leads}
    return [today, *sorted(day for day in ends if day is not None and day > today)]
