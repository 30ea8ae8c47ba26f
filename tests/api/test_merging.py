"""Merging over HTTP: merge, list, take apart; what may be the same matter; pairs found different."""

from __future__ import annotations

import pytest

from lianxin.api import merging
from lianxin.cases import actions as a
from lianxin.cases.models import Case, Distinct, State
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine, token
from tests.api.test_actions import ok
from tests.cases.ways import VILLAGE, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def said(words: str) -> Case:
    return Case.objects.get(pk=a.register(intake=a.Intake(words=words, area=VILLAGE, phone="13812342201"), by=RESIDENT).case_id)


def test_merge_list_and_take_apart(world: World, monday: Frozen) -> None:
    machine = Machine(token(world, "dispatcher"))
    master, one, two = said("花园社区停水了。"), said("停水，没水用。"), said("停水很久了。")
    answer = ok(machine.act(master.pk, "merge", duplicates=[one.number, str(two.pk)], reason="同一根水管。"))
    assert answer["state"] == "registered"
    body = ok(machine.get(f"/cases/{master.pk}"))
    assert (body["duplicate_count"], body["master"]) == (2, None)
    under = ok(machine.get(f"/cases/{one.pk}"))
    assert (under["state"], under["master"], under["duplicate_count"]) == ("merged", str(master.pk), 0)
    assert {row["action"] for row in under["actions"] if row["allowed"]} >= {"unmerge"}
    listed = merging.Duplicates(**ok(machine.get(f"/cases/{master.pk}/duplicates")))
    assert [(row.case.number, row.merged, row.contact_owed) for row in listed.items] == [
        (one.number, True, True), (two.number, True, True)]
    assert ok(machine.act(one.pk, "unmerge", reason="另一处。"))["state"] == "registered"
    assert [row["case"]["number"] for row in ok(machine.get(f"/cases/{master.pk}/duplicates"))["items"]] == [two.number]


def test_what_cannot_be_merged_is_named(world: World, monday: Frozen) -> None:
    machine = Machine(token(world, "dispatcher"))
    master, one = said("花园社区停水了。"), said("停水。")
    for wrong in ([], ["nothing"], [one.number, "26-0000000-0"], [str(master.pk)], ["x"] * 201):
        answer = machine.act(master.pk, "merge", duplicates=wrong, reason="同一根水管。")
        assert answer.status_code == 422, answer.content
        assert answer.json()["errors"][0]["field"].startswith("duplicates")
    assert Case.objects.get(pk=one.pk).state == State.REGISTERED
    assert Machine(token(world, "dispatcher", "read")).act(master.pk, "merge", duplicates=[one.number], reason="是。").status_code == 403


def test_what_may_be_the_same_is_told_before_a_case_is_made(world: World, monday: Frozen) -> None:
    """First what it may be merged into, then what is answered already."""
    mergeable, answered = said("花园社区停水了，没人管。"), said("花园社区停水两天了。")
    for step in ("accept", "dispatch", "sign", "reply"):
        take(world, answered.pk, step)
    asked = {"words": "家里停水了。", "area": VILLAGE}
    similar = ok(Machine(token(world, "operator")).post("/suggestions", asked))["similar"]
    assert [row["number"] for row in similar] == [mergeable.number, answered.number]


def test_alike_and_apart(world: World, monday: Frozen) -> None:
    machine = Machine(token(world, "operator"))
    first, second = said("花园社区停水了。"), said("停水，没水用。")
    found = merging.AlikeList(**ok(machine.get(f"/cases/{second.pk}/alike")))
    assert [(row.case.number, row.words, row.minutes) for row in found.items] == [(first.number, ["停水"], 0)]
    assert "13812342201" not in str(found)
    body = merging.Apart(**ok(machine.post(f"/cases/{first.pk}/apart", {"other": str(second.pk)})))
    assert body.first < body.second
    ok(machine.post(f"/cases/{second.pk}/apart", {"other": str(first.pk)}))
    assert Distinct.objects.count() == 1
    assert ok(machine.get(f"/cases/{second.pk}/alike")) == {"items": []}
    for body_sent in ({}, {"other": "x"}, {"other": str(first.pk)}):
        assert machine.post(f"/cases/{first.pk}/apart", body_sent).status_code == 422
    for who, scopes in (("urban", ()), ("reviewer", ()), ("operator", ("read",))):
        answer = Machine(token(world, who, *scopes)).post(f"/cases/{first.pk}/apart", {"other": str(second.pk)})
        assert answer.status_code in (403, 404)


def test_the_reporter_reads_that_it_is_handled_together_and_not_with_whom(world: World, monday: Frozen) -> None:
    made = a.register(intake=a.Intake(words="停水，没水用。", area=VILLAGE), by=RESIDENT)
    master = said("花园社区停水了。")
    a.merge(world.on(master.pk, "dispatcher"), duplicates=[str(made.case_id)], reason="同一根水管。")
    answer = Machine().post("/tracking", {"code": made.tracking_code})
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "别的市民也说了同一件事" in text
    assert master.number not in text
    assert str(master.pk) not in text
