"""Which questions of a form are asked, and whether answers fit: the server's half. `static/field/forms.js` is the telephone's,
and a journey holds the two to the same cases.

A definition is plain data: `questions`, each with `name`, `kind` (`one`, `many`, `number`, `text`, `photo`, `note`, `group`),
`label`, `required`, `schema` (JSON Schema 2020-12 of one answer; a photo's is its place among those sent) and, where it is asked
only sometimes, `shown` (JSON Schema of the answers before it); and `rules`, each with `name`, `when` (JSON Schema of the answers),
`label`, `words`, `category`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from jsonschema import Draft202012Validator

from lianxin.kernel.text import clean_text

MISSING, NOT_ASKED, UNKNOWN, BAD = "missing", "not_asked", "unknown", "bad"
NOTHING_TO_ANSWER = frozenset({"note", "group"})
LONGEST = 500
MOST_PHOTOS = 12  # files of one item
Answers = dict[str, Any]
Definition = Mapping[str, Any]


@lru_cache(maxsize=2000)
def _validator(schema: str) -> Any:
    return Draft202012Validator(json.loads(schema))


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value is as the schema says. Numbers are finite."""
    if isinstance(value, float) and not isfinite(value):
        return False
    return bool(_validator(json.dumps(schema, sort_keys=True)).is_valid(value))


def _answered(value: Any) -> bool:
    return value is not None and value != "" and value != []


def asked(definition: Definition, answers: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Every question with whether it is asked, in order. A condition sees only what was asked and answered before it."""
    known: Answers = {}
    for question in definition["questions"]:
        shown = "shown" not in question or fits(question["shown"], known)
        yield question, shown
        if shown and _answered(answers.get(question["name"])):
            known[question["name"]] = answers[question["name"]]


def faults(definition: Definition, answers: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by the question's name: `missing`, `not_asked`, `bad`, or `unknown` for what the form does not have."""
    found: dict[str, str] = {}
    names = set()
    for question, shown in asked(definition, answers):
        name = question["name"]
        names.add(name)
        value = answers.get(name)
        if question["kind"] in NOTHING_TO_ANSWER:
            if name in answers:
                found[name] = UNKNOWN
        elif not shown:
            if _answered(value):
                found[name] = NOT_ASKED
        elif not _answered(value):
            if question["required"]:
                found[name] = MISSING
        elif not fits(question["schema"], value):
            found[name] = BAD
    return found | {str(name): UNKNOWN for name in answers if name not in names}


def kept(definition: Definition, answers: Mapping[str, Any]) -> Answers:
    """The answers that are kept: of questions that are asked, in their order, without empty ones."""
    return {question["name"]: answers[question["name"]] for question, shown in asked(definition, answers)
            if shown and question["kind"] not in NOTHING_TO_ANSWER and _answered(answers.get(question["name"]))}


def cleaned(definition: Definition, answers: Mapping[str, Any]) -> Answers:
    """The same answers with their words made safe; nothing else is changed."""
    texts = {question["name"] for question in definition["questions"] if question["kind"] == "text"}
    return {name: clean_text(value, max_length=LONGEST + 1, multiline=True)
            if name in texts and isinstance(value, str) and len(value) <= 4 * LONGEST else value
            for name, value in answers.items()}


def offers(definition: Definition, answers: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rules that hold of these answers: what may be reported."""
    held = kept(definition, answers)
    return [rule for rule in definition["rules"] if fits(rule["when"], held)]


def photos(definition: Definition, answers: Mapping[str, Any]) -> dict[str, int]:
    """Question → place of its photo among those that came with the answers, from 1."""
    return {question["name"]: answers[question["name"]] for question in definition["questions"]
            if question["kind"] == "photo" and _answered(answers.get(question["name"]))}
