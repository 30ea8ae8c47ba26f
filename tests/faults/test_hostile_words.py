"""Markup and control characters in every field that takes words, read back on every page of the case."""

from __future__ import annotations

import re
import uuid

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from lianxin.cases.models import Case, EventText, State
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import DomainError
from tests.cases.ways import ACTIONS, STEPS, at_state, fields_for, take
from tests.desk.conftest import SignIn
from tests.portal.way import code_of, send
from tests.world import World

pytestmark = pytest.mark.django_db

HOSTILE = "</textarea></title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x00\x07\x1b[31m\u202e{{ 7 }}{% debug %}' OR 1=1 --"
RUNS = re.compile(r"<script>alert|<img src=x|[\x00\x07\x1b\u202e]")
# Values of a city's own lists: markup there is refused, not kept.
CODED = {"reason": ("raise_return",), "route": ("decline",), "lead_unit": None, "category": None, "area": None, "officer": None,
         "suggested_unit": None, "means": None, "outcome": None, "satisfaction": None, "service": None,
         "waits_for": None, "until": None, "partner": None, "wish": None,
         "basis": ("offer_handover",), "mode": None}
# Who it was: sealed with the reporter, in no text of an event.
SEALED = ("add_reporter",)


def coded(action: str, name: str) -> bool:
    return name in CODED and (CODED[name] is None or action in (CODED[name] or ()))


def source_of(action: str) -> State:
    return BY_ACTION[action].sources[0]


def harmless(client: Client, case_id: uuid.UUID) -> None:
    for name in ("case", "pane", "print"):
        page = client.get(reverse(f"desk:{name}", args=[case_id]))
        assert page.status_code == 200
        assert not RUNS.search(page.content.decode()), name


@pytest.mark.parametrize("action", sorted(STEPS))
def test_in_every_field_of_every_action(world: World, as_: SignIn, monday: Frozen, action: str) -> None:
    case_id = at_state(world, source_of(action), before=action)
    sent = {name: HOSTILE for name, value in fields_for(action, world.actor("urban")).items()
            if isinstance(value, str) and not coded(action, name)}
    done = take(world, case_id, action, **sent)
    kept = EventText.objects.filter(event_id=done.event_id)
    assert {text.field for text in kept} <= set(sent) | {"words", "demand", "answer"}
    assert not any(re.search(r"[\x00\x07\x1b\u202e]", text.body) for text in kept)
    assert all("<script>" in text.body for text in kept), "words are kept as they were said"
    assert bool(kept) is (action not in SEALED) or not sent or action in ("request_publication", "clear_publication", "withdraw", "rate")
    if action in SEALED:
        page = as_("operator").post(reverse("desk:identity", args=[case_id]), {"why": "核实"})
        assert page.status_code == 200
        assert "&lt;script&gt;alert(1)" in page.content.decode(), "the address is kept as it was said"
        assert not RUNS.search(page.content.decode())
    harmless(as_("supervisor"), case_id)


@pytest.mark.parametrize("action", sorted(STEPS))
def test_in_every_field_that_takes_a_code(world: World, monday: Frozen, action: str) -> None:
    case_id = at_state(world, source_of(action), before=action)
    before = Case.objects.get(pk=case_id).version
    for name, value in fields_for(action, world.actor("urban")).items():
        if not (coded(action, name) or name in ("assisting_units",)) or name == "until":  # a time by its type
            continue
        wrong = [HOSTILE] if isinstance(value, list) else HOSTILE
        with pytest.raises(DomainError) as refused:
            take(world, case_id, action, **{name: wrong})
        assert refused.value.status == 422, name
    assert Case.objects.get(pk=case_id).version == before


def test_on_the_residents_own_page_and_at_the_desk(world: World, as_: SignIn, client: Client, monday: Frozen) -> None:
    assert send(client, words=HOSTILE, place_text=HOSTILE, name=HOSTILE[:60]).status_code == 302
    assert code_of(client)
    case = Case.objects.get()
    assert not RUNS.search(client.get("/mine/").content.decode())
    for act in ("accept", "dispatch", "sign", "reply", "approve"):
        take(world, case.pk, act, **({"public_answer": HOSTILE} if act == "reply" else {}))
    assert not RUNS.search(client.get("/mine/").content.decode())
    harmless(as_("supervisor"), case.pk)
    lists = as_("callback").get("/desk/")
    assert lists.status_code in (200, 302)
    assert not RUNS.search(as_("supervisor").get("/desk/list/all/", {"q": HOSTILE}).content.decode())


def test_every_action_was_tried() -> None:
    assert set(STEPS) == set(ACTIONS)
    call_command("check")
