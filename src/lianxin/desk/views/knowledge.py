"""The knowledge base at the desk: find and read, write and approve, what waits for its owners."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.engine import submission_key
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import small_number
from lianxin.knowledge import actions, queries, rights
from lianxin.knowledge.actions import Content
from lianxin.knowledge.models import Fault, ReportState, Version, VersionState
from lianxin.triage.keywords import suggest

from ..access import StaffRequest, staff
from ..forms import AreaField, CategoryField, UnitField, settled, take_faults
from ..typed import area_code, category_code, unit_code, unit_line
from .boards import context_for
from .case import draft_name

SHOWN = 20
FIELDS = {
    "title": gettext_lazy("标题"), "questions": gettext_lazy("市民怎么问"), "keywords": gettext_lazy("关键词"),
    "answer": gettext_lazy("答案"), "basis": gettext_lazy("法律依据"), "source": gettext_lazy("来源"),
    "category": gettext_lazy("事项"), "area": gettext_lazy("适用地区"), "unit": gettext_lazy("责任单位"),
    "valid_from": gettext_lazy("生效日期"), "valid_until": gettext_lazy("失效日期"), "review_by": gettext_lazy("最迟核对日期"),
    "public": gettext_lazy("公开"),
}


def _day(label: Any, *, required: bool = True, hint: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=hint,
                           widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def _area(label: Any, limit: int, rows: int, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, widget=forms.Textarea(attrs={"rows": rows}), **more)


class ArticleForm(forms.Form):
    """What a version says, typed by its owner."""

    title = forms.CharField(label=FIELDS["title"], max_length=160)
    questions = _area(FIELDS["questions"], 6000, 3, required=False, help_text=gettext_lazy("每行一种问法。"))
    keywords = forms.CharField(label=FIELDS["keywords"], max_length=2000, required=False,
                               help_text=gettext_lazy("用逗号或空格分开。"))
    answer = _area(gettext_lazy("答案（念给市民听的话）"), 4000, 6)
    basis = forms.CharField(label=FIELDS["basis"], max_length=1000)
    source = forms.CharField(label=FIELDS["source"], max_length=200, required=False)
    unit = UnitField(label=FIELDS["unit"])
    category = CategoryField(label=FIELDS["category"], required=False, max_length=160)
    area = AreaField(label=FIELDS["area"], required=False, max_length=200, help_text=gettext_lazy("不填为全市。"))
    valid_from = _day(FIELDS["valid_from"])
    valid_until = _day(FIELDS["valid_until"], required=False)
    review_by = _day(FIELDS["review_by"], hint=gettext_lazy("过了这一天还没有核对，就不再推荐。"))
    public = forms.BooleanField(label=gettext_lazy("公开给市民查"), required=False)
    note = forms.CharField(label=gettext_lazy("改了什么、为什么"), max_length=300, required=False)

    def clean_keywords(self) -> list[str]:
        typed: str = self.cleaned_data["keywords"]
        return typed.replace("，", " ").replace("、", " ").replace(",", " ").split()

    def clean_questions(self) -> list[str]:
        found = [line.strip() for line in self.cleaned_data["questions"].splitlines() if line.strip()]
        if any(len(line) > 200 for line in found):
            raise ValidationError(_("每条最多 %s 个字。") % 200)
        return found

    def content(self) -> Content:
        data = self.cleaned_data
        return Content(
            title=data["title"], answer=data["answer"], valid_from=data["valid_from"], questions=tuple(data["questions"]),
            keywords=tuple(data["keywords"]), basis=data["basis"], source=data["source"], public=data["public"],
            category=category_code(data["category"]), area=area_code(data["area"]), unit=unit_code(data["unit"]),
            valid_until=data["valid_until"], review_by=data["review_by"])


class ReportForm(forms.Form):
    fault = forms.ChoiceField(label=gettext_lazy("哪种问题"), choices=Fault.choices)
    words = _area(gettext_lazy("哪里不对，应当是什么"), actions.WORDS, 3)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300)


class AnswerForm(forms.Form):
    answer = _area(gettext_lazy("说明"), actions.WORDS, 3, required=False,
                   help_text=gettext_lazy("不用改的，写明为什么；已经改好的，可以不写。"))


STEP_FORMS: dict[str, type[forms.Form]] = {"report": ReportForm, "refuse": ReasonForm, "withdraw": ReasonForm}


def _initial(version: Version) -> dict[str, Any]:
    said = asdict(actions.content_of(version))
    held = reference()
    unit = held.units.get(version.unit_id or 0)
    node, place = held.nodes_by_code.get(said["category"]), held.places_by_code.get(said["area"])
    return said | {
        "questions": "\n".join(version.questions), "keywords": "，".join(version.keywords),
        "unit": unit_line(unit.code) if unit else "", "category": f"{node.code} {node.said}" if node else "",
        "area": f"{place.code} {place.said}" if place else ""}


def asked_of(request: StaffRequest) -> str:
    """What is looked for."""
    return request.GET.get("q", "").strip()[:200]


def lines(asked: str, on: date) -> list[tuple[queries.Found, Any, Any]]:
    """The articles that answer it, best first, or all in force: each with its unit and its category."""
    if asked:
        found = queries.search(asked, on=on, limit=SHOWN, least=0.2, category_codes=tuple(one.code for one in suggest(asked)))
    else:
        found = queries.articles(on=on)
    units, nodes = reference().units, reference().nodes_by_code
    return [(one, units.get(one.unit_id or 0), nodes.get(one.category_code)) for one in found]


@staff()
@require_GET
def knowledge(request: StaffRequest) -> HttpResponse:
    """Search as one types; without a question, every article in force. htmx asks for the list alone."""
    on, asked = today_of(now()), asked_of(request)
    shown = {"lines": lines(asked, on), "asked": asked}
    if request.htmx:
        return render(request, "desk/_knowledge_found.html", shown)
    owned = None if rights.is_keeper(request.actor) else queries.units_of(request.actor)
    return render(request, "desk/knowledge.html", context_for(
        request, **shown, may_write=rights.may_begin(request.actor),
        waiting=queries.open_reports(owned).count() + queries.reviews_due(on, owned).count()))


def _page(request: StaffRequest, code: str, *, tried: tuple[str, forms.Form | None] = ("", None), message: str = "",
          status: int = 200) -> HttpResponse:
    """One article; `tried` is the step, or the report answered, that was not taken, with what was typed. What is wrong stands
    with its form, or above the page where that step is no longer open."""
    versions, at = queries.history(code), now()
    current = next((one for one in versions if one.state == VersionState.APPROVED), None)
    shown = current or versions[0]
    draft = next((one for one in versions if one.state == VersionState.DRAFT), None)
    in_force = current is not None and current.in_force(today_of(at))
    step, typed = tried

    def form_for(name: str, made: type[forms.Form]) -> forms.Form:
        return typed if typed is not None and name == step else settled(made(), name)

    may = {"report": in_force, "refuse": draft is not None and rights.may_decide(request.actor, draft),
           "withdraw": current is not None and rights.may_withdraw(request.actor, current)}
    open_forms = {name: form_for(name, made) for name, made in STEP_FORMS.items() if may[name]}
    reports = [(one, form_for(str(one.pk), AnswerForm)
                if one.state == ReportState.OPEN and rights.may_answer(request.actor, one) else None)
               for one in queries.reports_of(code)[:50]]
    on_page = [*open_forms.values(), *(form for _one, form in reports)]
    wrong = step if typed is not None and any(form is typed for form in on_page) else ""
    return render(request, "desk/article.html", context_for(
        request, code=code, one=shown, current=current, versions=versions, draft=draft, message=message, wrong=wrong,
        in_force=in_force, uses=sum(one.answered for one in versions), at=at,
        reports=[(one, form, str(one.pk) == wrong) for one, form in reports], forms=open_forms,
        said={wrong: message}, submission=request.POST.get("submission") or str(uuid7()),
        kept_as=draft_name(request, "article", code),
        may_write=rights.may_begin(request.actor, shown.unit_id)), status=status)


@staff()
@require_GET
def article(request: StaffRequest, code: str) -> HttpResponse:
    """One article: what is read out, on what it rests, its versions, what was said against it."""
    return _page(request, code)


@staff()
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, code: str = "") -> HttpResponse:
    """The next version of an article, or a new one. What was typed stays when it cannot be taken."""
    newest = queries.history(code)[0] if code else None
    if not rights.may_begin(request.actor, newest.unit_id if newest else None):
        return render(request, "desk/refused.html", {
            "reason": _("这篇文章由责任单位的承办员、负责人或热线督办员编写。")}, status=403)
    unit = reference().units.get(request.actor.unit_id or 0)
    initial = _initial(newest) if newest else {
        "valid_from": today_of(now()), "public": True, "unit": unit_line(unit.code) if unit else ""}
    form = settled(ArticleForm(request.POST or None, initial=initial), "article")
    message, status, submission = "", 200, request.POST.get("submission") or str(uuid7())
    # By the version it was begun on: what was left lying is not put over what somebody else has written since.
    kept_as = draft_name(request, "article-edit", code, str(newest.number if newest else 0))
    if request.method == "POST":
        status, message = 422, _("还差几项，补上再提交。已填的内容都在。")
        if form.is_valid():
            try:
                made = actions.draft(
                    by=request.actor, content=form.content(), code=code, note=form.cleaned_data["note"],
                    seen=small_number(request.POST.get("seen", "")),
                    key=submission_key("article", str(request.user.pk), code, submission))
            except DomainError as error:
                take_faults(form, error)
                message, status = str(error), error.status
            else:
                messages.success(request, _("已存为草稿，请另一位有权审定的同事审定。"), extra_tags=kept_as)
                return redirect(reverse("desk:article", args=[made.article.code]))
    return render(request, "desk/article_edit.html", context_for(
        request, form=form, message=message, code=code, newest=newest, submission=submission, kept_as=kept_as), status=status)


@staff()
@require_POST
def act(request: StaffRequest, code: str, step: str) -> HttpResponse:
    """One step on an article: report, approve, refuse, withdraw. A fault shows the page with what was typed."""
    made = STEP_FORMS.get(step)
    form = settled(made(request.POST), step) if made else None
    if form is not None and not form.is_valid():
        return _page(request, code, tried=(step, form), message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    number = small_number(request.POST.get("number", "")) or 0
    by = request.actor
    try:
        if step == "report" and form:
            key = submission_key("article-report", str(request.user.pk), request.POST.get("submission", ""))
            actions.report(by=by, code=code, key=key, **form.cleaned_data)
            told = _("已告诉责任单位，到期没有答复会列为逾期。")
        elif step == "approve":
            actions.approve(by=by, code=code, number=number)
            told = _("已审定，马上可以用。")
        elif step == "refuse" and form:
            actions.refuse(by=by, code=code, number=number, **form.cleaned_data)
            told = _("已退回这份草稿。")
        elif step == "withdraw" and form:
            actions.withdraw(by=by, code=code, **form.cleaned_data)
            told = _("已撤下，不再推荐。")
        else:
            raise Http404
    except DomainError as error:
        if form is not None:
            take_faults(form, error)
        return _page(request, code, tried=(step, form), message=str(error), status=error.status)
    messages.success(request, told, extra_tags=draft_name(request, "article", code) if step == "report" else "")
    return redirect(reverse("desk:article", args=[code]))


@staff()
@require_POST
def answer_report(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer what was said against an article: corrected, or why it stays."""
    found = queries.access_report(pk)
    code = found.version.article.code
    form = settled(AnswerForm(request.POST), str(pk))
    message, status = _("还差几项，补上再提交。已填的内容都在。"), 422
    if form.is_valid():
        try:
            actions.answer_report(by=request.actor, pk=pk, answer=form.cleaned_data["answer"],
                                  corrected=request.POST.get("how") == "corrected")
        except DomainError as error:
            take_faults(form, error)
            message, status = str(error), error.status
        else:
            messages.success(request, _("已答复。"))
            return redirect(reverse("desk:article", args=[code]))
    return _page(request, code, tried=(str(pk), form), message=message, status=status)


@staff()
@require_GET
def compare(request: StaffRequest, code: str) -> HttpResponse:
    """Two versions of an article, field by field; by default the newest and the one before."""
    versions = queries.history(code)
    by_number = {one.number: one for one in versions}
    newest = versions[0]
    later = by_number.get(small_number(request.GET.get("to", "")) or newest.number, newest)
    earlier = by_number.get(small_number(request.GET.get("from", "")) or later.number - 1) or versions[-1]
    before, after = asdict(actions.content_of(earlier)), asdict(actions.content_of(later))
    return render(request, "desk/article_compare.html", context_for(
        request, code=code, one=later, earlier=earlier, numbers=sorted(by_number),
        changes=[(label, _shown(before[name]), _shown(after[name])) for name, label in FIELDS.items()
                 if before[name] != after[name]]))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, tuple):
        return "\n".join(value)
    return str(value or "—")


@staff()
@require_GET
def waiting(request: StaffRequest) -> HttpResponse:
    """What waits for the owners: reports with their due time, reviews, drafts to decide. Keepers see every unit's."""
    everything = rights.is_keeper(request.actor)
    units, at = None if everything else queries.units_of(request.actor), now()
    drafts = [(one, rights.may_decide(request.actor, one)) for one in queries.drafts(units)[:200]]
    return render(request, "desk/knowledge_waiting.html", context_for(
        request, reports=list(queries.open_reports(units)[:200]), reviews=list(queries.reviews_due(today_of(at), units)[:200]),
        drafts=drafts, at=at, today=today_of(at), everything=everything))
