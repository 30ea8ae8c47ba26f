"""Forms of what grid workers are asked for and do; their telephone has the same."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.checks import checkers

from ..typed import category_code
from .base import ActionForm, CategoryField, Coded, text, yes_no


class SettleOnTheSpot(Coded):
    lists = ("categories",)
    coded = {"category": category_code}
    public_answer = text(_("怎样处理的"), rows=2, public=True)
    category = CategoryField(label=_("事项"), required=False)

    def prepare(self) -> None:
        if self.case.category:
            self.fields["category"].initial = f"{self.case.category.code} {self.case.category.said}"


class AskCheck(ActionForm):
    note = text(_("请看什么"), rows=2, internal=True)
    worker = forms.ChoiceField(label=_("请谁去看"), required=False)

    def prepare(self) -> None:
        field = self.fields["worker"]
        assert isinstance(field, forms.ChoiceField)
        able = checkers(self.case)
        field.choices = [("", _("最近的网格员")), *((one.username, f"{one.name} · {one.unit.said if one.unit else ''}") for one in able)]
        if not able:
            field.help_text = _("这个地方没有可以核查的网格员：要在当地、没有经手过、也不属于承办单位。")


class AnswerCheck(ActionForm):
    handled = yes_no(_("办好了吗"), required=True)
    note = text(_("看到的情况"), required=False, rows=2, internal=True)


FORMS: dict[str, type[ActionForm]] = {
    "settle_on_the_spot": SettleOnTheSpot, "ask_check": AskCheck, "answer_check": AnswerCheck,
}
