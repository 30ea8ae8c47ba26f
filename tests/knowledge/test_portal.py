"""Residents search the public answers, read them, say that one is wrong, and are offered answers before they report."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.kernel.clock import Frozen
from lianxin.knowledge.models import Report
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(world: World, monday: Frozen) -> None:
    article("card", "居住证怎么办", "带身份证到派出所办理。", questions=["居住证怎么办理？"], keywords=["居住证"],
            unit=world.units["urban"], category=world.categories["010103"])
    article("inside", "居住证内部口径", "内部话术。", keywords=["居住证"], public=False)


def text(address: str, **query: str) -> str:
    return str(Client().get(address, query).content.decode())


def test_everything_public_and_nothing_else(answers: None) -> None:
    everything = text(reverse("portal:answers"))
    assert "居住证怎么办" in everything
    assert "城乡建设" in everything, "under its topic"
    assert "内部" not in everything
    found = text(reverse("portal:answers"), q="居住证到哪里办")
    assert "居住证怎么办" in found
    assert "内部" not in found
    assert "没有查到" in text(reverse("portal:answers"), q="飞碟")
    one = text(reverse("portal:help_answer", args=["card"]))
    assert "带身份证到派出所办理。" in one
    assert "市城管局" in one
    for code in ("inside", "none"):
        assert Client().get(reverse("portal:help_answer", args=[code])).status_code == 404


def test_odd_questions_are_answered(answers: None) -> None:
    for asked in ("<script>", "%", "路" * 5000, "😀"):
        assert Client().get(reverse("portal:answers"), {"q": asked}).status_code == 200, asked


def test_a_resident_says_that_it_is_wrong(answers: None) -> None:
    address = reverse("portal:help_answer", args=["card"])
    empty = Client().post(address, {"fault": "wrong", "words": " "})
    assert empty.status_code == 422
    for _again in range(2):
        sent = Client().post(address, {"fault": "outdated", "words": "现在可以网上办", "submission": "one"})
        assert sent.status_code == 302
    made = Report.objects.get()
    assert (made.reported_by, made.fault, made.unit.code) == (None, "outdated", "urban")
    assert Client().post(reverse("portal:help_answer", args=["inside"]), {"fault": "wrong", "words": "x"}).status_code == 404


def test_reports_from_one_address_are_limited(answers: None) -> None:
    address = reverse("portal:help_answer", args=["card"])
    states = [Client().post(address, {"fault": "wrong", "words": f"第 {n} 次", "submission": str(n)}).status_code for n in range(7)]
    assert 429 in states


def test_answers_are_offered_before_somebody_reports(answers: None) -> None:
    address = reverse("portal:help_answer", args=["card"])
    heard = Client().post(reverse("portal:listen"), {"words": "请问居住证怎么办理，要带什么？"}).json()
    assert address in heard["answers"]
    assert "inside" not in heard["answers"]
    assert Client().post(reverse("portal:listen"), {"words": "楼下工地半夜打桩，吵得睡不着。"}).json()["answers"] == ""
    shown = Client().post(reverse("portal:say"), {"words": "请问居住证怎么办理，要带什么？", "step": "words", "go": "place"})
    assert address in shown.content.decode(), "without JavaScript as well"
    assert shown.status_code == 200
    assert 'value="send"' in shown.content.decode(), "and the way on stays open"
