"""The ledger of returns: counted by unit, category, reason or rule, each number with the entries behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from lianxin.cases import ledger
from lianxin.cases.models import Phrase, Return, ReturnRuling
from lianxin.cases.queries import read_cursor
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.ids import normalise_case_number

from ..access import StaffRequest, staff
from ..typed import category_code, path_of, unit_code
from .boards import context_for
from .office import day_said

OPENS_DAYS = 30  # how far back the ledger opens
BY = {"unit": gettext_lazy("按单位"), "category": gettext_lazy("按事项"), "reason": gettext_lazy("按理由"),
      "rule": gettext_lazy("按目录规则")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked for: the narrowing, and the same as a query string without the place in the list."""

    narrow: ledger.Narrow
    values: dict[str, str]

    def query(self, **more: str) -> str:
        return urlencode({name: value for name, value in (self.values | more).items() if value})


def asked_of(request: StaffRequest) -> Asked:
    today = localdate(now())
    since = day_said(request.GET.get("since", "")) or today - timedelta(days=OPENS_DAYS)
    until = day_said(request.GET.get("until", "")) or today
    ruling = request.GET.get("ruling", "")
    values = {
        "since": since.isoformat(), "until": until.isoformat(), "unit": unit_code(request.GET.get("unit", "")[:60]),
        "category": category_code(request.GET.get("category", "")[:60]), "reason": request.GET.get("reason", "")[:40],
        "ruling": ruling if ruling in ReturnRuling.values else "", "rule": request.GET.get("rule", "")[:80],
        "number": normalise_case_number(request.GET.get("number", "")[:30]) or request.GET.get("number", "").strip()[:30],
    }
    narrow = ledger.Narrow(
        since=make_aware(datetime.combine(since, time.min)),
        until=make_aware(datetime.combine(min(until, today + timedelta(days=1)) + timedelta(days=1), time.min)),
        **{name: value for name, value in values.items() if name not in ("since", "until")})
    return Asked(narrow, values)


def labels_of(keys: Iterable[str], by: str) -> dict[str, str]:
    """What a group is called."""
    held = reference()
    if by == "unit":
        return {key: unit.said for key in keys if (unit := held.units_by_code.get(key))}
    if by == "category":
        return {key: node.said for key in keys if (node := held.nodes_by_code.get(key))} | {ledger.NO_CATEGORY: _("未定事项")}
    if by == "reason":
        return {phrase.code: phrase.said for phrase in Phrase.objects.filter(list=Phrase.List.RETURN_REASON)}
    return {key: rule_said(key) for key in keys}


def rule_said(key: str) -> str:
    """`夜间施工 × 岳阳楼区 → 市住建局`."""
    if key == ledger.NO_RULE:
        return _("未按目录规则派出")
    held = reference()
    category, area, lead = (*key.split("~"), "", "")[:3]
    node, place, unit = held.nodes_by_code.get(category), held.places_by_code.get(area), held.units_by_code.get(lead)
    return _("%(category)s × %(area)s → %(unit)s") % {
        "category": node.said if node else category or _("任何事项"), "area": path_of(held, place) if place else area or _("全市"),
        "unit": unit.said if unit else lead}


def rule_said_of(entry: Return) -> str:
    """The rule that an entry's case was dispatched by."""
    rule = entry.rule
    return rule_said(ledger.rule_key(
        rule.category.code if rule and rule.category else None, rule.area.code if rule and rule.area else None,
        rule.lead_unit.code if rule else None))


def _rows(asked: Asked, tallies: list[ledger.Tally], by: str) -> list[dict[str, Any]]:
    labels = labels_of([one.key for one in tallies], by)
    return [{"label": labels.get(one.key, one.key), "tally": one, "cells": _cells(asked, one, {by: one.key})} for one in tallies]


def _cells(asked: Asked, one: ledger.Tally, group: dict[str, str]) -> list[tuple[int, str]]:
    """Each number of a row with its address: all, then by ruling."""
    found = [(one.total, asked.query(**group))]
    found += [(getattr(one, ruling.value), asked.query(**group, ruling=ruling.value)) for ruling in ledger.RULINGS]
    return found


def _filters(asked: Asked) -> dict[str, Any]:
    held = reference()
    return {
        "values": asked.values,
        "units": sorted(((unit.code, unit.said) for unit in held.units.values()), key=lambda pair: pair[0]),
        "categories": [(node.code, node.said) for node in sorted(held.nodes.values(), key=lambda n: n.code)
                       if len(node.lineage) == 1],
        "reasons": [(phrase.code, phrase.said) for phrase in Phrase.objects.filter(list=Phrase.List.RETURN_REASON)],
        "rulings": [(ruling.value, ruling.label) for ruling in ledger.RULINGS],
        "category_said": labels_of([asked.values["category"]], "category").get(asked.values["category"], ""),
        "rule_said": rule_said(asked.values["rule"]) if asked.values["rule"] else "",
    }


@staff(*ledger.ROLES)
@require_GET
def returns(request: StaffRequest) -> HttpResponse:
    """Counts of one period."""
    asked = asked_of(request)
    by = request.GET.get("by", "unit")
    by = by if by in ledger.GROUPS else "unit"
    whole = ledger.total(request.actor, asked.narrow)
    return render(request, "desk/returns.html", context_for(
        request, by=by, kinds=[(code, label, asked.query(by=code)) for code, label in BY.items()], whole=whole,
        whole_cells=_cells(asked, whole, {}), rows=_rows(asked, ledger.tallies(request.actor, asked.narrow, by), by),
        **_filters(asked)))


@staff(*ledger.ROLES)
@require_GET
def return_entries(request: StaffRequest) -> HttpResponse:
    """The entries behind a number, newest first, each with its case."""
    asked = asked_of(request)
    after = request.GET.get("after", "")
    found = ledger.page(request.actor, asked.narrow, after=after)
    reasons = labels_of((), "reason")
    shown = [{"entry": entry, "reason": reasons.get(entry.reason, entry.reason), "rule": rule_said_of(entry)} for entry in found.rows]
    return render(request, "desk/return_entries.html", context_for(
        request, rows=shown, after=found.after, query=asked.query(), paged=read_cursor(after) is not None, **_filters(asked)))
