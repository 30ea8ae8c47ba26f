"""Forms of review, callback and contest. The review's checklist answers to one key a question."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import reference
from lianxin.quality.checklist import items_for
from lianxin.quality.models import Answer, CallbackOutcome, ChecklistItem, Satisfaction

from .base import ActionForm, text, yes_no

KEYS = {Answer.YES: "y", Answer.NO: "n", Answer.NOT_APPLICABLE: "x"}


class Checklist(forms.Widget):
    """One row of choices for each question: `answers.<code>` = yes, no or na."""

    template_name = "desk/checklist.html"
    items: tuple[ChecklistItem, ...] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given = value if isinstance(value, dict) else {}
        context["rows"] = [
            (item, [(answer.value, answer.label, key, given.get(item.code) == answer.value)
                    for answer, key in KEYS.items() if item.na_allowed or answer != Answer.NOT_APPLICABLE])
            for item in self.items
        ]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        return {item.code: data[key] for item in self.items if data.get(key := f"{name}.{item.code}")}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None, index: Any = None) -> str:
        return ""


class ChecklistField(forms.Field):
    """The answers by code; whether they let the reply pass is the action's to say."""

    widget = Checklist

    def clean(self, value: Any) -> dict[str, str]:
        return dict(value or {})


class _Reviewed(ActionForm):
    answers = ChecklistField(label=_("审核清单"), required=False)

    def prepare(self) -> None:
        widget = self.fields["answers"].widget
        assert isinstance(widget, Checklist)
        widget.items = tuple(items_for(self.case, reference()))


class Approve(_Reviewed):
    note = text(_("审核意见"), required=False, rows=2, internal=True)


class SendBack(_Reviewed):
    reason = text(_("哪里要重办"), rows=3, internal=True)


class CallbackAttempt(ActionForm):
    outcome = forms.ChoiceField(label=_("回访结果"), choices=[("", "—"), *CallbackOutcome.choices])
    truthful = yes_no(_("答复是否属实"), required=False)
    solved = yes_no(_("问题是否解决"), required=False)
    satisfaction = forms.ChoiceField(label=_("是否满意"), required=False, choices=[("", "—"), *Satisfaction.choices])
    justified = yes_no(_("不满意的，理由是否成立"), required=False)
    note = text(_("诉求人说了什么"), required=False, rows=2, internal=True)

    def prepare(self) -> None:
        self.fields["solved"].help_text = (
            _("没有解决的，系统马上退回原单位重办。") if self.case.round == 1
            else _("重办后还没有解决的，交督办员决定。"))
        self.fields["justified"].help_text = _("成立的等同没有解决，请在下面写明理由。")


class Contest(ActionForm):
    words = text(_("诉求人为什么不认可"), rows=3, public=True)


FORMS: dict[str, type[ActionForm]] = {
    "approve": Approve, "send_back": SendBack, "record_callback_attempt": CallbackAttempt, "contest": Contest,
}
