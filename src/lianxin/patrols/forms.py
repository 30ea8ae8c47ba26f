"""Forms in words: what a reader is shown of a definition, of answers, and of what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid, NotFound
from lianxin.kernel.language import listed, named

from . import engine
from .models import Form, FormVersion


def current() -> list[FormVersion]:
    """The newest version of every form that is asked, by code."""
    return list(FormVersion.objects.filter(form__active=True).select_related("form").order_by(
        "form__code", "-number").distinct("form__code"))


def version_of(code: str, number: int) -> FormVersion:
    """One version, also of a form that is no longer asked: a telephone may have been away for long. Raises NotFound."""
    found = FormVersion.objects.filter(form__code=code, number=number).select_related("form").first()
    if found is None:
        raise NotFound(_("没有这张表。请联网更新后再填，已填的都在。"), code="form_unknown")
    return found


def words(said: Mapping[str, Any], key: str = "label") -> str:
    """One of a question's, a choice's or a rule's words, in the reader's language."""
    return named(said.get(key, ""), said.get(f"{key}_en", ""))


def _sentence(question: Mapping[str, Any] | None, fault: str) -> str:
    label = words(question) if question is not None else ""
    if fault == engine.MISSING:
        return _("“%s”还没有填。") % label
    if fault == engine.NOT_ASKED:
        return _("“%s”在这种情况下不用填。") % label
    if fault == engine.UNKNOWN:
        return _("这张表没有这个问题。")
    message = words(question, "constraint_message") if question is not None else ""
    return _("“%(label)s”：%(message)s") % {"label": label, "message": message or _("填的内容不合要求。")}


def checked(version: FormVersion, answers: Mapping[str, Any]) -> engine.Answers:
    """The answers as they are kept. Raises Invalid that names every question at fault."""
    said = engine.cleaned(version.definition, answers)
    found = engine.faults(version.definition, said)
    if found:
        questions = {one["name"]: one for one in version.definition["questions"]}
        raise Invalid(_("有的问题要更正，已填的都在。"), code="answers_wrong",
                      fields={name: _sentence(questions.get(name), fault) for name, fault in found.items()})
    return engine.kept(version.definition, said)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with what was answered, in the reader's words; `kind` is `group` for a heading without an answer."""

    name: str
    kind: str
    label: str
    said: str
    failed: bool = False


def said_of(question: Mapping[str, Any], value: Any) -> str:
    """An answer as it is read."""
    names = {one["name"]: words(one) for one in question.get("choices", ())}
    if isinstance(value, list):
        return listed(names.get(one, str(one)) for one in value)
    if question["kind"] == "one":
        return names.get(value, str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_format(value)
    return str(value)


def read(version: FormVersion, answers: Mapping[str, Any]) -> list[Answer]:
    """What was asked and answered, in order, without what was not asked."""
    return [Answer(question["name"], question["kind"], words(question),
                   said_of(question, answers[question["name"]]) if question["name"] in answers else "")
            for question, shown in engine.asked(version.definition, answers)
            if shown and question["kind"] != "note" and (question["kind"] == "group" or question["name"] in answers)]


def offered(version: FormVersion, answers: Mapping[str, Any]) -> Sequence[str]:
    """The failed points, in the reader's words."""
    return [words(rule) for rule in engine.offers(version.definition, answers)]


def active(code: str) -> Form | None:
    return Form.objects.filter(code=code, active=True).first()
