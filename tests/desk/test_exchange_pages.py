"""外部系统 at the desk: systems and their states, prepared replies, settings, mapping, what differs."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.exchange import polling, systems
from lianxin.exchange.models import CHANGED, Change, Letter, Link, Mapping, System
from lianxin.exchange.sending import Letters
from lianxin.kernel.clock import now
from lianxin.kernel.sending import drain
from tests.desk.conftest import SignIn
from tests.exchange.conftest import joined, other  # noqa: F401 – fixtures
from tests.exchange.double import OtherSystem
from tests.exchange.test_sending import dispatched
from tests.world import World

pytestmark = pytest.mark.django_db
PAGE = "/desk/exchange/"


@pytest.fixture
def there(world: World, other: OtherSystem, joined: System) -> uuid.UUID:  # noqa: F811
    """A case that the unit's system has closed."""
    case_id = dispatched(world)
    a.sign(world.on(case_id, "urban"))
    drain(Letters())
    polling.settle(joined)
    other.close("N1", "已责令停工。")
    polling.settle(joined)
    return case_id


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    return str(response.content.decode())


def test_who_reads_and_who_keeps(as_: SignIn, there: uuid.UUID) -> None:
    one = f"{PAGE}systems/urban.system/"
    for username, reads, keeps in (("supervisor", 200, 200), ("admin", 200, 200), ("urban", 200, 403), ("housing", 404, 403),
                                   ("operator", 403, 403), ("grid", 403, 403)):
        client = as_(username)
        assert client.get(PAGE).status_code == (403 if reads == 403 else 200), username
        assert client.get(one).status_code == reads, username
        assert client.get(f"{PAGE}new/").status_code == keeps, username
        assert client.post(f"{one}compare/").status_code == keeps, username
    assert "城管系统" not in text(as_("housing").get(PAGE))
    assert "提供过的诉求人信息" not in text(as_("urban").get(one))


def test_nothing_joined_says_what_could_be(as_: SignIn, world: World) -> None:
    assert "还没有接入外部系统" in text(as_("admin").get(PAGE))
    assert "本单位没有接入自己的系统" in text(as_("urban").get(PAGE))


def test_what_they_closed_stands_before_the_unit_and_begins_its_reply(as_: SignIn, world: World, there: uuid.UUID) -> None:
    page = text(as_("urban").get(PAGE))
    assert "已责令停工。" in page
    assert "不采用" in page
    assert "不采用" not in text(as_("supervisor").get(PAGE))
    case = text(as_("urban").get(f"/desk/cases/{there}/"))
    assert "诉求人还看不到" in case
    assert "对方编号 N1" in case
    assert "已责令停工。" in text(as_("urban").get(f"/desk/cases/{there}/do/reply/"))
    link = Link.objects.get()
    aside = f"{PAGE}links/{link.pk}/aside/"
    as_("supervisor").post(aside)
    assert Link.objects.get().settled == ""
    assert as_("urban").post(aside).status_code == 302
    assert Link.objects.get().settled == "aside"
    assert "已责令停工。" not in text(as_("urban").get(f"/desk/cases/{there}/do/reply/"))


def test_an_assisting_units_button_leads_to_its_own_answer(
        as_: SignIn, world: World, other: OtherSystem, joined: System) -> None:  # noqa: F811
    case_id = dispatched(world, "housing", assisting_units=["urban"])
    a.sign(world.on(case_id, "housing"))
    a.assist_sign(world.on(case_id, "urban"))
    drain(Letters())
    polling.settle(joined)
    other.close("N1", "已巡查。")
    polling.settle(joined)
    for page in (PAGE, f"/desk/cases/{case_id}/"):
        shown = text(as_("urban").get(page))
        assert f"/desk/cases/{case_id}/do/assist_reply/" in shown
        assert f"/desk/cases/{case_id}/do/reply/" not in shown
    assert "已巡查。" in text(as_("urban").get(f"/desk/cases/{case_id}/do/assist_reply/"))
    assert "已巡查。" not in text(as_("housing").get(f"/desk/cases/{case_id}/do/reply/"))  # the lead's answer is its own
    given = {"private_note": "已巡查。"}
    assert as_("urban").post(f"/desk/cases/{case_id}/do/assist_reply/", given).status_code == 302
    assert Link.objects.get().settled == "replied"


def test_what_differs_and_what_cannot_be_sent(
        as_: SignIn, world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:  # noqa: F811
    page = f"{PAGE}systems/urban.system/"
    client = as_("supervisor")
    assert "对方已办结，这里还没有" in text(client.post(f"{page}compare/"))
    dispatched(world)
    Letter.objects.filter(state="waiting").update(state="dead", last_error="对方的应答：400 no such street")
    assert "no such street" in text(client.get(page))
    assert "有送不出去的" in text(client.get(PAGE))
    dead = Letter.objects.get(state="dead")
    assert "马上再送" in text(client.post(f"{page}letters/{dead.pk}/resend/", follow=True))
    assert "可能刚刚已经送达" in text(client.post(f"{page}letters/{dead.pk}/resend/", follow=True))
    other.spoils, other.faults = "GET", [503]
    assert "503" in text(client.post(f"{page}compare/"), 503)
    System.objects.update(failing_since=now(), last_error="对方没有在限定时间内应答。")
    assert "工单都在这里，会继续重试" in text(client.get(page))


def test_settings_services_and_mapping_are_kept_at_the_desk(
        as_: SignIn, world: World, other: OtherSystem, joined: System) -> None:  # noqa: F811
    page, client = f"{PAGE}systems/urban.system/", as_("admin")
    given = {"name": "城管系统", "kind": "unit", "url": other.url, "unit": "urban", "identity": "none", "closing": "ask",
             "photos": "none", "active": "on"}
    assert "须写明目的" in text(client.post(f"{page}settings/", given | {"identity": "full"}), 422)
    assert "内部网络" in text(client.post(f"{page}settings/", given | {"url": "http://10.0.0.8/"}), 422)
    assert client.post(f"{page}settings/", given | {"agent": "urban", "closing": "reply", "key": "new-key"}).status_code == 302
    assert System.objects.get().closing == "reply"
    assert "new-key" not in text(client.get(page))
    assert set(Change.objects.exclude(by=None).values_list("what", flat=True)) == {"agent", "closing", "key"}

    assert "读到 2 项服务" in text(client.post(f"{page}services/", follow=True))
    line = {"inbound": "0", "value": "010103 供水咨询", "to": "LAMP 路灯维修"}
    assert client.post(f"{page}map/", line).status_code == 302
    assert Mapping.objects.filter(inbound=False, ours="010103", theirs="LAMP").exists()
    assert "没有这个代码" in text(client.post(f"{page}map/", line | {"to": "NOPE"}), 422)
    assert client.post(f"{page}map/", line | {"to": ""}).status_code == 302
    assert not Mapping.objects.filter(ours="010103").exists()


def test_a_system_is_joined_at_the_desk(as_: SignIn, world: World, other: OtherSystem) -> None:  # noqa: F811
    client = as_("admin")
    given = {"code": "old.platform", "name": "原热线平台", "kind": "older", "url": other.url, "identity": "none", "closing": "ask",
             "photos": "none", "active": "on"}
    assert "请填写" in text(client.post(f"{PAGE}new/", given | {"kind": "unit"}), 422)
    assert "须以 http" in text(client.post(f"{PAGE}new/", given | {"url": "ftp://x"}), 422)
    assert client.post(f"{PAGE}new/", given).status_code == 302
    assert "已有这个代号" in text(client.post(f"{PAGE}new/", given), 422)
    assert System.objects.get().kind == "older"


def test_who_changed_a_setting_is_said_in_words(
        as_: SignIn, world: World, other: OtherSystem, joined: System) -> None:  # noqa: F811
    systems.save(world.actor("admin"), joined.code, identity="masked", photos="file", active=False, jurisdiction="yueyang", key="new-key")
    page = text(as_("admin").get(f"{PAGE}systems/urban.system/")).partition("谁改过")[2]
    for said in ("诉求人信息：不提供 → 隐去部分内容", "照片：不提供 → 随工单上传", "启用：是 → 否",
                 "jurisdiction_id：— → yueyang", "api_key"):
        assert said in page, said
    assert not {"masked", "none", "True", "False"} & set(re.findall(r"[A-Za-z]+", page.partition("</ul>")[0]))
    assert set(systems.SETTINGS) <= set(CHANGED)  # each can be said


def test_an_administrator_is_not_led_to_what_only_the_hotlines_desks_read(as_: SignIn, there: uuid.UUID) -> None:
    number, way = Case.objects.get(pk=there).number, f'href="/desk/cases/{there}/"'
    for username, leads in (("admin", False), ("supervisor", True), ("urban", True)):
        page = text(as_(username).get(f"{PAGE}systems/urban.system/"))
        assert number in page, username
        assert (way in page) is leads, username
    assert 'href="/desk/linkage/"' not in text(as_("admin").get("/desk/linkage/partners/"))
    assert 'href="/desk/linkage/"' in text(as_("supervisor").get("/desk/linkage/partners/"))
