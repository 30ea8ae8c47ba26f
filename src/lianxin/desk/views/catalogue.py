"""The dispatch catalogue at the desk: versions side by side, proposals, and who decides them."""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.catalogue import content, effects, proposals, rights, versions
from lianxin.cases.engine import submission_key
from lianxin.cases.grassroots import TOWN, level_of
from lianxin.cases.models import CatalogueDecision, CatalogueProposal, CatalogueVersion, Return
from lianxin.cases.policy import can_see
from lianxin.cases.reference import Reference, reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import listed
from lianxin.kernel.text import small_number

from ..access import StaffRequest, staff
from ..forms import AreaField, CategoryField, UnitField, take_faults
from ..rows import lines
from ..typed import area_code, category_code, path_of, unit_code, unit_codes, unit_line
from .boards import context_for
from .case import draft_name

SHOWN = 100  # versions on one page
DECIDED = 30  # decided proposals on the first page
CHANGES = 500  # differences on one page
NUMBERS: dict[str, Any] = {
    "all": gettext_lazy("按这条规则派出的"), "not_did": gettext_lazy("会派给别的单位的"), "not_rule": gettext_lazy("与当时目录不同的"),
    "spared": gettext_lazy("可以少退的"), "caused": gettext_lazy("建议的单位自己退回的"),
}


class Propose(forms.Form):
    category = CategoryField(label=gettext_lazy("事项"))
    area = AreaField(label=gettext_lazy("区域"), required=False, help_text=gettext_lazy("不填为全市。"))
    lead_unit = UnitField(label=gettext_lazy("主办单位"))
    assisting_units = UnitField(label=gettext_lazy("协办单位"), required=False, help_text=gettext_lazy("可不填；多个用逗号分开。"))
    basis = forms.CharField(label=gettext_lazy("法定依据"), max_length=300,
                            help_text=gettext_lazy("文件名称和条款，如“三定”规定第三条。"))
    why = forms.CharField(label=gettext_lazy("为什么要改"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def cleaned(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"category": category_code(said["category"]), "area": area_code(said["area"]),
                "lead_unit": unit_code(said["lead_unit"]), "assisting_units": unit_codes(said["assisting_units"]),
                "basis": said["basis"], "why": said["why"]}


class InForce(forms.Form):
    """From when a version holds."""

    on = forms.DateField(label=gettext_lazy("从哪天起生效"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
                         help_text=gettext_lazy("不填为现在。不能改到过去。"))


class Restore(InForce):
    reason = forms.CharField(label=gettext_lazy("为什么恢复"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class Refuse(forms.Form):
    reason = forms.CharField(label=gettext_lazy("为什么不采纳"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


def _units(held: Reference, line: content.Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    lead = held.units_by_code.get(line.lead)
    today = localdate(now())
    return {
        "lead": lead.said if lead else line.lead, "closed": lead is None or not lead.open_on(today), "basis": line.basis,
        "assisting": listed(unit.said if (unit := held.units_by_code.get(code)) else code for code in line.assisting),
        "valid_from": line.valid_from, "valid_to": line.valid_to,
    }


def _area(held: Reference, code: str) -> str:
    place = held.places_by_code.get(code)
    return path_of(held, place) if place else code or _("全市")


def _category(held: Reference, code: str) -> str:
    node = held.nodes_by_code.get(code)
    return f"{code} {node.said}" if node else code or _("任何事项")


def _grouped(found: list[content.Difference]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Differences by category, with names in place of codes."""
    held = reference()
    words = {"added": _("新增"), "removed": _("去掉"), "changed": _("改动")}
    return [
        (_category(held, category), [
            {"area": _area(held, one.line.area), "kind": one.kind, "word": words[one.kind], "before": _units(held, one.before),
             "after": _units(held, one.after)} for one in group])
        for category, group in groupby(found[:CHANGES], key=lambda one: one.line.category)
    ]


def _version(number: int | None) -> CatalogueVersion:
    found = CatalogueVersion.objects.filter(number=number).first() if number is not None else None
    if found is None:
        raise Http404(_("没有这一版派单目录。"))
    return found


@staff(*rights.READERS)
@require_GET
def catalogue(request: StaffRequest) -> HttpResponse:
    """Versions and proposals; any two versions can be compared from here."""
    found = list(CatalogueVersion.objects.select_related("created_by", "restores", "proposal").order_by("-number")[:SHOWN])
    asked = CatalogueProposal.objects.select_related("category", "area", "lead_unit", "proposed_by", "decided_by", "version")
    return render(request, "desk/catalogue.html", context_for(
        request, versions=found, at=now(), in_force=reference().version, newest=found[0].number if found else 0,
        waiting=asked.filter(decision=CatalogueDecision.WAITING).order_by("proposed_at", "id"),
        decided=asked.exclude(decision=CatalogueDecision.WAITING).order_by("-proposed_at", "-id")[:DECIDED],
        may_propose=request.actor.has(*rights.PROPOSERS), may_restore=bool(rights.can_restore(request.actor))))


@staff(*rights.READERS)
@require_GET
def compare_versions(request: StaffRequest) -> HttpResponse:
    """What one version says otherwise than another."""
    one, other = _version(small_number(request.GET.get("from", ""))), _version(small_number(request.GET.get("to", "")))
    found = content.compare(content.content_of(one), content.content_of(other))
    counts = {kind: sum(change.kind == kind for change in found) for kind in ("added", "removed", "changed")}
    return render(request, "desk/catalogue_compare.html", context_for(
        request, one=one, other=other, groups=_grouped(found), counts=counts, total=len(found), shown=CHANGES,
        numbers=list(CatalogueVersion.objects.order_by("-number").values_list("number", flat=True)[:SHOWN])))


@staff(*rights.READERS)
@require_http_methods(["GET", "POST"])
def restore_version(request: StaffRequest, number: int) -> HttpResponse:
    """Go back to a version: shows what changes by it, then makes the new version."""
    old, last = _version(number), content.newest()
    if last is None:
        raise Http404
    decision = rights.can_restore(request.actor)
    form, kept_as = Restore(request.POST or None), draft_name(request, "restore", str(number))
    message: Any = "" if decision else decision.reason
    status = 200 if decision else 403
    if request.method == "POST" and form.is_valid():
        try:
            made = versions.restore(number, by=request.actor, reason=form.cleaned_data["reason"], on=form.cleaned_data["on"],
                                    seen=small_number(request.POST.get("seen", "")))
            messages.success(request, _("已恢复第 %(old)d 版的内容，成为第 %(new)d 版。") % {"old": number, "new": made.number},
                             extra_tags=kept_as)
            return redirect(reverse("desk:catalogue"))
        except DomainError as error:
            take_faults(form, error)
            message, status = error.message, error.status
    elif request.method == "POST":
        status, message = 422, _("还差几项，补上再提交。已填的内容都在。")
    found = content.compare(content.content_of(last), content.content_of(old))
    groups = _grouped(found)
    closed = sum(bool(row["after"] and row["after"]["closed"]) for _category, rows in groups for row in rows)
    return render(request, "desk/catalogue_restore.html", context_for(
        request, old=old, last=last, form=form, groups=groups, total=len(found), message=message, closed=closed, shown=CHANGES,
        may=bool(decision), kept_as=kept_as), status=status)


def _returned(request: StaffRequest, text: str) -> Return | None:
    try:
        found = Return.objects.select_related("case", "category", "suggested_unit").filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return None
    return found if found is not None and can_see(request.actor, found.case) else None


def _first(request: StaffRequest, returned: Return | None) -> dict[str, str]:
    """What stands in the form: from a ruling, the matter and whose it turned out to be; else what the address says."""
    held = reference()
    if returned is None:
        asked = {name: request.GET.get(name, "")[:most] for name, most in (("category", 60), ("area", 60), ("basis", 300), ("why", 1000))}
        return asked | {"category": _category(held, asked["category"]) if asked["category"] else ""}
    case = returned.case
    county = held.places.get(case.county_id or 0)
    lead = held.units.get(case.lead_unit_id or returned.suggested_unit_id or 0)
    node = held.nodes.get(case.category_id or 0)
    helpers = [held.units[pk].code for pk in returned.bound if pk in held.units and (lead is None or pk != lead.id)]
    return {
        "category": f"{node.code} {node.said}" if node else "", "area": f"{county.code} {county.said}" if county else "",
        "lead_unit": unit_line(lead.code) if lead else "", "assisting_units": ", ".join(map(unit_line, helpers)),
        "basis": returned.basis,
    }


@staff(*rights.PROPOSERS)
@require_http_methods(["GET", "POST"])
def propose_change(request: StaffRequest) -> HttpResponse:
    """Ask for one rule to be another, from a ruling or from nothing."""
    returned = _returned(request, request.POST.get("return", "") or request.GET.get("return", ""))
    form = Propose(request.POST) if request.method == "POST" else Propose(initial=_first(request, returned))
    kept_as = draft_name(request, "propose", *([str(returned.pk)] if returned else []))
    message: Any = ""
    status = 200
    if request.method == "POST" and form.is_valid():
        key = submission_key("desk", str(request.user.pk), "propose", request.POST.get("submission", ""))
        try:
            made = proposals.propose(by=request.actor, return_id=returned.pk if returned else None, key=key, **form.cleaned())
            messages.success(request, _("建议已提交，由另一位督办员审定。"), extra_tags=kept_as)
            return redirect(reverse("desk:proposal", args=[made.pk]))
        except DomainError as error:
            take_faults(form, error)
            message, status = error.message, error.status
    elif request.method == "POST":
        message, status = _("还差几项，补上再提交。已填的内容都在。"), 422
    return render(request, "desk/proposal_new.html", context_for(
        request, form=form, message=message, returned=returned, lists=("categories", "areas", "units"), kept_as=kept_as,
        submission=request.POST.get("submission") or str(uuid7())), status=status)


def _proposal(pk: uuid.UUID) -> CatalogueProposal:
    return get_object_or_404(CatalogueProposal.objects.select_related(
        "category", "area", "lead_unit", "proposed_by", "decided_by", "base", "version", "returned__case"), pk=pk)


def _proposal_page(request: StaffRequest, found: CatalogueProposal, *, approve: InForce | None = None,
                   refuse: Refuse | None = None, message: Any = "", status: int = 200) -> HttpResponse:
    held, rule = reference(), proposals.rule_of(found)
    ahead, touched = proposals.moved_on(found) if found.waiting else (0, False)
    there = content.in_force(content.content_of(found.base), rule.category, rule.area, on=localdate(found.proposed_at))
    effect = effects.effect_of(found, request.actor)
    was = held.units_by_code.get(there.lead) if there else None
    last = content.newest()
    return render(request, "desk/proposal.html", context_for(
        request, proposal=found, before=_units(held, there), after=_units(held, rule), area=_area(held, rule.area),
        effect=effect, numbers=[(which, label, _count(effect, which)) for which, label in NUMBERS.items()],
        decision=rights.can_decide(request.actor, found), ahead=ahead, touched=touched, last=last, message=message,
        approve=approve or InForce(), refuse=refuse or Refuse(prefix="no"),
        downward=was is not None and level_of(held, was) < level_of(held, held.units[found.lead_unit_id]) == TOWN,
        sees_ruling=found.returned is not None and can_see(request.actor, found.returned.case)), status=status)


def _count(effect: effects.Effect, which: str) -> int:
    return effect.dispatches if which == "all" else int(getattr(effect, which))


@staff(*rights.READERS)
@require_GET
def proposal(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One proposal: the rule as it is and as it would be, what that would have changed, and the decision."""
    return _proposal_page(request, _proposal(pk))


@staff(*rights.READERS)
@require_POST
def decide_proposal(request: StaffRequest, pk: uuid.UUID, verdict: str) -> HttpResponse:
    """Approve or refuse."""
    if verdict not in ("approve", "refuse"):
        raise Http404
    found = _proposal(pk)
    approve = InForce(request.POST) if verdict == "approve" else None
    refuse = Refuse(request.POST, prefix="no") if verdict == "refuse" else None
    form: forms.Form | None = approve or refuse
    if form is None or not form.is_valid():
        return _proposal_page(request, found, approve=approve, refuse=refuse, status=422,
                              message=_("还差几项，补上再提交。已填的内容都在。"))
    try:
        if verdict == "approve":
            made = proposals.approve(pk, by=request.actor, on=form.cleaned_data["on"],
                                     seen=small_number(request.POST.get("seen", "")))
            messages.success(request, _("已采纳，成为派单目录第 %d 版。") % (made.version.number if made.version else 0))
        else:
            proposals.refuse(pk, by=request.actor, reason=form.cleaned_data["reason"])
            messages.success(request, _("已记下不采纳的理由。"))
    except DomainError as error:
        take_faults(form, error)
        return _proposal_page(request, _proposal(pk), approve=approve, refuse=refuse, status=error.status, message=error.message)
    return redirect(reverse("desk:proposal", args=[pk]))


@staff(*rights.READERS)
@require_GET
def proposal_cases(request: StaffRequest, pk: uuid.UUID, which: str) -> HttpResponse:
    """The cases behind one number of a proposal."""
    if which not in NUMBERS:
        raise Http404
    found = _proposal(pk)
    try:
        after = uuid.UUID(request.GET["after"]) if request.GET.get("after") else None
    except ValueError:
        after = None
    effect = effects.effect_of(found, request.actor)
    page = effects.cases_of(effect, which, after=after)
    return render(request, "desk/proposal_cases.html", context_for(
        request, proposal=found, title=NUMBERS[which], lines=lines(page.rows), after=page.after,
        total=len(effect.cases[which]), count=_count(effect, which)))
