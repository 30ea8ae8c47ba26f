"""What people write down about another system: its settings, and one line of the mapping."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.exchange.models import Closing, Photos, Shown, System, SystemKind

from ..typed import category_code, unit_code, unit_line
from .base import PreparedForm, UnitField

TRUTHS = ("idempotent", "active")
TEXTS = ("name", "name_en", "url", "jurisdiction", "agent", "identity", "purpose", "photos", "closing", "kind")


def _plain(label: Any, *, most: int, required: bool = True, help_text: Any = "", kind: str = "text") -> forms.CharField:
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text,
                           widget=forms.TextInput(attrs={"autocomplete": "off", "type": kind}))


class Settings(PreparedForm):
    """A system: a new one, or what it is now."""

    lists = ("units",)
    code = _plain(_("代号"), most=40, help_text=_("小写字母、数字、点和连字符，定了不再改。"))
    name = _plain(_("名称"), most=80)
    name_en = _plain(_("英文名称"), most=120, required=False)
    kind = forms.ChoiceField(label=_("是什么"), choices=SystemKind.choices)
    url = _plain(_("地址"), most=300, help_text=_("GeoReport v2 的根地址，例如 https://…/open311/v2。"))
    jurisdiction = _plain("jurisdiction_id", most=80, required=False)
    key = _plain(_("api_key"), most=200, required=False, help_text=_("加密保存，不再显示。不填的，保留原来的。"), kind="password")
    unit = UnitField(label=_("单位"), max_length=120, required=False, help_text=_("派给这个单位的工单发到这个系统。"))
    agent = _plain(_("代办账号"), most=150, required=False, help_text=_("对方收到后，以这名承办员的名义签收；也用于直接答复。"))
    closing = forms.ChoiceField(label=_("对方办结后"), choices=Closing.choices)
    identity = forms.ChoiceField(label=_("诉求人信息"), choices=Shown.choices)
    purpose = _plain(_("完整提供的目的"), most=200, required=False)
    photos = forms.ChoiceField(label=_("照片"), choices=Photos.choices,
                               help_text=_("只发已去掉位置信息的照片，要求保密的工单不发。对方公开列出工单的，照片也会公开。"))
    idempotent = forms.BooleanField(label=_("对方认 Idempotency-Key"), required=False, help_text=_("连心桥平台认；别的系统先问清楚。"))
    active = forms.BooleanField(label=_("启用"), required=False, initial=True)

    def __init__(self, *args: Any, system: System | None = None, **kwargs: Any) -> None:
        self.system = system
        super().__init__(*args, **kwargs)

    def prepare(self) -> None:
        if self.system is None:
            return
        del self.fields["code"]
        for name in (*TEXTS, *TRUTHS):
            if name != "agent":
                self.fields[name].initial = getattr(self.system, name)
        self.fields["agent"].initial = self.system.agent.username if self.system.agent else ""
        self.fields["unit"].initial = unit_line(self.system.unit.code) if self.system.unit else ""

    def cleaned(self) -> dict[str, Any]:
        said = self.cleaned_data
        values = {name: said[name] for name in (*TEXTS, *TRUTHS)} | {"unit": unit_code(said["unit"])}
        return values | ({"key": said["key"]} if said["key"] else {})


class MapService(PreparedForm):
    """One line of the mapping: their service → our category, or ours → theirs."""

    lists = ("categories",)
    inbound = forms.ChoiceField(label=_("方向"), choices=[("0", _("本市的 → 对方的")), ("1", _("对方的 → 本市的"))])
    value = forms.CharField(label=_("代码"), max_length=160, widget=forms.TextInput(attrs={"autocomplete": "off", "list": "either"}))
    to = forms.CharField(label=_("对照为"), max_length=160, required=False, help_text=_("留空表示去掉这一行。"),
                         widget=forms.TextInput(attrs={"autocomplete": "off", "list": "either"}))

    def cleaned(self) -> dict[str, Any]:
        said = self.cleaned_data
        inbound = said["inbound"] == "1"
        values = {"inbound": inbound, "value": said["value"].strip(), "to": said["to"].strip()}
        mine, other = ("to", "value") if inbound else ("value", "to")
        values[mine] = category_code(values[mine])
        values[other] = values[other].split(" ", 1)[0] if values[other] else ""
        return values
