"""Events in the words of the desk: what was done, with what, and which words belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lianxin.cases.models import ContactMeans, Outcome, Phrase
from lianxin.cases.queries import TimelineEntry
from lianxin.cases.reference import reference
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.language import named
from lianxin.quality.models import CallbackOutcome, Satisfaction

register = template.Library()

FIELD_LABELS: dict[str, str | Promise] = {
    "public_answer": gettext_lazy("给诉求人的答复"), "private_note": gettext_lazy("内部说明"),
    "evidence": gettext_lazy("依据"), "ruling": gettext_lazy("裁定理由"), "reason": gettext_lazy("原因"),
    "explanation": gettext_lazy("说明"), "note": gettext_lazy("说明"), "words": gettext_lazy("诉求人的话"),
    "title": gettext_lazy("公开标题"), "body": gettext_lazy("公开内容"),
}
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
def event_title(entry: TimelineEntry) -> str | Promise:
    row = BY_ACTION.get(entry.event.action)
    return row.label if row else entry.event.action


def _unit(code: Any) -> str:
    held = reference()
    found = next((unit for unit in held.units.values() if unit.code == code), None)
    return found.said if found else str(code)


def _yes_no(value: Any, yes: str, no: str) -> str:
    return yes if value else no


@register.filter
def event_detail(entry: TimelineEntry) -> str:
    """What the event's data says, shortly: units, outcome, means."""
    action, data = entry.event.action, entry.event.data
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
    if data.get("count"):
        parts.append(_("%d 个文件") % data["count"])
    return " · ".join(parts)


@lru_cache(maxsize=1)
def _phrases_at(_marker: object) -> dict[str, tuple[str, str]]:
    return {code: (name, name_en) for code, name, name_en in Phrase.objects.values_list("code", "name", "name_en")}


@register.filter
def event_texts(entry: TimelineEntry) -> list[Said]:
    """The words, each with its label; the reporter's first words stand elsewhere on the page."""
    public = entry.event.public or entry.event.action == "reply"
    return [
        Said(FIELD_LABELS.get(name, name), body, public and name not in ("private_note", "note"))
        for name, body in entry.texts.items() if body
    ]
