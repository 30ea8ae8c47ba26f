"""The weekly joint review and the joint rules that come of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.catalogue.rights import can_propose as may_propose_catalogue
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.linkage import policy, review, rules
from lianxin.linkage.models import Holder, JointRule, Partner

from ..access import StaffRequest
from ..forms import settled, take_faults
from ..forms.linkage import Propose, Words, category_line, rule_said
from ..tables import table_file
from .boards import context_for
from .case import draft_name
from .linkage import linked
from .office import day_said

SAID: dict[str, Any] = {
    "offers": pgettext_lazy("figure", "移交"), "refused": gettext_lazy("不接收"), "negotiated": gettext_lazy("协商过"),
    "defaulted": gettext_lazy("归先接单位"), "late": gettext_lazy("超时"), "back_and_forth": gettext_lazy("来回两次以上"),
}


def asked_of(request: StaffRequest) -> tuple[review.Week, Partner | None]:
    week = review.week_of(day_said(request.GET.get("week", "")))
    code = request.GET.get("partner", "")[:60]
    return week, Partner.objects.filter(code=code).first() if code else None


def _query(week: review.Week, partner: Partner | None, **more: str) -> str:
    return urlencode({"week": week.first.isoformat(), **({"partner": partner.code} if partner else {}), **more})


def _cells(line: review.Line, week: review.Week, partner: Partner | None, *, narrow: bool = True) -> list[dict[str, Any]]:
    """The numbers of a row, each with its denominator and the way to what is behind it."""
    made = []
    for which in review.WHICH:
        whole = 0 if which == "offers" else line.matters if which == "back_and_forth" else line.offers
        more = {"which": which, **({"category": line.key} if narrow else {})}
        made.append({"count": getattr(line, which), "of": whole, "query": _query(week, partner, **more)})
    return made


def _name(line: review.Line) -> str:
    return line.category.said if line.category is not None else line.theirs or _("未定事项")


def _rule_rows(request: StaffRequest) -> list[dict[str, Any]]:
    may_catalogue = bool(may_propose_catalogue(request.actor, None))
    return [{
        "rule": rule, "said": rule_said(rule), "in_force": rule.in_force,
        "may_approve": policy.rules(request.actor) and rule.approved_by_us_at is None and rule.proposer_id != request.actor.staff_id,
        "may_reject": policy.rules(request.actor), "own": rule.proposer_id == request.actor.staff_id,
        "catalogue": _catalogue(rule) if may_catalogue and rule.in_force and rule.taken_by == Holder.US else "",
    } for rule in rules.listed()]


def _catalogue(rule: JointRule) -> str:
    """Where a rule that says 'ours' goes on: a change of the dispatch catalogue, with what is known filled in."""
    if rule.category is None:
        return ""
    basis = _("与%(partner)s的联合规则（%(on)s 起）") % {
        "partner": rule.partner.said, "on": rule.approved_by_them_at.date().isoformat() if rule.approved_by_them_at else ""}
    return f"{reverse('desk:propose_change')}?{urlencode({'category': rule.category.code, 'basis': basis, 'why': rule.words[:900]})}"


@linked(policy.reviews)
@require_GET
def linkage_review(request: StaffRequest) -> HttpResponse:
    """One week, of one partner or of all: figures by category, reasons, and the rules agreed on."""
    week, partner = asked_of(request)
    found = review.review(week, partner)
    return render(request, "desk/linkage_review.html", context_for(
        request, week=week, partner=partner, partners=review.partners(), found=found, heads=list(SAID.values()),
        rows=[(line, _name(line), _cells(line, week, partner)) for line in found.lines],
        whole=_cells(found.whole, week, partner, narrow=False), query=_query(week, partner),
        before=_query(review.Week(week.before), partner), after=_query(review.Week(week.after), partner),
        rules=_rule_rows(request), may_propose=rules.may_propose(request.actor), refusal=Words(), works=policy.works(request.actor)))


@linked(policy.reviews)
@require_GET
def review_entries(request: StaffRequest) -> HttpResponse:
    """The handovers behind one number."""
    week, partner = asked_of(request)
    which = request.GET.get("which", "")
    if which not in review.WHICH:
        raise Http404
    found = review.behind(week, which, partner=partner, category=request.GET.get("category", "")[:210])
    return render(request, "desk/linkage_entries.html", context_for(
        request, week=week, partner=partner, title=SAID[which], rows=found, query=_query(week, partner), works=policy.works(request.actor)))


@linked(policy.reviews)
@require_GET
def review_file(request: StaffRequest) -> HttpResponse:
    """The week's figures as CSV or, with `as=xlsx`, as a workbook."""
    week, partner = asked_of(request)
    found = review.review(week, partner)
    rows: list[list[object]] = [
        ["category", "name", "offers", "out", "refused", "negotiated", "defaulted", "late", "matters", "back_and_forth"]]
    for line in [*found.lines, found.whole]:
        name = _("合计") if line is found.whole else _name(line)
        rows.append([
            line.category.code if line.category else "", name, line.offers, line.out, line.refused, line.negotiated,
            line.defaulted, line.late, line.matters, line.back_and_forth])
    return table_file(rows, name=f"linkage-{week.first.isoformat()}", form=request.GET.get("as", ""))


@linked(rules.may_propose)
@require_http_methods(["GET", "POST"])
def propose_rule(request: StaffRequest) -> HttpResponse:
    """Ask for a category to be theirs or ours."""
    first = {"category": category_line(request.GET.get("category", "")[:12]), "partner": request.GET.get("partner", "")[:60]}
    form = settled(Propose(request.POST) if request.method == "POST" else Propose(initial=first))
    kept_as, message, status = draft_name(request, "joint-rule"), "", 200
    if request.method == "POST":
        status, message = 422, _("还差几项，补上再提交。已填的内容都在。")
        if form.is_valid():
            try:
                rules.propose(request.actor, **form.cleaned())
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error.message), error.status
            else:
                messages.success(request, _("已提出。由另一位督办员同意后，发给对方。"), extra_tags=kept_as)
                return redirect(reverse("desk:linkage_review") + "#rules")
    return render(request, "desk/joint_rule.html", context_for(
        request, form=form, message=message, kept_as=kept_as, submission=str(uuid7())), status=status)


@linked(policy.rules)
@require_POST
def decide_rule(request: StaffRequest, pk: uuid.UUID, verdict: str) -> HttpResponse:
    """Approve a rule, or say no to it or end it with a reason."""
    if verdict not in ("approve", "reject"):
        raise Http404
    try:
        if verdict == "approve":
            rule = rules.approve(request.actor, pk)
            messages.success(request, _("规则已生效。") if rule.in_force else _("本热线已同意，等对方同意。"))
        else:
            rules.reject(request.actor, pk, words=request.POST.get("words", "")[:2_000])
            messages.success(request, _("已记下，并告诉对方。"))
    except DomainError as error:
        messages.error(request, " ".join([str(error.message), *error.fields.values()]))
    return redirect(reverse("desk:linkage_review") + "#rules")
