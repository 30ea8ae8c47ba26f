"""Handing a case over at the desk: the form, what stands in the way, what the case shows afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client
from django.utils.translation import override

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from tests.cases.desks import CODE, link, other_desk
from tests.cases.ways import at_state, take
from tests.desk.conftest import SignIn
from tests.desk.test_case import act_url, buttons, case_url
from tests.world import World

pytestmark = pytest.mark.django_db
OFFER = {"partner": CODE, "basis": "clear", "mode": "transfer", "reason": "有人打架。", "wish": "agrees", "note": "在三楼。",
         "submission": "1"}


@pytest.fixture(autouse=True)
def _other_desk() -> Iterator[None]:
    with other_desk():
        yield


def read(client: Client, address: str) -> str:
    return unescape(client.get(address).content.decode())


def test_offered_from_the_case_and_withdrawn(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    client = as_("dispatcher")
    assert "offer_handover" in buttons(read(client, case_url(case_id)))
    assert "withdraw_handover" not in read(client, case_url(case_id))
    form = read(client, act_url(case_id, "offer_handover")).partition('name="partner"')[2]
    assert [code for code, _name in re.findall(r'<option value="([^"]*)"[^>]*>([^<]+)', form)][:3] == ["", CODE, "120.test"]
    assert client.post(act_url(case_id, "offer_handover"), OFFER).status_code == 302
    assert Case.objects.get(pk=case_id).linkage == "offered"
    page = read(client, case_url(case_id))
    assert "移交中" in page
    assert "试验市110 · 明确属对方职责 · 同意转" in page
    assert "withdraw_handover" in buttons(page)
    assert 'data-why="正在移交，对方还没有答复：先撤回移交，再做这一步。"' in page  # on 不予受理
    assert "decline" not in buttons(page)
    again = read(client, act_url(case_id, "offer_handover"))
    assert 'value="transfer"' not in again
    assert client.post(act_url(case_id, "withdraw_handover"), {"reason": "归城管。", "submission": "2"}).status_code == 302
    link(case_id, "tell_handover", step="withdrawn", linkage="")
    page = read(client, case_url(case_id))
    assert "移交中" not in page
    assert "withdraw_handover" not in buttons(page)


def test_faults_keep_what_was_typed(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.ACCEPTED)
    client = as_("operator")
    for wrong, said in (({"wish": "against"}, "尊重诉求人的意愿"), ({"partner": ""}, "还差几项"), ({"reason": "长" * 201}, "200"),
                        ({"partner": "nobody"}, "还差几项")):
        answer = client.post(act_url(case_id, "offer_handover"), OFFER | wrong)
        assert answer.status_code == 422
        body = unescape(answer.content.decode())
        assert said in body
        assert "在三楼。" in body
    assert Case.objects.get(pk=case_id).linkage == ""
    emergency = client.post(act_url(case_id, "offer_handover"), OFFER | {"wish": "against", "basis": "emergency"})
    assert emergency.status_code == 302


def test_a_step_that_came_too_late_says_the_way_out(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED, before="withdraw_handover")
    answer = as_("reviewer").post(act_url(case_id, "approve"), {"submission": "1", "version": Case.objects.get(pk=case_id).version})
    assert answer.status_code == 409
    assert "先撤回移交" in answer.content.decode()
    assert Case.objects.get(pk=case_id).state == State.REPLIED


def test_what_the_other_desk_says_is_marked_as_inside(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    take(world, case_id, "offer_handover")
    link(case_id, "release_handover")
    link(case_id, "tell_handover")
    link(case_id, "close_handover")
    page = read(as_("operator"), case_url(case_id))
    said = re.findall(r'<div class="(said[^"]*)">(.*?)</div>', page, re.DOTALL)
    inside = {words: ["lx-internal" in head for head, body in said if words in body]
              for words in ("双方情绪稳定。", "当事人 A 已训诫。", "民警到场调解，双方和解。")}
    assert inside == {"双方情绪稳定。": [True], "当事人 A 已训诫。": [True], "民警到场调解，双方和解。": [False]}
    assert "对方编号 JQ-7" in page
    assert "外部系统" in page


def test_lists_show_what_is_on_offer_and_what_is_there(world: World, as_: SignIn, monday: Frozen) -> None:
    offered, gone, plain = (at_state(world, State.IN_HAND) for _each in range(3))
    for one in (offered, gone):
        take(world, one, "offer_handover")
    link(gone, "release_handover")
    numbers = {name: Case.objects.get(pk=pk).number for name, pk in (("offered", offered), ("gone", gone), ("plain", plain))}
    client = as_("supervisor")
    marked = read(client, "/desk/board/all/?mark=offered")
    assert numbers["offered"] in marked
    assert numbers["gone"] not in marked
    assert numbers["plain"] not in marked
    there = read(client, "/desk/board/all/?state=handed_over")
    assert numbers["gone"] in there
    assert numbers["offered"] not in there
    assert "联动单位" in there
    with override("en"):
        client.post("/language/", {"language": "en", "next": "/"})
        assert "On offer" in read(client, "/desk/board/all/?mark=offered")
