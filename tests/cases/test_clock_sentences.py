"""Pauses, extensions and notices in whole sentences, in three languages, without inner names."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from lianxin.cases import narrative
from lianxin.cases.models import Case, Event, Suspension
from lianxin.cases.queries_clocks import clock_lines
from lianxin.cases.sayings import clocks
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.clock import Frozen
from tests.cases.test_narrative import HAN, LANGUAGES, SNAKE, _clocks_speak, _english_names
from tests.cases.ways import take
from tests.world import World

pytestmark = pytest.mark.django_db


def _sound(said: str, language: str) -> None:
    assert said.endswith(("。", "：", ".", ":")), said
    assert "%" not in said, said
    assert "None" not in said, said
    assert not SNAKE.search(said), said
    assert not (language == "en" and HAN.search(said)), said


def test_every_sentence_of_the_clocks(world: World, monday: Frozen) -> None:
    _english_names()
    _clocks_speak(world, monday)
    paused = Case.objects.filter(pk__in=Suspension.objects.values("case")).order_by("id")
    first = paused[0]
    take(world, first.pk, "suspend", waits_for="outside") if Suspension.objects.filter(case=first).count() < 2 else None
    actions = {"suspend", "lapse_suspension", "ask_extension", "grant_extension", "remind", "escalate", "circulate",
               "add_information"}
    events = list(Event.objects.filter(action__in=actions).select_related("unit", "actor"))
    assert {one.action for one in events} == actions
    for event in events:
        for language in LANGUAGES:
            with override(language):
                for internal in (True, False) if BY_ACTION[event.action].public else (True,):
                    _sound(narrative.said(event, internal=internal), language)
    for case in paused:
        for language in LANGUAGES:
            with override(language):
                told = clocks.story(clock_lines(case, at=monday.move(), public_only=True))
                assert told
                for one in told:
                    _sound(one, language)


def test_a_length_is_said_in_the_largest_whole_measure(world: World) -> None:
    with override("zh-hans"):
        assert [clocks.length(minutes) for minutes in (420, 840, 120, 45)] == [
            "1 个工作日", "2 个工作日", "2 个工作小时", "45 个工作分钟"]
        assert [clocks.length(minutes, "around_the_clock") for minutes in (1440, 90, 60)] == ["1 天", "90 分钟", "1 小时"]
