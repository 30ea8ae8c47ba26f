"""The keeper's pages, and the visitor's: what they show, what they do, and to whom they are closed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lianxin.care import actions, queries
from lianxin.care.models import CareAccess, CareEntry, CareStep, CareVisit
from lianxin.care.sealing import opened
from lianxin.cases.models import Case
from lianxin.faces.templatetags.lianxin import day
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import ApiToken, Role, token_digest
from tests.care.made import AREA, NEEDLES, SAID, Register, days

pytestmark = pytest.mark.django_db

KEEPERS = ("care", "care_new", "care_holiday", "care_consent")
OF_ENTRY = ("care_entry", "care_edit", "care_withdraw", "care_print")


def client(register: Register, username: str) -> Client:
    made = Client()
    made.force_login(register.world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
    return made


def url(name: str, entry: CareEntry | None = None) -> str:
    return reverse(f"desk:{name}", args=[entry.pk] if entry is not None else [])


def filled(**more: Any) -> dict[str, Any]:
    return {"name": SAID.name, "area": f"{AREA} 花园社区", "address": SAID.address, "phone": SAID.phone, "trusted": SAID.trusted,
            "purpose": SAID.purpose, "interval_days": 7, "consent_how": "paper", "witness": "", "consent_on": days(0).isoformat(),
            "consent_until": days(300).isoformat(), **more}


def test_an_entry_is_made_from_the_form(register: Register) -> None:
    keeper = client(register, "keeper")
    assert "还没有人登记" in keeper.get(url("care")).content.decode()
    page = keeper.get(url("care_new")).content.decode()
    assert "data-draft" not in page, "nothing of a person is kept in the browser"
    assert "30 天后自动删除" in page
    answer = keeper.post(url("care_new"), filled(visitor=register.world.staff["grid"].pk))
    entry = CareEntry.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, url("care_entry", entry))
    assert opened(entry) == SAID
    assert in_sessions(NEEDLES) == []
    shown = keeper.get(url("care_entry", entry)).content.decode()
    assert all(word in shown for word in ("重光单阏", "玄黓巷九号", "13700001234", "昭阳作噩", "阉茂"))
    assert "no-store" in keeper.get(url("care_entry", entry))["Cache-Control"]


def in_sessions(words: list[str]) -> list[str]:
    return [word for session in Session.objects.all() for word in words if word in str(session.get_decoded())]


@pytest.mark.parametrize(("more", "told"), [
    ({"name": ""}, "这个字段是必填项"), ({"area": "没有的地方"}, "没有这个地点"), ({"phone": "一二三"}, "请核对号码"),
    ({"consent_until": "2028-11-22"}, "最长一年"), ({"consent_how": "spoken"}, "见证人"), ({"interval_days": "0"}, "1"),
    ({"visitor": ""}, "必填"), ({"area": "990102 西县"}, "不归您登记"), ({"consent_on": "去年"}, "日期"),
])
def test_a_fault_is_told_and_what_was_typed_stays(register: Register, more: dict[str, str], told: str) -> None:
    visitor = register.world.staff["grid"].pk
    answer = client(register, "keeper").post(url("care_new"), filled(**{"visitor": visitor, **more}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert told in page
    assert "阉茂一个人住" in page
    assert not CareEntry.objects.exists()


def test_the_list_says_what_is_due_and_whose_consent_ends(register: Register, monday: Frozen) -> None:
    keeper = client(register, "keeper")
    register.entry(name="甲某", interval_days=1)
    register.entry(name="乙某", interval_days=30, consent=register.consent(until=days(10)))
    monday.move(days=3)
    page = keeper.get(url("care")).content.decode()
    assert "过了 2 天" in page
    assert "该问本人续不续了" in page
    assert "甲某" in keeper.get(url("care") + "?only=due").content.decode()
    assert "乙某" not in keeper.get(url("care") + "?only=due").content.decode()
    monday.move(days=10)
    page = keeper.get(url("care") + "?only=consent").content.decode()
    assert "同意已到期，暂停" in page
    assert f"不续，{day(days(28))} 删除" in page
    found = keeper.post(url("care"), {"q": "乙"}).content.decode()
    assert "乙某" in found
    assert "甲某" not in found
    assert "没有这个姓名的登记" in keeper.post(url("care"), {"q": "丙"}).content.decode()
    assert keeper.get(url("care") + "?only=x&page=y").status_code == 200


def test_a_full_list_turns_pages_in_as_many_queries(register: Register) -> None:
    keeper = client(register, "keeper")

    def asked() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries_made:
            page = keeper.get(url("care")).content.decode()
        return len(queries_made), page

    register.entry()
    keeper.get(url("care"))
    few, _page = asked()
    for number in range(queries.PAGE):
        register.entry(name=f"第{number}人")
    many, page = asked()
    assert many == few
    assert page.count('<th scope="row"') == queries.PAGE
    assert "page=2" in page
    assert keeper.get(url("care") + "?page=2").content.decode().count('<th scope="row"') == 1
    assert keeper.get(url("care") + "?page=99").content.decode().count('<th scope="row"') == 1, "the last there is"


def test_an_entry_is_corrected_given_renewed_and_withdrawn(register: Register, monday: Frozen) -> None:
    entry, keeper, staff = register.entry(), client(register, "keeper"), register.world.staff
    page = keeper.get(url("care_edit", entry)).content.decode()
    assert "玄黓巷九号" in page
    assert keeper.post(url("care_edit", entry), {**filled(address="新地址"), "version": 1}).status_code == 302
    stale = keeper.post(url("care_edit", entry), {**filled(address="别的地址"), "version": 1})
    assert stale.status_code == 409
    assert "别的地址" in stale.content.decode()
    assert opened(CareEntry.objects.get()).address == "新地址"
    give = keeper.post(url("care_give", entry), {"to": staff["grid2"].pk, "until": days(3).isoformat(), "version": 2})
    assert give.status_code == 302
    assert CareEntry.objects.get().stand_in == staff["grid2"]
    past = keeper.post(url("care_give", entry), {"to": staff["grid2"].pk, "until": days(-1).isoformat(), "version": 3})
    assert past.status_code == 422
    assert "这个日期已经过了" in past.content.decode()
    assert keeper.post(url("care_give", entry), {"to": staff["grid_west"].pk, "version": 3}).status_code == 422
    consent = {"consent_on": days(0).isoformat(), "consent_how": "online", "consent_until": days(100).isoformat()}
    assert keeper.post(url("care_renew", entry), {**consent, "version": 3}).status_code == 302
    assert CareEntry.objects.get().consent_how == "online"
    asked = keeper.get(url("care_withdraw", entry)).content.decode()
    assert "马上删除" in asked
    assert CareEntry.objects.exists(), "asked once again first"
    done = keeper.post(url("care_withdraw", entry), follow=True).content.decode()
    assert "都已删除" in done
    assert "重光" not in done
    assert not CareEntry.objects.exists()
    assert [one.kind for one in CareStep.objects.order_by("id")] == ["made", "changed", "given", "renewed", "withdrawn"]
    for name in OF_ENTRY:
        assert keeper.get(url(name, entry)).status_code == 404
    assert keeper.post(url("care_renew", entry), {**consent, "version": 4}).status_code == 404
    assert keeper.post(url("care_withdraw", entry)).status_code == 404


def test_a_holiday_gives_all_at_once(register: Register) -> None:
    for _each in range(2):
        register.entry()
    keeper, staff = client(register, "keeper"), register.world.staff
    assert keeper.get(url("care_holiday")).status_code == 200
    same = keeper.post(url("care_holiday"), {"visitor": staff["grid"].pk, "to": staff["grid"].pk, "until": days(2).isoformat()})
    assert same.status_code == 422
    assert "请选另一个人" in same.content.decode()
    given = {"visitor": staff["grid"].pk, "to": staff["grid2"].pk, "until": days(2).isoformat()}
    done = keeper.post(url("care_holiday"), given, follow=True)
    assert "2 条登记已交给别人走访" in done.content.decode()


def test_what_is_held_is_printed_for_the_person(register: Register) -> None:
    entry, keeper = register.entry(), client(register, "keeper")
    client(register, "grid").post(url("care_visit", entry), {"outcome": "done", "note": "都好"})
    keeper.get(url("care_entry", entry))
    page = keeper.get(url("care_print", entry)).content.decode()
    for word in ("重光单阏", "玄黓巷九号", "13700001234", "昭阳作噩", "阉茂", "都好", "打开登记", "打印给本人", "grid甲", "keeper甲"):
        assert word in page


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "您可以反悔"), ("zh-hant", "您可以反悔"), ("en", "change your mind")])
def test_the_consent_form_is_printed_in_the_persons_language(register: Register, language: str, word: str) -> None:
    page = client(register, "keeper").get(url("care_consent") + f"?language={language}").content.decode()
    assert word in page
    assert f'<html lang="{language}">' in page
    assert client(register, "keeper").get(url("care_consent") + "?language=xx").status_code == 200
    if language == "en":
        assert not re.search("[\u4e00-\u9fff]", re.sub(r"(?s)<p class=\"no-print\">.*?</p>|桥头街道办", "", page))


def test_the_visitor_writes_down_a_visit_at_the_desk(register: Register) -> None:
    entry, grid = register.entry(interval_days=1), client(register, "grid")
    page = grid.get(url("care_visits")).content.decode()
    assert "玄黓巷九号" in page
    assert "昭阳作噩" not in page, "whom the person trusts is the keeper's to know"
    assert grid.post(url("care_visit", entry), {"outcome": ""}).status_code == 422
    missing = grid.post(url("care_visit", entry), {"outcome": "needs_help", "note": "发烧"})
    assert missing.status_code == 422
    assert "发烧" in missing.content.decode()
    done = grid.post(url("care_visit", entry), {"outcome": "needs_help", "words": "花园社区有位老人发烧。"}, follow=True).content.decode()
    assert "已登记成一件诉求" in done
    assert Case.objects.get().registered_by == register.world.staff["grid"]
    assert CareVisit.objects.count() == 1
    actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    gone = grid.post(url("care_visit", entry), {"outcome": "done", "note": "都好"})
    assert gone.status_code == 409
    assert "不用再去了" in gone.content.decode()
    assert "这几天没有要去看望的人" in grid.get(url("care_visits")).content.decode()


def test_a_form_sent_twice_is_done_once(register: Register) -> None:
    keeper, grid = client(register, "keeper"), client(register, "grid")
    page = keeper.get(url("care_new")).content.decode()
    (submission,) = re.findall('name="submission" value="([^"]+)"', page)
    said = filled(visitor=register.world.staff["grid"].pk, interval_days=1, submission=submission)
    places = {keeper.post(url("care_new"), said)["Location"] for _each in range(2)}
    entry = CareEntry.objects.get()
    assert places == {url("care_entry", entry)}
    (visit,) = re.findall('name="submission" value="([^"]+)"', grid.get(url("care_visits")).content.decode())
    for _each in range(2):
        done = grid.post(url("care_visit", entry), {"outcome": "needs_help", "words": "发烧", "submission": visit})
        assert done.status_code == 302
    assert (CareVisit.objects.count(), Case.objects.count()) == (1, 1)
    actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    assert keeper.post(url("care_new"), said).status_code == 404, "what is gone does not come back by a page sent again"
    assert not CareEntry.objects.exists()


def test_the_pages_are_closed_to_everybody_else(register: Register) -> None:
    entry = register.entry()
    for username in sorted(register.world.staff):
        one = client(register, username)
        keeps = username in ("keeper", "keeper_west")
        for name in KEEPERS:
            assert one.get(url(name)).status_code == (200 if keeps else 403), (username, name)
        for name in OF_ENTRY:
            assert one.get(url(name, entry)).status_code == (200 if username == "keeper" else 404 if keeps else 403), (username, name)
        visits = username in ("grid", "grid2", "grid_west")
        assert one.get(url("care_visits")).status_code == (200 if visits else 403), username
        menu = one.get(reverse("desk:knowledge")).content.decode()
        assert tuple(f'href="{url(name)}"' in menu for name in ("care", "care_visits")) == (keeps, visits), username
    assert Client().get(url("care_entry", entry)).status_code == 302
    read = set(CareAccess.objects.filter(entry_id=entry.pk).values_list("staff__username", flat=True))
    assert read == {"keeper"}, "who was turned away has read nothing"


def test_a_token_opens_no_page(register: Register) -> None:
    entry, secret = register.entry(), ApiToken.new_secret()
    ApiToken.objects.create(name="t", unit=register.world.units["bridge"], staff=register.world.staff["keeper"], scopes=["*"],
                            digest=token_digest(secret), hint=secret[-4:])
    for name in OF_ENTRY:
        answer = Client().get(url(name, entry), headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 302, "to the sign-in page"
    assert not CareAccess.objects.exists()


def test_the_keeper_begins_the_day_with_the_register(register: Register) -> None:
    assert client(register, "keeper").get(reverse("desk:home"))["Location"] == url("care")
    assert Role.CARE_KEEPER in register.by("keeper").roles


def test_two_absences_are_told_among_the_notices_without_the_person(register: Register) -> None:
    entry, keeper = register.entry(), client(register, "keeper")
    count = reverse("desk:notice_count")
    assert keeper.get(count).content.decode().strip() == ""
    for _each in range(2):
        client(register, "grid").post(url("care_visit", entry), {"outcome": "not_at_home"})
    assert "1" in keeper.get(count).content.decode()
    page = keeper.get(reverse("desk:notices")).content.decode()
    assert "连着两次没见到人" in page
    assert url("care_entry", entry) in page
    assert not [word for word in NEEDLES if word in page]
    for other in ("keeper_west", "supervisor", "grid", "admin"):
        assert "连着两次没见到人" not in client(register, other).get(reverse("desk:notices")).content.decode()
    opened_page = keeper.get(url("care_entry", entry)).content.decode()
    assert "可以找：昭阳作噩" in opened_page
    assert keeper.get(count).content.decode().strip() == ""
