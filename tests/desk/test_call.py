"""A call: what is read in the words, what is registered, what follows in the same breath."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from lianxin.cases.models import Case, Event, PublicVersion, State
from lianxin.desk import typed
from lianxin.kernel.clock import Frozen
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db
CALL = "/desk/call/"
SUGGEST = "/desk/call/suggest/"


def said(**more: str) -> dict[str, str]:
    return {"words": "楼下工地半夜还在打桩，睡不着。", "submission": str(uuid.uuid4()), "do": "register", **more}


def keywords(world: World) -> None:
    for code, words in (("010101", {"路灯": 2, "不亮": 1}), ("010102", {"打桩": 3, "工地": 2})):
        category = world.categories[code]
        category.keywords = words
        category.save()


def part(response: Any, name: str) -> str:
    found = re.search(rf'<template data-into="{name}">(.*?)</template>', response.content.decode(), re.DOTALL)
    assert found
    return found.group(1)


def test_the_operator_hears_number_and_code_and_gets_the_next_form(world: World, as_: SignIn, monday: Frozen) -> None:
    page = as_("operator").post(CALL, said(category="010102 施工噪声", phone="138 1234 2201", name="王小明"), follow=True)
    case = Case.objects.get()
    text = page.content.decode()
    assert case.number in text
    assert re.search(r"查询码 <strong class=\"desk-readout\">[A-Z0-9-]{8,}", text)
    assert "data-draft-done" in text
    assert "autofocus" in text
    assert (case.state, case.channel, case.registered_by_id) == (State.ACCEPTED, "phone", world.staff["operator"].pk)
    assert "王小明" not in text
    assert "13812342201" not in text


def test_what_is_proposed_for_the_public_names_nobody(world: World, as_: SignIn, monday: Frozen) -> None:
    """The caller's name, which only the form knows to be one, is blacked out wherever the words hold it."""
    words = "王小明家门口的工地半夜打桩，电话13812342201，住3栋2单元501室。"
    as_("operator").post(CALL, said(words=words, name="王小明", phone="13812342201", publication="on"))
    public = PublicVersion.objects.get()
    for told in (public.title, public.body):
        assert "王小明" not in told
        assert "工地半夜打桩" in told
    assert "13812342201" not in public.body
    assert "501" not in public.body


@pytest.mark.parametrize(("typed_in", "code"), [
    ("010102 施工噪声", "010102"), ("010102", "010102"), ("施工噪声", "010102"),
])
def test_a_category_is_taken_by_code_or_by_name(world: World, as_: SignIn, monday: Frozen, typed_in: str, code: str) -> None:
    as_("operator").post(CALL, said(category=typed_in))
    category = Case.objects.get().category
    assert category is not None
    assert category.code == code


def test_what_is_wrong_is_named_and_everything_typed_is_kept(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    page = client.post(CALL, said(category="没有的事", phone="123", name="王小明"))
    assert page.status_code == 422
    text = page.content.decode()
    for kept in ("没有的事", "王小明", "楼下工地半夜还在打桩"):
        assert kept in text
    empty = client.post(CALL, said(words="  ", name="王小明"))
    assert empty.status_code == 422
    assert "请先写下诉求" in empty.content.decode()
    assert "王小明" in empty.content.decode()
    assert not Case.objects.exists()


def test_the_same_submission_makes_one_case(world: World, as_: SignIn, monday: Frozen) -> None:
    client, form = as_("operator"), said(do="dispatch", category="010102")
    for _ in range(3):
        assert client.post(CALL, form).status_code == 302
    assert Case.objects.count() == 1
    assert Event.objects.filter(action="dispatch").count() == 1


def test_an_answer_on_the_spot_closes(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    missing = client.post(CALL, said(do="answer"))
    assert missing.status_code == 422
    assert "须写下答复内容" in missing.content.decode()
    client.post(CALL, said(do="answer", public_answer="夜间 22 时到 6 时不得打桩。", category="010102"))
    assert Case.objects.get().outcome == "answered"


def test_dispatch_follows_the_catalogue_or_says_that_it_is_silent(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    page = client.post(CALL, said(do="dispatch", category="010102"), follow=True)
    assert "已派给市住建局" in page.content.decode()
    silent = client.post(CALL, said(do="dispatch", category="010105"), follow=True)
    assert "派单目录没有这一项" in silent.content.decode()
    assert {case.state for case in Case.objects.all()} == {State.DISPATCHED, State.ACCEPTED}


@pytest.mark.parametrize("service", ["110", "119", "120"])
def test_a_call_put_through_is_written_down(world: World, as_: SignIn, monday: Frozen, service: str) -> None:
    page = as_("operator").post(CALL, said(do=service, words="楼下有人持刀打人"), follow=True)
    assert f"已记录转接 {service}" in page.content.decode()
    assert Event.objects.get(action="refer_emergency").data["service"] == service


def test_when_the_next_step_fails_the_number_is_still_heard(world: World, as_: SignIn, monday: Frozen,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.desk.views import call
    from lianxin.kernel.errors import Conflict

    def refuse(*_args: object, **_more: object) -> None:
        raise Conflict("刚有变化。")

    monkeypatch.setattr(call, "dispatch", refuse)
    page = as_("operator").post(CALL, said(do="dispatch", category="010102"), follow=True).content.decode()
    number = Case.objects.get().number
    assert f"{number} 已登记，下一步没有做成" in page
    assert page.count(number) >= 2


def test_the_same_caller_again_joins_their_case(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    client = as_("operator")
    page = client.post(CALL, said(do=f"join:{case_id}", words="今晚又开始了。"), follow=True)
    assert "已补充到" in page.content.decode()
    assert Case.objects.count() == 1
    assert Event.objects.filter(case_id=case_id, action="add_information").exists()
    assert client.post(CALL, said(do="join:nonsense")).status_code == 404
    assert client.post(CALL, said(do=f"join:{uuid.uuid4()}")).status_code == 404


def test_a_grid_worker_reports_from_the_field_and_does_not_dispatch(world: World, as_: SignIn, monday: Frozen) -> None:
    client = as_("grid")
    page = client.get(CALL).content.decode()
    assert 'value="dispatch"' not in page
    client.post(CALL, said(category="010101"))
    case = Case.objects.get()
    assert (case.channel, case.state) == ("field", State.REGISTERED)


def test_only_those_who_register_have_the_screen(as_: SignIn, world: World) -> None:
    for username, status in (("operator", 200), ("dispatcher", 200), ("grid", 200), ("urban", 403), ("reviewer", 403)):
        assert as_(username).get(CALL).status_code == status, username
    assert as_("urban").post(SUGGEST, {"words": "路灯不亮"}).status_code == 403


def test_suggestions_show_the_words_that_made_them(world: World, as_: SignIn, monday: Frozen) -> None:
    keywords(world)
    answer = as_("operator").post(SUGGEST, {"words": "楼下工地半夜打桩，花园社区"})
    read = part(answer, "suggest-read")
    assert 'data-value="010102 施工噪声"' in read
    assert "<mark>打桩</mark>" in read
    assert "市住建局" in read
    assert part(answer, "suggest-alarm").strip() == ""


def test_a_name_of_several_places_is_asked_for_and_fills_nothing_in(world: World, as_: SignIn, monday: Frozen) -> None:
    other, = world.namesakes()
    operator = as_("operator")
    place = part(operator.post(SUGGEST, {"words": "花园社区路灯不亮"}), "suggest-place")
    assert "“花园社区”有 2 处，是哪一处？" in place
    assert re.findall(r'data-pick="(\d)"[^>]* data-value="(\d+)', place) == [("4", "990101001001"), ("5", other)]
    assert "<kbd>Alt 4</kbd>" in place
    for where in ("东区 › 桥头街道 › 花园社区", "西县 › 花园社区"):
        assert where in place, "what tells them apart is shown"
    assert "data-auto" not in place
    # What was filled in from earlier words asks again; what a person set does not.
    filled = {"words": "花园社区路灯不亮", "area": "990102 西县"}
    assert "data-ask-place" in part(operator.post(SUGGEST, filled | {"area_filled": "1"}), "suggest-place")
    assert "data-ask-place" not in part(operator.post(SUGGEST, filled), "suggest-place")
    settled = part(operator.post(SUGGEST, {"words": "桥头街道花园社区路灯不亮"}), "suggest-place")
    assert "data-ask-place" not in settled
    assert re.search(r'data-value="990101001001 [^>]* data-auto', settled)


def test_more_namesakes_than_keys_are_counted(world: World, as_: SignIn, monday: Frozen) -> None:
    world.namesakes("金田村", 11)
    place = part(as_("operator").post(SUGGEST, {"words": "金田村的路灯不亮"}), "suggest-place")
    assert "“金田村”有 11 处" in place
    assert (place.count("data-fill="), re.findall(r'data-pick="(\d)"', place)) == (9, list("456789"))
    assert "还有 2 处没有列出" in place


def test_a_slip_of_the_pen_shows_what_it_was_read_as(world: World, as_: SignIn, monday: Frozen) -> None:
    operator = as_("operator")
    world.namesakes("荣家湾镇", level="town")
    place = part(operator.post(SUGGEST, {"words": "荣加湾镇的路灯不亮"}), "suggest-place")
    assert "“荣加湾镇”读作“荣家湾镇”" in place
    assert "是哪一处" not in place
    world.namesakes("荣家湾镇", level="town")
    place = part(operator.post(SUGGEST, {"words": "荣加湾镇的路灯不亮"}), "suggest-place")
    assert "“荣加湾镇”读作“荣家湾镇”，有 2 处，是哪一处？" in place


def test_words_of_danger_raise_the_alarm(world: World, as_: SignIn, monday: Frozen) -> None:
    alarm = part(as_("operator").post(SUGGEST, {"words": "楼下有人拿刀打人，流血了"}), "suggest-alarm")
    assert alarm.count('role="alert"') == 2
    assert "可能要转 110" in alarm
    assert "<mark>拿刀</mark>" in alarm
    assert "<kbd>F4</kbd>" in alarm


def test_similar_open_cases_nearby_are_shown_before_a_new_one_is_made(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted(area="990101001001")
    near = part(as_("operator").post(SUGGEST, {"words": "楼下工地半夜又在打桩", "area": "990101001001"}), "suggest-near")
    assert Case.objects.get(pk=case_id).number in near
    assert re.search(rf'value="join:{case_id}"[^>]* data-key="ctrl\+b"', near), "one key joins, as one merges"
    assert near.count("<kbd>Ctrl B</kbd>") == 1
    elsewhere = part(as_("operator").post(SUGGEST, {"words": "楼下工地半夜又在打桩", "area": "990102"}), "suggest-near")
    assert str(case_id) not in elsewhere


@pytest.mark.parametrize("position", [("nan?", ""), ("nan", "29.1"), ("9999", "29.1"), ("113.1", "1e400")])
def test_a_position_that_is_none_is_left_out(world: World, as_: SignIn, position: tuple[str, str]) -> None:
    lon, lat = position
    assert as_("operator").post(SUGGEST, {"words": "楼下工地半夜还在打桩", "lon": lon, "lat": lat}).status_code == 200


@pytest.mark.parametrize("words", ["", "路", "\x00\x01", "<b>路灯</b>" * 500, "路" * 13_000])
def test_reading_never_fails(world: World, as_: SignIn, words: str) -> None:
    answer = as_("operator").post(SUGGEST, {"words": words, "area": "x", "category": "y", "lon": "nan?", "lat": ""})
    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()


def test_reading_costs_few_queries(world: World, as_: SignIn, monday: Frozen,
                                   django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    keywords(world)
    client = as_("operator")
    for _ in range(4):
        world.accepted(area="990101001001")
    form = {"words": "楼下工地半夜又在打桩", "area": "990101001001"}
    client.post(SUGGEST, form)
    with django_assert_max_num_queries(7):
        client.post(SUGGEST, form)


def test_typed_lists(world: World, as_: SignIn) -> None:
    client = as_("dispatcher")

    def options(name: str, text: str) -> list[str]:
        found: list[str] = client.get(reverse("desk:choices", args=[name]), {"q": text}).json()["options"]
        return found

    assert options("categories", "噪声") == ["010102 施工噪声"]
    assert options("units", "市城") == ["urban 市城管局"]
    assert "closed 已撤销的局" not in options("units", "局")
    assert options("areas", "花园") == ["990101001001 东区 › 桥头街道 › 花园社区"]
    assert client.get(reverse("desk:choices", args=["people"]), {"q": "王"}).status_code == 404


def test_names_become_codes_only_when_they_mean_one_thing(world: World) -> None:
    assert typed.unit_codes("市城管局，housing 市住建局, water") == ["urban", "housing", "water"]
    assert typed.area_code("东区 › 桥头街道 › 花园社区") == "990101001001"
    assert typed.category_code("没有的事") == "没有的事"
    assert typed.unit_code("已撤销的局") == "已撤销的局"
