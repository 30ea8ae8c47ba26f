"""The demo's rounds: made up once, by answers that their forms would take but for the photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianxin.demo.rounds import ANSWERS, walked
from lianxin.kernel.clock import Frozen
from lianxin.patrols import engine, queries
from lianxin.patrols.models import CheckIn, Form, FormVersion, Inspection
from lianxin.patrols.xlsform import read_form
from tests.patrols.made import round_of, sites
from tests.world import World

FORMS = Path(__file__).parents[2] / "cities" / "yueyang" / "forms"


@pytest.mark.parametrize("code", ANSWERS)
def test_answers_fit_their_forms_but_for_photos(code: str) -> None:
    form = read_form(FORMS / f"{code}.csv", lambda line, reason: pytest.fail(f"{line}: {reason}"))
    assert form is not None
    photos = {question["name"] for question in form.definition["questions"] if question["kind"] == "photo"}
    good, bad = ANSWERS[code]
    assert engine.faults(form.definition, good) == {}
    assert engine.faults(form.definition, bad).keys() <= photos
    assert not engine.offers(form.definition, good)


@pytest.mark.django_db
def test_rounds_are_walked_once(world: World, monday: Frozen) -> None:
    sites(world)
    read = read_form(FORMS / "school_gate.csv", lambda line, reason: None)
    assert read is not None
    form = Form.objects.create(code=read.code)
    FormVersion.objects.create(form=form, number=1, title=read.title, definition=read.definition, digest=read.digest)
    round_of(world, form)
    assert walked() == 3
    assert walked() == 0
    assert (Inspection.objects.count(), CheckIn.objects.count()) == (3, 2)
    assert len(queries.inspections(world.actor("supervisor")).rows) == 3
