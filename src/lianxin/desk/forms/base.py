"""What the forms of actions are made of: fields for units, categories and places, words, and the base they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from lianxin.cases.models import Case
from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import Actor

from ..typed import unit_codes

F = TypeVar("F", bound=forms.Form)
YES_NO = [("", "—"), ("yes", _("是")), ("no", _("否"))]


class UnitField(forms.CharField):
    """A unit by code, typed with help from a list of open units."""

    widget = forms.TextInput(attrs={"list": "units", "autocomplete": "off", "data-unit": ""})


class CategoryField(forms.CharField):
    widget = forms.TextInput(attrs={"list": "categories", "autocomplete": "off", "data-category": ""})


class AreaField(forms.CharField):
    widget = forms.TextInput(attrs={"list": "areas", "autocomplete": "off", "data-area": ""})


class Words(forms.CharField):
    """Longer text. `internal` says that the reporter never sees it: the page tints it and shows a lock."""

    def __init__(self, *, internal: bool = False, public: bool = False, **more: Any) -> None:
        self.internal, self.public = internal, public
        super().__init__(**more)


def text(label: Any, *, required: bool = True, rows: int = 4, internal: bool = False, public: bool = False) -> Words:
    return Words(label=label, required=required, max_length=10_000, internal=internal, public=public,
                 widget=forms.Textarea(attrs={"rows": rows}))


def yes_no(label: Any, *, required: bool) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=required, choices=YES_NO, empty_value=None,
        coerce=lambda value: {"yes": True, "no": False}.get(value),
    )


def when(label: Any, *, required: bool = False) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, required=required,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


def settled(form: F, prefix: str = "") -> F:
    """A form as pages show it; with `prefix` its fields' ids are apart from those of the page's other forms."""
    form.label_suffix = ""
    if prefix:
        form.auto_id = f"id_{prefix}_%s"
    return form


def take_faults(form: forms.Form, error: DomainError) -> None:
    """What an action says of its fields, put to the form's; what the form has no field for is said of the whole."""
    for name, fault in error.fields.items():
        form.add_error(name if name in form.fields else None, fault)


class PreparedForm(forms.Form):
    """Base: is filled from what it acts on; `cleaned()` gives the keyword arguments of what is done."""

    lists: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.prepare()

    def prepare(self) -> None:
        """Fill choices and first values."""

    def cleaned(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}


class ActionForm(PreparedForm):
    """A form of an action: knows the case, and who is about to act."""

    def __init__(self, *args: Any, case: Case, actor: Actor | None = None, **kwargs: Any) -> None:
        self.case, self.actor = case, actor
        super().__init__(*args, **kwargs)


class Coded(ActionForm):
    """Fields typed from a list: the action gets codes."""

    coded: dict[str, Callable[[str], str]] = {}
    many: tuple[str, ...] = ()

    def cleaned(self) -> dict[str, Any]:
        values = super().cleaned()
        for name, read in self.coded.items():
            if name in values:
                values[name] = read(values[name])
        for name in self.many:
            values[name] = unit_codes(str(values.get(name, "")))
        return values
