"""Events in the words of the desk: what was done, with what, and which words belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.db.models import F
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.cases.clocks import WORKING_DAY
from lianxin.cases.models import Case, ContactMeans, Outcome, Phrase
from lianxin.cases.queries import TimelineEntry
from lianxin.cases.reference import reference
from lianxin.cases.sayings import clocks, handing_over
from lianxin.cases.sayings.supervision import number_of
from lianxin.cases.states import BY_ACTION
from lianxin.faces.templatetags.lianxin import duration
from lianxin.kernel.clock import now
from lianxin.kernel.language import listed, named
from lianxin.linkage.models import Term
from lianxin.quality.models import CallbackOutcome, ChecklistItem, Satisfaction

register = template.Library()

FIELD_LABELS: dict[str, str | Promise] = {
    "demand": gettext_lazy("督办要求"), "answer": gettext_lazy("督办答复"),
    "public_answer": gettext_lazy("给诉求人的答复"), "private_note": gettext_lazy("内部说明"),
    "evidence": gettext_lazy("依据"), "ruling": gettext_lazy("裁定理由"), "basis": gettext_lazy("法定依据"), "reason": gettext_lazy("原因"),
    "explanation": gettext_lazy("说明"), "note": gettext_lazy("说明"), "words": gettext_lazy("诉求人的话"),
    "failed": gettext_lazy("没过的审核项"), "title": gettext_lazy("公开标题"), "body": gettext_lazy("公开内容"),
}
# Where a field is another thing in one action than elsewhere.
OF_ACTION: dict[tuple[str, str], str | Promise] = {("suspend", "words"): gettext_lazy("在等什么"), **dict.fromkeys((
    (f"{action}_handover", "words") for action in ("note", "tell", "release", "take_back", "close")), gettext_lazy("说了什么")),
    ("offer_handover", "note"): gettext_lazy("给对方的说明"), ("close_handover", "public_answer"): gettext_lazy("告诉诉求人的结果"),
    ("close_with_master", "public_answer"): gettext_lazy("告诉诉求人的结果")}
# Words that the reporter does not read though they read of the event.
UNSEEN = frozenset({("offer_handover", "reason"), ("redispatch", "reason"), ("unmerge", "reason"), *(
    (f"{action}_handover", "words") for action in ("tell", "release", "take_back", "close"))})
_CHOICES: dict[str, dict[str, str | Promise]] = {
    "means": dict(ContactMeans.choices), "satisfaction": dict(Satisfaction.choices),
}


@dataclass(frozen=True, slots=True)
class Said:
    """Words of one event, with what they are."""

    label: str | Promise
    body: str
    public: bool


@register.filter
def working_time(minutes: int) -> str:
    """Working minutes in words; seven working hours are a day."""
    return duration(minutes, day=WORKING_DAY)


@register.filter
def event_title(entry: TimelineEntry) -> str | Promise:
    row = BY_ACTION.get(entry.event.action)
    return row.label if row else entry.event.action


def _unit(code: Any) -> str:
    found = reference().units_by_code.get(code)
    return found.said if found else str(code)


def _yes_no(value: Any, yes: str, no: str) -> str:
    return yes if value else no


@register.filter
def event_detail(entry: TimelineEntry) -> str:
    """What the event's data says, shortly: units, outcome, means."""
    action, data = entry.event.action, entry.event.data
    if action.endswith("_handover"):
        terms = _terms_at(reference().marker)
        return " · ".join([*handing_over.detail(entry.event), *(
            named(*terms[code]) for name in ("reason", "result") for code in [str(data.get(name, ""))] if code in terms)])
    parts: list[str] = []
    if data.get("lead_unit"):
        parts.append("→ " + _unit(data["lead_unit"]))
    parts += [_("协办 %s") % _unit(code) for code in data.get("assisting_units") or []]
    for name, names in _CHOICES.items():
        if data.get(name):
            parts.append(str(names.get(data[name], data[name])))
    if action == "record_contact":
        parts.append(_yes_no(data.get("reached"), _("联系上了"), _("没有联系上")))
    if data.get("outcome"):
        outcomes = dict(CallbackOutcome.choices) | dict(Outcome.choices)
        parts.append(str(outcomes.get(data["outcome"], data["outcome"])))
    if data.get("truthful") is not None:
        parts.append(_yes_no(data["truthful"], _("属实"), _("不属实")))
    if data.get("solved") is not None:
        parts.append(_yes_no(data["solved"], _("已解决"), _("未解决")))
    if data.get("reason") or data.get("route"):
        code = str(data.get("reason") or data.get("route"))
        parts.append(named(*_phrases_at(reference().marker).get(code, (code, ""))))
    if data.get("suggested_unit"):
        parts.append(_("建议 %s") % _unit(data["suggested_unit"]))
    if data.get("service"):
        parts.append(str(data["service"]))
    if data.get("article_version"):
        parts.append(_("依据知识“%(title)s”第 %(number)s 版") % {
            "title": data.get("article_title", ""), "number": data["article_version"]})
    parts += clocks.detail(entry.event)
    if data.get("justified") is not None:
        parts.append(_yes_no(data["justified"], _("不满意理由成立"), _("不满意理由不成立")))
    if data.get("drawn") is not None:
        parts.append(_yes_no(data["drawn"], _("抽中电话回访"), _("没有抽中，请诉求人自己评价")))
    if data.get("answers"):
        parts.append(answers_said(data["answers"]))
    if data.get("duplicates"):
        parts.append(listed([*data["duplicates"][:5], *["…"][:len(data["duplicates"]) > 5]]))
    if data.get("master"):
        parts.append(_("主件 %s") % data["master"])
    if data.get("because") in BY_ACTION:
        parts.append(str(BY_ACTION[data["because"]].label))
    if data.get("serial"):
        parts.append(number_of(entry.event))
    if data.get("count"):
        parts.append(_("%d 个文件") % data["count"])
    return " · ".join(parts)


_ANSWER = {"yes": "✓", "no": "✗", "na": "—"}


def answers_said(answers: dict[str, str]) -> str:
    """A review's answers: each question with ✓, ✗ or —. Questions gone from the checklist are known still."""
    questions = _questions_at(reference().marker)
    return " · ".join(f"{_ANSWER.get(answer, answer)} {named(*questions.get(code, (code, '')))}"
                      for code, answer in answers.items())


@lru_cache(maxsize=1)
def _questions_at(_marker: object) -> dict[str, tuple[str, str]]:
    nearest = F("category__level").desc(nulls_last=True)  # where two rows share a code, the city's general one names it
    rows = ChecklistItem.objects.order_by(nearest).values_list("code", "question", "question_en")
    return {code: (question, question_en) for code, question, question_en in rows}


@lru_cache(maxsize=1)
def _phrases_at(_marker: object) -> dict[str, tuple[str, str]]:
    return {code: (name, name_en) for code, name, name_en in Phrase.objects.values_list("code", "name", "name_en")}


@lru_cache(maxsize=1)
def _terms_at(_marker: object) -> dict[str, tuple[str, str]]:
    return {code: (name, name_en) for code, name, name_en in Term.objects.values_list("code", "name", "name_en")}


@register.filter
def event_texts(entry: TimelineEntry) -> list[Said]:
    """The words, each with its label; the reporter's first words stand elsewhere on the page."""
    public = entry.event.public or entry.event.action == "reply"
    return [
        Said(OF_ACTION.get((entry.event.action, name)) or FIELD_LABELS.get(name, name), body,
             public and name not in ("private_note", "note") and (entry.event.action, name) not in UNSEEN)
        for name, body in entry.texts.items() if body
    ]


@register.filter
def return_reason(entry: TimelineEntry) -> str:
    """Why a unit gives a case back, in the city's own words for it."""
    code = str(entry.event.data.get("reason", ""))
    return named(*_phrases_at(reference().marker).get(code, (code, "")))


@register.filter
def overdue(case: Case) -> bool:
    """Whether an answer that is still owed is late."""
    return case.overdue_at(now())


@register.filter
def suggested_name(entry: TimelineEntry) -> str:
    """The unit a return names instead; empty when it names none."""
    code = entry.event.data.get("suggested_unit")
    return _unit(code) if code else ""


EXCERPT = 110  # characters of a case in a list
SHEET_ROWS = 10_000  # of a list that is taken away
LEAD_IN = 24  # characters before the first word that was looked for


def opening(case: Case, limit: int | None = None) -> str:
    """What a case begins with in a list: its title or its words, on one line, at most `limit` characters of them."""
    text = " ".join((case.title or case.words).split())
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


@register.filter
def excerpt(case: Case, query: str = "") -> SafeString:
    """A case's words for a list, with the words that were looked for marked and in view."""
    text = opening(case)
    words = [word for word in (query or "").split()[:6] if word]
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    if words and not pattern.search(text) and case.title:
        text = " ".join(case.words.split())
    hit = pattern.search(text) if words else None
    start = max(hit.start() - LEAD_IN, 0) if hit and hit.end() > LEAD_IN * 2 else 0
    shown = ("…" if start else "") + text[start : start + EXCERPT] + ("…" if len(text) > start + EXCERPT else "")
    if not words:
        return conditional_escape(shown)
    parts: list[SafeString] = []
    at = 0
    for found in pattern.finditer(shown):
        parts += [conditional_escape(shown[at : found.start()]), format_html("<mark>{}</mark>", found.group())]
        at = found.end()
    return mark_safe("".join([*parts, conditional_escape(shown[at:])]))  # every part is escaped


@register.inclusion_tag("desk/_take.html", takes_context=True)
def take_away(context: dict[str, Any], name: str, board: str = "", **more: object) -> dict[str, Any]:
    """The way to the page's list as a spreadsheet, narrowed as the page is, from its first row on; `more` is said beside what the
    page's own address says."""
    query = context["request"].GET.copy()
    query.pop("after", None)
    for key, value in more.items():
        query[key] = str(value)
    address = reverse("desk:board_sheet", args=[board]) if board else reverse("desk:list_sheet", args=[name])
    return {"address": f"{address}?{query.urlencode()}" if query else address, "most": f"{SHEET_ROWS:,}"}
