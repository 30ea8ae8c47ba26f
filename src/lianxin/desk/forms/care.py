"""Forms of the care register. None of them is kept as a draft in the browser: what is said of a person lies sealed or nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.care.actions import LENGTHS, Consent, a_year_after
from lianxin.care.models import LONGEST_INTERVAL, CareOutcome, ConsentGiven
from lianxin.care.sealing import Person
from lianxin.cases.reference import reference, today_of
from lianxin.kernel.clock import now
from lianxin.organisations.models import Staff
from lianxin.places.models import Area

from ..typed import area_code, path_of
from .base import AreaField

QUIET = {"autocomplete": "off", "spellcheck": "false"}


def _line(label: Any, name: str, *, required: bool = True, help_text: Any = "") -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=LENGTHS[name], help_text=help_text,
                           widget=forms.TextInput(attrs=QUIET))


def _day(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, required=required, help_text=help_text,
                           widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class PersonForm(forms.Form):
    """What somebody says of themselves, where they live and how often they want to be looked in on."""

    lists = ("areas",)
    name = _line(_("姓名"), "name")
    area = AreaField(label=_("村社区"), max_length=200)
    address = _line(_("住址"), "address")
    phone = _line(_("电话"), "phone", required=False)
    trusted = _line(_("信得过的人和怎么联系"), "trusted", required=False, help_text=_("两次没见到人时，登记管理员先找这个人。"))
    purpose = forms.CharField(
        label=_("为什么想有人来看看（本人的话）"), max_length=LENGTHS["purpose"], widget=forms.Textarea(attrs={"rows": 3, **QUIET}),
        help_text=_("照本人说的写，不写别人对他的评价。"))
    interval_days = forms.IntegerField(label=_("每隔几天看望一次"), min_value=1, max_value=LONGEST_INTERVAL, initial=7)

    def person(self) -> Person:
        held = self.cleaned_data
        return Person(held["name"], held["address"], held["phone"], held["trusted"], held["purpose"])

    def clean_area(self) -> Area:
        found = Area.objects.filter(code=area_code(self.cleaned_data["area"]), active=True).first()
        if found is None:
            raise forms.ValidationError(_("没有这个地点，请从列表中选择。"))
        return found


def area_line(area: Area) -> str:
    """A place as the list of places offers it."""
    held = reference()
    return f"{area.code} {path_of(held, held.places[area.pk])}" if area.pk in held.places else area.code


class ConsentForm(forms.Form):
    """When and how somebody agreed, and until when it holds: a year at most."""

    consent_on = _day(_("哪天同意的"))
    consent_how = forms.ChoiceField(label=_("怎么同意的"), choices=ConsentGiven.choices)
    witness = _line(_("见证人"), "witness", required=False, help_text=_("口头同意时填。"))
    consent_until = _day(_("同意到哪天"), help_text=_("最长一年，到期再问本人。"))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        today = today_of(now())
        self.fields["consent_on"].initial = today
        self.fields["consent_until"].initial = a_year_after(today)

    def consent(self) -> Consent:
        held = self.cleaned_data
        return Consent(held["consent_on"], held["consent_how"], held["consent_until"], held["witness"])


def _people(staff: list[Staff]) -> list[tuple[str, str]]:
    return [("", "—"), *((str(one.pk), f"{one.name}（{one.username}）") for one in staff)]


class VisitorField(forms.ChoiceField):
    """One of the people who may visit, as a row."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.people: dict[str, Staff] = {}

    def offer(self, staff: list[Staff]) -> None:
        self.people = {str(one.pk): one for one in staff}
        self.choices = _people(staff)

    def clean(self, value: Any) -> Staff | None:
        return self.people.get(super().clean(value))


def _offer(form: forms.Form, name: str, staff: list[Staff]) -> None:
    field = form.fields[name]
    assert isinstance(field, VisitorField)
    field.offer(staff)


class EntryForm(PersonForm, ConsentForm):
    """A new entry: the person, their consent, who visits."""

    visitor = VisitorField(label=_("走访人"), help_text=_("本单位的网格员。"))

    def __init__(self, *args: Any, visitors: list[Staff], **more: Any) -> None:
        super().__init__(*args, **more)
        _offer(self, "visitor", visitors)
        self.order_fields(["name", "area", "address", "phone", "trusted", "purpose", "interval_days", "visitor",
                           "consent_how", "witness", "consent_on", "consent_until"])


class GiveForm(forms.Form):
    """Another visitor: for good, or until a day."""

    to = VisitorField(label=_("换谁来走访"))
    until = _day(_("代到哪天"), required=False, help_text=_("只是代几天就填，过了这天自动换回；不填就是以后都由这个人走访。"))

    def __init__(self, *args: Any, visitors: list[Staff], **more: Any) -> None:
        super().__init__(*args, **more)
        _offer(self, "to", visitors)


class HolidayForm(GiveForm):
    """All entries of one visitor to another."""

    visitor = VisitorField(label=_("谁休假或离开"))
    to = VisitorField(label=_("交给谁"))

    def __init__(self, *args: Any, visitors: list[Staff], served: list[Staff], **more: Any) -> None:
        super().__init__(*args, visitors=visitors, **more)
        _offer(self, "visitor", served)
        self.fields["until"].initial = today_of(now()) + timedelta(days=7)
        self.order_fields(["visitor", "to", "until"])


class VisitForm(forms.Form):
    """What came of a visit."""

    outcome = forms.ChoiceField(label=_("这次看望怎么样"), choices=[("", "—"), *CareOutcome.choices])
    note = forms.CharField(label=_("给登记管理员的话"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2, **QUIET}),
                           help_text=_("只写这次看望的事，不写对人的评价。"))
    words = forms.CharField(
        label=_("需要什么帮助，在哪里"), required=False, max_length=12_000, widget=forms.Textarea(attrs={"rows": 3, **QUIET}),
        help_text=_("需要帮助时填：这些话会登记成一件普通诉求，办理的单位看得到。有危险先打 110、119、120。"))
