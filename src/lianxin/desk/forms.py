"""One form for each action of the table. The fields are the table's; the engine checks them again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.actions.dispatching import EMERGENCY_SERVICES
from lianxin.cases.models import Case, ContactMeans, Kind, Phrase, Urgency
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.organisations.models import Role, RoleGrant
from lianxin.quality.models import CallbackOutcome, Satisfaction

YES_NO = [("", "—"), ("yes", _("是")), ("no", _("否"))]


class UnitField(forms.CharField):
    """A unit by code, typed with help from a list of open units."""

    widget = forms.TextInput(attrs={"list": "units", "autocomplete": "off", "data-unit": ""})


class CategoryField(forms.CharField):
    widget = forms.TextInput(attrs={"list": "categories", "autocomplete": "off", "data-category": ""})


class AreaField(forms.CharField):
    widget = forms.TextInput(attrs={"list": "areas", "autocomplete": "off", "data-area": ""})


def _text(label: Any, *, required: bool = True, rows: int = 4) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=10_000,
                           widget=forms.Textarea(attrs={"rows": rows}))


def _yes_no(label: Any, *, required: bool) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=required, choices=YES_NO, empty_value=None,
        coerce=lambda value: {"yes": True, "no": False}.get(value),
    )


def _when(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


class ActionForm(forms.Form):
    """Base: knows the case it acts on; `cleaned()` gives the action's keyword arguments."""

    lists: tuple[str, ...] = ()

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        self.case = case
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.prepare()

    def prepare(self) -> None:
        """Fill choices and first values from the case."""

    def cleaned(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}


def code_of(value: str) -> str:
    """`0101 路灯` as typed from a list → `0101`."""
    return value.split(" ", 1)[0].strip()


def coded(thing: Any) -> str:
    """The reverse, in the reader's language; without the comma that would part one unit from the next."""
    return f"{thing.code} {thing.said.replace(',', '')}"


class _Coded(ActionForm):
    coded: tuple[str, ...] = ()
    many: tuple[str, ...] = ()

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        for name in self.coded:
            if name in values:
                values[name] = code_of(values[name])
        for name in self.many:
            values[name] = [code_of(part) for part in str(values.get(name, "")).replace("，", ",").split(",") if part.strip()]
        return values


class Accept(_Coded):
    lists = ("categories", "areas")
    coded = ("category", "area")
    category = CategoryField(label=_("事项"))
    area = AreaField(label=_("地点"), required=False)
    kind = forms.ChoiceField(label=_("诉求类型"), required=False, choices=[("", _("按事项")), *Kind.choices])
    urgency = forms.ChoiceField(label=_("紧急程度"), required=False, choices=[("", _("按事项")), *Urgency.choices])

    def prepare(self) -> None:
        if self.case.category:
            self.fields["category"].initial = coded(self.case.category)
        if self.case.area:
            self.fields["area"].initial = coded(self.case.area)


class Correct(Accept):
    reason = _text(_("更正原因"), rows=2)

    def prepare(self) -> None:
        super().prepare()
        self.fields["category"].required = False


class Decline(ActionForm):
    route = forms.ChoiceField(label=_("法定途径"))
    explanation = _text(_("向诉求人说明"))

    def prepare(self) -> None:
        phrases = list(Phrase.objects.filter(list=Phrase.List.DECLINE_ROUTE, active=True))
        field = self.fields["route"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((p.code, p.said) for p in phrases)]


class AnswerOnTheSpot(_Coded):
    lists = ("categories",)
    coded = ("category",)
    public_answer = _text(_("答复内容"), rows=6)
    category = CategoryField(label=_("事项"), required=False)


class Dispatch(_Coded):
    lists = ("units",)
    coded = ("lead_unit",)
    many = ("assisting_units",)
    lead_unit = UnitField(label=_("主办单位"))
    assisting_units = UnitField(label=_("协办单位"), required=False, help_text=_("可不填；多个用逗号分开。"))
    note = _text(_("派单说明"), required=False, rows=2)

    def prepare(self) -> None:
        answer = reference().responsible(
            category_id=self.case.category_id, area_id=self.case.area_id, on=today_of(now())
        )
        if answer:
            self.fields["lead_unit"].initial = coded(answer.lead)
            self.fields["lead_unit"].help_text = answer.basis or _("来自派单目录。")
            self.fields["assisting_units"].initial = ", ".join(coded(unit) for unit in answer.assisting)
        else:
            self.fields["lead_unit"].help_text = _("派单目录没有这一项，请按职责选择单位。")


class Redispatch(Dispatch):
    reason = _text(_("改派原因"), rows=2)

    def prepare(self) -> None:
        self.fields.pop("note")


class AddAssisting(_Coded):
    lists = ("units",)
    many = ("assisting_units",)
    assisting_units = UnitField(label=_("协办单位"), help_text=_("多个用逗号分开。"))
    note = _text(_("说明"), required=False, rows=2)


class RecordContact(ActionForm):
    means = forms.ChoiceField(label=_("联系方式"), choices=ContactMeans.choices)
    reached = _yes_no(_("是否联系上"), required=True)
    contacted_at = _when(_("联系时间（不填为现在）"))
    note = _text(_("情况"), required=False, rows=2)


class RaiseReturn(_Coded):
    lists = ("units",)
    coded = ("suggested_unit",)
    reason = forms.ChoiceField(label=_("退单理由"))
    evidence = _text(_("依据（法规、三定方案或事实）"))
    suggested_unit = UnitField(label=_("建议单位"), required=False)

    def prepare(self) -> None:
        phrases = list(Phrase.objects.filter(list=Phrase.List.RETURN_REASON, active=True))
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((p.code, p.said) for p in phrases)]


class Ruling(ActionForm):
    ruling = _text(_("裁定理由"), rows=3)


class AssistReply(ActionForm):
    private_note = _text(_("协办意见"))


class HandToColleague(ActionForm):
    officer = forms.ChoiceField(label=_("同事"))

    def prepare(self) -> None:
        colleagues = (
            RoleGrant.objects.filter(unit_id__in=self.case.unit_ids, role=Role.CLERK, ended_at__isnull=True,
                                     staff__is_active=True)
            .values_list("staff__username", "staff__name", "unit__name")
            .order_by("unit__name", "staff__name")
        )
        field = self.fields["officer"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((u, f"{name} · {unit}") for u, name, unit in colleagues)]


class Note(ActionForm):
    note = _text(_("内部留言（诉求人看不到）"), rows=3)


class Reply(ActionForm):
    public_answer = _text(_("给诉求人的答复"), rows=6)
    solved = _yes_no(_("是否已解决"), required=True)
    means = forms.ChoiceField(label=_("联系方式"), required=False,
                              choices=[("", _("已有联系记录")), *ContactMeans.choices])
    contacted_at = _when(_("联系时间（不填为现在）"))
    private_note = _text(_("内部说明（诉求人看不到）"), required=False, rows=2)


class Approve(ActionForm):
    note = _text(_("审核意见"), required=False, rows=2)


class Reason(ActionForm):
    reason = _text(_("原因"), rows=3)


class CallbackAttempt(ActionForm):
    outcome = forms.ChoiceField(label=_("回访结果"), choices=[("", "—"), *CallbackOutcome.choices])
    truthful = _yes_no(_("答复是否属实"), required=False)
    solved = _yes_no(_("问题是否解决"), required=False)
    satisfaction = forms.ChoiceField(label=_("是否满意"), required=False, choices=[("", "—"), *Satisfaction.choices])
    note = _text(_("诉求人说了什么"), required=False, rows=2)


class Close(ActionForm):
    explanation = _text(_("归档说明（未解决的必须写明）"), required=False, rows=2)


class AddInformation(ActionForm):
    words = _text(_("诉求人补充的情况"))


class ReferEmergency(ActionForm):
    service = forms.ChoiceField(label=_("转接"), choices=[(s, s) for s in EMERGENCY_SERVICES])
    note = _text(_("说明"), required=False, rows=2)


class Publication(ActionForm):
    title = forms.CharField(label=_("公开标题"), max_length=120)
    body = _text(_("公开内容（去掉姓名、电话、门牌）"), rows=6)

    def prepare(self) -> None:
        version = getattr(self.case, "public_version", None)
        self.fields["title"].initial = version.title if version else self.case.title or self.case.words[:30]
        self.fields["body"].initial = version.body if version else self.case.words


class Nothing(ActionForm):
    """For actions that need no words: the button is the whole form."""


FORMS: dict[str, type[ActionForm]] = {
    "accept": Accept, "decline": Decline, "answer_on_the_spot": AnswerOnTheSpot, "dispatch": Dispatch,
    "redispatch": Redispatch, "add_assisting": AddAssisting, "sign": Nothing, "record_contact": RecordContact,
    "raise_return": RaiseReturn, "uphold_return": Ruling, "reject_return": Ruling, "assist_sign": Nothing,
    "assist_reply": AssistReply, "hand_to_colleague": HandToColleague, "ask_colleague": Note, "reply": Reply,
    "approve": Approve, "send_back": Reason, "record_callback_attempt": CallbackAttempt, "reopen": Reason,
    "close": Close, "withdraw": Reason, "add_information": AddInformation, "correct": Correct,
    "refer_emergency": ReferEmergency, "request_publication": Publication, "clear_publication": Publication,
    "refuse_publication": Reason,
}
