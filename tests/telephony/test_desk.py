"""The telephone at the desk: the bar, who is calling and who may know, the call on the case, the page 话务."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from lianxin.cases.actions import withdraw
from lianxin.cases.engine import On
from lianxin.cases.models import Case, IdentityReading, State
from lianxin.kernel import live
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import reporter_for
from lianxin.telephony import commands, popping
from lianxin.telephony.models import CaseCall, NumberReading
from tests.cases.ways import at_state
from tests.desk.conftest import as_  # noqa: F401
from tests.telephony.ways import NUMBER, rings, seated, switchboard, told
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _connected(world: World) -> None:
    switchboard(world)


def step(client: Any, name: str, **fields: str) -> Any:
    return client.post(reverse("desk:agent_do", args=[name]), fields)


def bar(client: Any) -> str:
    return str(client.get(reverse("desk:agent_bar")).content.decode())


def pop(client: Any, call: Any) -> Any:
    return client.post(reverse("desk:call_pop", args=[call.pk]))


def test_the_bar_from_sitting_down_to_leaving(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    client = as_("operator")
    assert "坐席上线" in bar(client)
    wrong = step(client, "sit", extension="a b")
    assert (wrong.status_code, "请填分机号" in wrong.content.decode()) == (422, True)
    assert "小休" in step(client, "sit", extension="8001").content.decode()
    assert "待接" in step(client, "ready").content.decode()
    call = rings()
    assert f'data-call="{call.pk}" data-call-state="ringing"' in bar(client)
    told("answered", extension="8001")
    refused = step(client, "pause", reason="rest")
    assert (refused.status_code, "正在通话" in refused.content.decode()) == (409, True)
    told("ended")
    assert "整理完" in bar(client)
    assert "用餐" in step(client, "pause", reason="meal").content.decode()
    assert step(client, "pause", reason="tired").status_code == 422
    assert step(client, "dance").status_code == 404
    assert "坐席上线" in step(client, "leave").content.decode()


def test_where_no_telephone_system_is_connected_there_is_no_bar(world: World, as_: Any) -> None:  # noqa: F811
    world.staff["switchboard"].grants.update(ended_at="2026-01-01T00:00Z")
    assert bar(as_("operator")) == ""


def test_who_is_calling_is_told_to_the_agent_whose_telephone_it_is(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    seated(world)
    seated(world, "dispatcher", "8002")
    mine = world.case(phone=NUMBER)
    ended = world.case(phone=NUMBER)
    withdraw(On(ended, reporter_for(ended)), reason="已经好了")
    other = world.case(phone="13700000000")
    call = rings()
    found = pop(as_("operator"), call)
    assert (found.status_code, found.json()["number"], found.json()["answered"]) == (200, NUMBER, False)
    shown = found.json()["cases"]
    assert Case.objects.get(pk=mine).number in shown
    for hidden in (ended, other):
        assert Case.objects.get(pk=hidden).number not in shown, "open cases of this number only"
    assert "王小明" not in shown
    reading = NumberReading.objects.get()
    assert (reading.call_id, reading.staff_id) == (call.pk, world.staff["operator"].pk)
    of_case = IdentityReading.objects.get()
    assert (of_case.case_id, of_case.fields) == (mine, ["phone"])
    for username, status in (("dispatcher", 404), ("reviewer", 403), ("urban", 403), ("supervisor", 403)):
        assert pop(as_(username), call).status_code == status
    told("answered", extension="8001")
    assert pop(as_("operator"), call).status_code == 200
    told("ended")
    assert pop(as_("operator"), call).status_code == 200, "while they wrap up"
    monday.move(seconds=settings.LIANXIN_WRAP_UP_SECONDS + 1)
    late = pop(as_("operator"), call)
    assert (late.status_code, NUMBER in late.content.decode()) == (404, False)
    assert NumberReading.objects.count() == 3


def test_a_telephone_that_rang_in_vain_knows_no_more(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    seated(world)
    seated(world, "dispatcher", "8002")
    call = rings()
    monday.move(seconds=15)
    told("ringing", extension="8002")
    assert pop(as_("operator"), call).status_code == 404
    assert pop(as_("dispatcher"), call).status_code == 200


def test_a_withheld_number_is_said_to_be(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    seated(world)
    call = told("ringing", extension="8001")
    found = pop(as_("operator"), call).json()
    assert (found["number"], "号码没有显示" in found["cases"]) == ("", True)
    assert not NumberReading.objects.exists(), "nothing was read"


def register(client: Any, **fields: str) -> Any:
    said = {"words": "路灯不亮三天了，晚上很黑。", "submission": str(uuid.uuid4())}
    return client.post(reverse("desk:call"), said | fields, follow=True)


def test_the_call_lies_on_the_case(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    seated(world)
    call = rings()
    told("answered", extension="8001")
    client = as_("operator")
    register(client, phone=NUMBER, call=str(call.pk))
    case = Case.objects.get()
    monday.move(minutes=2)
    told("ended")
    told("recording", recording="https://rec.example/1.wav")
    lying = CaseCall.objects.get()
    assert (lying.call_id, lying.case_id, lying.staff_id) == (call.pk, case.pk, world.staff["operator"].pk)
    page = client.get(reverse("desk:case", args=[case.pk])).content.decode()
    assert "通话 2:00" in page
    assert 'href="https://rec.example/1.wav"' in page
    register(client, phone=NUMBER, call=str(call.pk), do=f"join:{case.pk}", words="还有一盏也不亮。")
    assert CaseCall.objects.count() == 1, "once"


def test_a_call_of_somebody_else_does_not(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    seated(world, "dispatcher", "8002")
    call = rings(extension="8002")
    told("answered", extension="8002")
    for wrong in (str(call.pk), str(uuid.uuid4())):
        page = register(as_("operator"), call=wrong).content.decode()
        assert "没有找到这个来电" in page
        assert "已登记" in page, "the case stands"
    assert not CaseCall.objects.exists()


class Double:
    """A telephone system that writes down what it is told."""

    def __init__(self, fails: bool = False) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.fails = fails

    def __getattr__(self, name: str) -> Any:
        def command(*arguments: Any, **more: Any) -> None:
            if self.fails:
                raise commands.SwitchFault("no")
            self.told.append((name, *arguments, *more.values()))

        return command


@pytest.mark.parametrize(("what", "fields", "told_it"), [
    ("hold", {}, ("hold", "c1", "8001")), ("resume", {}, ("resume", "c1", "8001")), ("hang_up", {}, ("hang_up", "c1", "8001")),
    ("transfer", {"to": "80 02"}, ("transfer", "c1", "8002", "8001")), ("conference", {"to": "110"}, ("conference", "c1", "110", "8001")),
])
def test_commands_go_to_the_telephone_system(world: World, monday: Frozen, as_: Any, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
                                              what: str, fields: dict[str, str], told_it: tuple[str, ...]) -> None:
    double = Double()
    monkeypatch.setattr(commands, "switch", lambda: double)
    seated(world)
    call = rings()
    address = reverse("desk:call_command", args=[call.pk, what])
    assert as_("operator").post(address, fields).status_code == 404, "it rings only"
    told("answered", extension="8001")
    assert as_("operator").post(address, fields).status_code == 200
    assert told_it in double.told
    assert as_("dispatcher").post(address, fields).status_code == 404
    double.fails = True
    failed = as_("operator").post(address, fields)
    assert (failed.status_code, "用话机自己操作" in failed.content.decode()) == (503, True)


def test_what_is_no_number_is_not_dialled(world: World, monday: Frozen, as_: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    double = Double()
    monkeypatch.setattr(commands, "switch", lambda: double)
    seated(world)
    call = rings()
    told("answered", extension="8001")
    for to in ("", "1", "abc", "110;119", "１１０", "+", "1" * 21):
        assert as_("operator").post(reverse("desk:call_command", args=[call.pk, "transfer"]), {"to": to}).status_code == 422
    assert as_("operator").post(reverse("desk:call_command", args=[call.pk, "explode"])).status_code == 404
    assert not [one for one in double.told if one[0] == "transfer"]


def test_the_emergency_key_waits_for_no_machine(world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    staff_id = world.staff["operator"].pk
    assert (commands.emergency(staff_id, "110").how, commands.emergency(staff_id, "110").done) == ("dial", False)
    double = Double()
    monkeypatch.setattr(commands, "switch", lambda: double)
    assert commands.emergency(staff_id, "110").how == "dial", "at no extension"
    seated(world)
    assert commands.emergency(staff_id, "120").how == "ring"
    rings()
    call = told("answered", extension="8001")
    made = commands.emergency(staff_id, "110")
    assert (made.done, made.how, made.call) == (True, "conference", str(call.pk))
    assert double.told[-2:] == [("ring", "8001", "120"), ("conference", "c1", "110", "8001")]
    assert commands.emergency(staff_id, "12345").how == "dial"

    class Stuck(Double):
        def __getattr__(self, name: str) -> Any:
            return lambda *_arguments, **_more: time.sleep(1.5)

    for broken in (Stuck(), Double(fails=True), object()):
        monkeypatch.setattr(commands, "switch", lambda broken=broken: broken)
        began = time.monotonic()
        made = commands.emergency(staff_id, "110")
        assert (made.how, "110" in str(made.words)) == ("dial", True)
        assert time.monotonic() - began < 1


def test_the_page_shows_counts_and_nobody(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    empty = as_("supervisor").get(reverse("desk:telephones"))
    assert (empty.status_code, "今天还没有来电" in empty.content.decode()) == (200, True)
    seated(world)
    rings()
    monday.move(seconds=70)
    page = as_("supervisor").get(reverse("desk:telephones"), {"part": "1"}).content.decode()
    assert ">1:10<" in page
    assert "operator" not in page
    assert "8001" not in page
    for username, status in (("operator", 200), ("leader", 200), ("urban", 403), ("east_supervisor", 403)):
        assert as_(username).get(reverse("desk:telephones")).status_code == status


def test_pages_listen_to_what_is_theirs(world: World, as_: Any) -> None:  # noqa: F811
    def topics(username: str) -> set[str]:
        body = as_(username).get(reverse("desk:live_token")).json()
        assert body["url"] == settings.LIANXIN_LIVE_URL
        opened = live.opened(body["token"])
        assert opened is not None
        assert opened[0] == world.staff[username].pk
        return set(opened[1])

    assert topics("operator") == {f"agent:{world.staff['operator'].pk}", "queue", "linkage"}
    assert topics("supervisor") == {"queue", "linkage"}
    assert topics("urban") == set()
    assert Client().get(reverse("desk:live_token"), headers={"X-Requested-With": "fetch"}).status_code == 401
    assert json.loads(as_("urban").get(reverse("desk:live_token")).content)["token"]


def test_a_recording_is_the_hotlines(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    operator = seated(world)
    call = rings()
    told("answered", extension="8001")
    told("recording", recording="rec-7.wav")
    told("ended")
    case = Case.objects.select_related("lead_unit").get(pk=at_state(world, State.CALLBACK))
    popping.lies_on(operator, call_id=call.pk, case_id=case.pk)
    assert case.lead_unit is not None
    address = reverse("desk:case", args=[case.pk])
    clerk = as_(case.lead_unit.code).get(address)
    assert (clerk.status_code, "rec-7.wav" in clerk.content.decode()) == (200, False)
    assert "rec-7.wav" in as_("callback").get(address).content.decode()
