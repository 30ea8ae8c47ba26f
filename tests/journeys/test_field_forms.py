"""The telephone and the server judge forms alike: the same cases through both halves of the engine."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lianxin.patrols import engine
from lianxin.patrols.xlsform import read_form
from tests.browser import new_page
from tests.patrols.made import form_of
from tests.patrols.test_engine import WRONG
from tests.patrols.test_expressions import QUESTIONS, TABLE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
YUEYANG = Path(__file__).parents[2] / "cities" / "yueyang" / "forms"
JUDGED = """async (text) => {
  const base = document.querySelector("script[type=module]").src.replace("boot.js", "");
  const { asked, faults, kept, offers, fits } = await import(base + "forms.js");
  const { forms, cases, conditions } = JSON.parse(text);
  return JSON.stringify({
    cases: cases.map(([form, answers]) => ({
      asked: asked(forms[form], answers).filter(([, shown]) => shown).map(([{ name }]) => name), faults: faults(forms[form], answers),
      kept: kept(forms[form], answers), offers: offers(forms[form], answers).map(({ name }) => name) })),
    conditions: conditions.map(([schema, answers]) => fits(schema, answers)) });
}"""


def judged(definition: Mapping[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    return {"asked": [question["name"] for question, shown in engine.asked(definition, answers) if shown],
            "faults": engine.faults(definition, answers), "kept": engine.kept(definition, answers),
            "offers": [rule["name"] for rule in engine.offers(definition, answers)]}


def guessed(definition: Mapping[str, Any], dice: random.Random) -> dict[str, Any]:
    """Answers somebody might send: mostly of the right kind, some missing, some of another."""
    said: dict[str, Any] = {}
    for question in definition["questions"]:
        names = [choice["name"] for choice in question.get("choices", ())]
        fitting: dict[str, list[Any]] = {
            "one": names, "many": [dice.sample(names, dice.randint(0, len(names))) if names else []], "photo": [1, 2, 12, 13, 0],
            "number": [0, 1, 5, 10, 50, 51, -10, -501, 2.5, 2000, 1e9, 1e10], "text": ["有", "字" * 500, "𠀀" * 500, "字" * 501, ""]}
        odd: list[Any] = ["", None, [], {}, True, "maybe", "3", [1], -0.0, ["goods", "goods"]]
        if dice.random() < 0.75:
            said[question["name"]] = dice.choice(fitting.get(question["kind"], odd) if dice.random() < 0.85 else odd)
    if dice.random() < 0.1:
        said[dice.choice(["constructor", "valueof", "别的"])] = 1
    return said


def test_both_halves_say_the_same(browser: Any, served: Any) -> None:
    from lianxin.patrols.expressions import compile_condition

    forms: dict[str, Mapping[str, Any]] = {"exits": form_of().definition}
    for path in sorted(YUEYANG.iterdir()):
        form = read_form(path, lambda line, reason: None)
        assert form is not None
        forms[form.code] = form.definition
    dice = random.Random(7)
    # A browser has no such number: what it reads is infinite, and refused as well.
    cases = [("exits", answers) for answers, _wrong in WRONG if answers.get("width") != 10**400] + [
        (code, guessed(definition, dice)) for code, definition in forms.items() for _each in range(150)]
    conditions = [(compile_condition(text, QUESTIONS), answers) for text, answers, _holds in TABLE]
    page = new_page(browser)
    page.goto(f"{served.url}/field/")
    told = json.loads(page.evaluate(JUDGED, json.dumps({"forms": forms, "cases": cases, "conditions": conditions})))
    page.context.close()
    assert len(told["cases"]) == len(cases) > 900
    for (code, answers), said in zip(cases, told["cases"], strict=True):
        assert said == json.loads(json.dumps(judged(forms[code], answers))), (code, answers)
    assert told["conditions"] == [holds for _text, _answers, holds in TABLE]
    # The cases are worth trying: some fit, most are wrong in every way there is, and some may be reported.
    seen = {fault for said in told["cases"] for fault in said["faults"].values()}
    assert seen == {"missing", "not_asked", "unknown", "bad"}
    assert any(not said["faults"] for said in told["cases"])
    assert sum(bool(said["offers"]) for said in told["cases"]) > 50
