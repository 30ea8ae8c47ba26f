"""Answers for everyone: searched, read, and said to be wrong, without signing in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from lianxin.cases.engine import submission_key
from lianxin.cases.reference import reference, today_of
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import uuid7
from lianxin.knowledge import actions, queries
from lianxin.knowledge.models import Fault
from lianxin.triage.keywords import Suggestion, suggest

ASKED = 200  # characters of a question in an address
SHOWN = 10
ASK_PER_MINUTE, REPORT_PER_MINUTE = 120, 5
OFFERED = 2


class ReportForm(forms.Form):
    fault = forms.ChoiceField(label=gettext_lazy("哪里有问题"), choices=Fault.choices)
    words = forms.CharField(label=gettext_lazy("请说说哪里不对"), max_length=actions.WORDS,
                            widget=forms.Textarea(attrs={"rows": 3}),
                            help_text=gettext_lazy("不用写姓名和电话。要我们办事，请点“说事”。"))


def offered(words: str, read: Sequence[Suggestion]) -> list[queries.Found]:
    """The answers that fit a resident's words, and the categories read in them, well: two at most, often none."""
    return queries.search(words, on=today_of(now()), limit=OFFERED, public_only=True, least=queries.WELL,
                          category_codes=tuple(one.code for one in read))


@require_safe
def answers(request: HttpRequest) -> HttpResponse:
    """Search the public answers; without a question, all of them by topic."""
    on, asked = today_of(now()), request.GET.get("q", "").strip()[:ASKED]
    if asked:
        allow("help", client_address(request), per_minute=ASK_PER_MINUTE)
        found = queries.search(asked, on=on, limit=SHOWN, public_only=True, least=0.3,
                               category_codes=tuple(one.code for one in suggest(asked)))
        return render(request, "portal/answers.html", {"asked": asked, "found": found})
    nodes = reference().nodes_by_code
    topics: dict[str, list[queries.Found]] = {}
    for one in queries.articles(on=on, public_only=True):
        top = nodes.get(one.category_code[:2])
        topics.setdefault(top.said if top else _("其他"), []).append(one)
    return render(request, "portal/answers.html", {"asked": "", "topics": topics})


def _page(request: HttpRequest, one: queries.Found, form: ReportForm, *, message: Any = "", status: int = 200) -> HttpResponse:
    form.label_suffix = ""
    unit = reference().units.get(one.unit_id or 0)
    return render(request, "portal/help_answer.html", {
        "one": one, "unit": unit, "form": form, "message": message,
        "submission": request.POST.get("submission") or str(uuid7())}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def help_answer(request: HttpRequest, code: str) -> HttpResponse:
    """One answer. POST says that it is wrong or outdated; nobody is asked who they are."""
    one = queries.article(code, on=today_of(now()), public_only=True)
    if request.method != "POST":
        return _page(request, one, ReportForm())
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _page(request, one, form, message=_("还差几项，补上再提交。已填的内容都在。"), status=422)
    try:
        allow("article-report", client_address(request), per_minute=REPORT_PER_MINUTE)
        actions.report(by=None, code=code, key=submission_key("help", request.POST.get("submission", "") or str(uuid7())),
                       **form.cleaned_data)
    except DomainError as error:
        return _page(request, one, form, message=str(error), status=error.status)
    messages.success(request, _("谢谢您。已经转给负责这篇答案的单位核对。"))
    return redirect(reverse("portal:help_answer", args=[code]))
