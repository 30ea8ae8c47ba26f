"""The form of a joint ruling, with what the catalogue and the units have said so far."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.reference import reference, today_of
from lianxin.cases.returns import waiting_return
from lianxin.kernel.clock import now

from ..typed import unit_code, unit_line
from .base import Coded, UnitField, text


class RuleJointly(Coded):
    lists = ("units",)
    coded = {"lead_unit": unit_code}
    many = ("assisting_units",)
    lead_unit = UnitField(label=_("主办单位"))
    assisting_units = UnitField(label=_("协办单位"), help_text=_("至少一个；多个用逗号分开。"))
    ruling = text(_("裁定理由和分工"), rows=3, internal=True)
    basis = forms.CharField(label=_("法定依据"), max_length=300, help_text=_("文件名称和条款，如“三定”规定第三条。"))

    def prepare(self) -> None:
        held = reference()
        says = held.responsible(category_id=self.case.category_id, area_id=self.case.area_id, on=today_of(now()))
        entry = waiting_return(self.case)
        lead = self.fields["lead_unit"]
        if says is not None:
            lead.initial = unit_line(says.lead.code)
            lead.help_text = _("按派单目录填的，请核定。")
        if entry is None:
            return
        known = [pk for pk in (entry.unit_id, entry.suggested_unit_id) if pk is not None]
        others = [held.units[pk].code for pk in known if says is None or pk != says.lead.id]
        self.fields["assisting_units"].initial = ", ".join(unit_line(code) for code in others)


FORMS = {"rule_jointly": RuleJointly}
