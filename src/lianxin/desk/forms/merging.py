"""The forms of merging: which cases, and why. Which reporters of merged cases a contact was with, too."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.families import merged_under

from .base import ActionForm, text
from .cases import RecordContact


class Merge(ActionForm):
    duplicates = forms.CharField(
        label=_("并入哪几件（编号）"), max_length=4000,
        help_text=_("多个用逗号或空格分开。它们各自的编号、期限、回访和评价都保留。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = text(_("为什么是同一件事"), rows=2, internal=True)

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        said = str(values.get("duplicates", ""))
        for mark in "，、；;\n\t ":
            said = said.replace(mark, ",")
        return values | {"duplicates": [one for one in said.split(",") if one]}


class Unmerge(ActionForm):
    reason = text(_("为什么不是同一件事"), rows=2, internal=True)


class ContactFamily(RecordContact):
    """A contact, and the merged reporters it was with as well: none unless said."""

    duplicates = forms.MultipleChoiceField(
        label=_("同时联系上的并案诉求人"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("只勾这次真的联系到的，例如群发短信或现场一起见面。没勾的，期限照走。"))

    def prepare(self) -> None:
        field = self.fields["duplicates"]
        assert isinstance(field, forms.MultipleChoiceField)
        under = merged_under(self.case.pk).order_by("registered_at", "id") if self.case.duplicate_count else ()
        field.choices = [(case.number, f"{case.number} · {case.words[:30]}") for case in under]
        if not field.choices:
            del self.fields["duplicates"]

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        if not values.get("duplicates"):
            values.pop("duplicates", None)
        return values


FORMS: dict[str, type[ActionForm]] = {"merge": Merge, "unmerge": Unmerge, "record_contact": ContactFamily}
