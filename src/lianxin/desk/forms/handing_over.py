"""Forms of handing a case over to the desk of another service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.handing_over import REASON
from lianxin.cases.handing_over import Basis, Mode, Wish, partners
from lianxin.cases.models import Linkage

from .base import ActionForm, Words, text


def reason(label: Any, *, help_text: Any = "") -> Words:
    """A reason as it travels to the other desk: short."""
    return Words(label=label, help_text=help_text, max_length=REASON, widget=forms.Textarea(attrs={"rows": 2}))


class OfferHandover(ActionForm):
    partner = forms.ChoiceField(label=_("移交给"))
    basis = forms.ChoiceField(label=_("为什么"), choices=Basis.choices, initial=Basis.CLEAR)
    mode = forms.ChoiceField(label=_("怎样办"), choices=Mode.choices, initial=Mode.TRANSFER)
    reason = reason(_("移交原因"), help_text=_("对方会看到，诉求人看不到。诉求内容一并转去，不用重写。"))
    wish = forms.ChoiceField(label=_("诉求人的意愿"), choices=Wish.choices, initial=Wish.NOT_ASKED,
                             help_text=_("不愿意转的，只有紧急情况才移交。"))
    note = text(_("给对方的说明"), required=False, rows=2)

    def prepare(self) -> None:
        found = partners()
        partner, mode = self.fields["partner"], self.fields["mode"]
        assert isinstance(partner, forms.ChoiceField)
        assert isinstance(mode, forms.ChoiceField)
        partner.choices = [("", "—"), *found] if len(found) != 1 else found
        if not found:
            partner.help_text = _("还没有接入可以移交的单位，请打电话联系对方。")
        if self.case.linkage == Linkage.OFFERED:
            mode.choices = [(Mode.JOINT.value, Mode.JOINT.label)]
            mode.help_text = _("正在移交，对方还没有答复：另外只能请别的单位协同；要换单位，先撤回移交。")


class WithdrawHandover(ActionForm):
    reason = reason(_("撤回原因"), help_text=_("对方会看到，诉求人看不到。对方确认前，移交还算数。"))


FORMS: dict[str, type[ActionForm]] = {"offer_handover": OfferHandover, "withdraw_handover": WithdrawHandover}
