"""One's own case: opened by its code only, told in sentences, acted on once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases.models import Case, EventText, Publication, PublicVersion, State
from lianxin.kernel.clock import Frozen, frozen, now
from lianxin.quality import actions as q
from lianxin.quality.models import Rating
from tests.cases.desks import link
from tests.cases.ways import take
from tests.portal.photos import photo
from tests.portal.way import code_of, form_of, said, send
from tests.world import World

pytestmark = pytest.mark.django_db


def opened(client: Client, **values: Any) -> Case:
    """A case made here, and opened again by its code."""
    send(client, **values)
    case = Case.objects.latest("id")
    code = code_of(client)
    client.cookies.clear()
    assert client.post("/track/", {"code": code})["Location"] == "/mine/"
    return case


def do(client: Client, name: str, **values: Any) -> Any:
    page = client.get(f"/mine/{name}/")
    return client.post(f"/mine/{name}/", form_of(page) | values)


def in_hand(world: World, case_id: uuid.UUID) -> None:
    a.accept(world.on(case_id, "operator"), category="010102")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing", note="内部：找老李")
    a.sign(world.on(case_id, "housing"))


def answered(world: World, case_id: uuid.UUID) -> None:
    in_hand(world, case_id)
    a.record_contact(world.on(case_id, "housing"), means="phone", reached=True, note="内部：态度不好")
    a.reply(world.on(case_id, "housing"), public_answer="灯泡已换。", private_note="内部：库存不足", solved=True)
    q.approve(world.on(case_id, "reviewer"))


@pytest.mark.parametrize("typed", ["{}", " {} ", "{lower}", "{plain}", "{wide}"])
def test_the_code_opens_the_case_however_it_is_typed(world: World, client: Client, typed: str) -> None:
    send(client)
    code = code_of(client)
    wide = "".join(chr(ord(c) + 0xFEE0) if c != "-" else "－" for c in code)
    client.cookies.clear()
    answer = client.post("/track/", {"code": typed.format(code, lower=code.lower(), plain=code.replace("-", ""), wide=wide)})
    assert answer["Location"] == "/mine/"
    assert code not in answer["Location"]


@pytest.mark.parametrize("typed", ["K7QM3-9XTPA", "26-0000001-3", "13812342201", "' OR 1=1 --", "\x00", "长" * 60])
def test_a_wrong_code_is_told_kindly(world: World, client: Client, typed: str) -> None:
    send(client, phone="13812342201")
    client.cookies.clear()
    page = client.post("/track/", {"code": typed})
    assert page.status_code in (404, 422)
    assert client.get("/mine/").status_code == 302


def test_number_and_telephone_do_not_open_it(world: World, client: Client) -> None:
    send(client, phone="13812342201")
    case = Case.objects.get()
    client.cookies.clear()
    for typed in (case.number, case.number.replace("-", ""), f"{case.number} 13812342201"):
        assert client.post("/track/", {"code": typed}).status_code == 404


def test_guessing_is_slowed_down(world: World, client: Client) -> None:
    for _guess in range(10):
        assert client.post("/track/", {"code": "K7QM3-9XTPA"}).status_code == 404
    page = client.post("/track/", {"code": "K7QM3-9XTPA"})
    assert page.status_code == 429
    assert "K7QM3-9XTPA" in page.content.decode()


def test_the_page_forgets_the_case_after_two_hours_or_on_request(world: World, client: Client, monday: Frozen) -> None:
    opened(client)
    assert client.get("/mine/").status_code == 200
    client.post("/mine/leave/")
    assert client.get("/mine/").status_code == 302
    client.cookies["lianxin_case"] = "forged:1:x"
    assert client.get("/mine/").status_code == 302


def test_it_opens_with_one_sentence_and_keeps_what_is_internal(world: World, client: Client, monday: Frozen) -> None:
    case = opened(client, phone="13812342201", name="王小明")
    in_hand(world, case.pk)
    page = client.get("/mine/")
    text = said(page)
    assert "市住建局已接单，正在办理，最迟" in text
    assert "（周" in text
    assert page.content.decode().index("portal-lead") < page.content.decode().index("lx-clock") < page.content.decode().index("lx-timeline")
    answered_case = opened(client, submission="n" * 32)
    answered(world, answered_case.pk)
    text = said(client.get("/mine/"))
    assert "灯泡已换。" in text
    for hidden in ("内部", "housing甲", "in_hand", "callback", "13812342201", "王小明"):
        assert hidden not in text


def test_an_answer_not_yet_reviewed_is_not_shown(world: World, client: Client, monday: Frozen) -> None:
    case = opened(client)
    in_hand(world, case.pk)
    a.record_contact(world.on(case.pk, "housing"), means="phone", reached=True)
    a.reply(world.on(case.pk, "housing"), public_answer="还没审的答复", solved=True)
    assert "还没审的答复" not in said(client.get("/mine/"))


def test_adding_words_and_a_photo_once_however_often_it_is_sent(world: World, client: Client) -> None:
    case = opened(client)
    values = form_of(client.get("/mine/add/"))
    for _again in range(3):
        answer = client.post("/mine/add/", values | {"words": "今天又黑了。", "files": SimpleUploadedFile("a.jpg", photo())})
        assert answer.status_code == 302
    assert EventText.objects.filter(case=case, body="今天又黑了。").count() == 1
    assert case.attachments.count() == 1
    page = client.get("/mine/")
    assert "补充的内容已经加上" in said(page)
    assert "今天又黑了。" in said(page)


def test_adding_nothing_and_a_bad_file(world: World, client: Client) -> None:
    opened(client)
    assert do(client, "add", words=" ").status_code == 422
    page = do(client, "add", words="配一张图", files=SimpleUploadedFile("x.exe", b"MZ" + b"\0" * 99))
    assert page.status_code == 422
    assert "配一张图" in page.content.decode()


def test_changed_words_with_a_used_key_are_kept_for_a_second_sending(world: World, client: Client) -> None:
    case = opened(client)
    values = form_of(client.get("/mine/add/"))
    client.post("/mine/add/", values | {"words": "第一句"})
    page = client.post("/mine/add/", values | {"words": "第二句"})
    assert page.status_code == 409
    assert client.post("/mine/add/", form_of(page)).status_code == 302
    assert EventText.objects.filter(case=case, field="words").count() == 2


def test_withdrawing_needs_a_reason_and_tells_of_a_change(world: World, client: Client) -> None:
    case = opened(client)
    assert do(client, "withdraw", reason="").status_code == 422
    stale = form_of(client.get("/mine/withdraw/"))
    a.accept(world.on(case.pk, "operator"), category="010102")
    page = client.post("/mine/withdraw/", stale | {"reason": "自己修好了"})
    assert page.status_code == 409
    assert "自己修好了" in page.content.decode()
    assert client.post("/mine/withdraw/", form_of(page)).status_code == 302
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    page = client.get("/mine/")
    assert "已经撤回" in said(page)
    assert "/mine/withdraw/" not in page.content.decode()
    assert do(client, "withdraw", reason="再撤").status_code == 409


def test_rating_once_a_round(world: World, client: Client, monday: Frozen) -> None:
    case = opened(client)
    assert "/mine/rate/" not in client.get("/mine/").content.decode()
    assert do(client, "rate", solved="yes", satisfaction="satisfied").status_code == 409
    answered(world, case.pk)
    assert "/mine/rate/" in client.get("/mine/").content.decode()
    assert do(client, "rate", satisfaction="satisfied").status_code == 422
    assert do(client, "rate", solved="maybe", satisfaction="very").status_code == 422
    assert do(client, "rate", solved="no", satisfaction="dissatisfied", words="还是黑的").status_code == 302
    rating = Rating.objects.get()
    assert (rating.solved, rating.satisfaction) == (False, "dissatisfied")
    assert "/mine/rate/" not in client.get("/mine/").content.decode()
    assert do(client, "rate", solved="yes", satisfaction="satisfied").status_code == 409


def test_agreeing_to_publish_afterwards(world: World, client: Client) -> None:
    case = opened(client, words="花园社区李小梅家旁边的路灯坏了，我电话13812342201。", name="李小梅")
    values = form_of(client.get("/mine/publish/"))
    assert "李小梅" not in values["title"] + values["body"]
    assert "■■■家旁边的路灯坏了" in values["body"]
    assert "13812342201" not in values["body"]
    preview = client.post("/mine/publish/", values | {"body": "路灯坏了。", "go": "preview"})
    assert "公开后是这样" in said(preview)
    assert client.post("/mine/publish/", form_of(preview)).status_code == 302
    case.refresh_from_db()
    assert case.publication == Publication.REQUESTED
    assert PublicVersion.objects.get().body == "路灯坏了。"
    assert "/mine/publish/" not in client.get("/mine/").content.decode()


def test_a_confidential_case_is_not_offered_for_publication(world: World, client: Client) -> None:
    opened(client, confidential="on")
    assert "/mine/publish/" not in client.get("/mine/").content.decode()
    assert do(client, "publish", title="x", body="y").status_code == 422


def test_words_never_land_in_another_case_opened_meanwhile(world: World, client: Client) -> None:
    opened(client)
    values = form_of(client.get("/mine/add/"))
    second = opened(client, submission="s" * 32)
    page = client.post("/mine/add/", values | {"words": "给第一件的话"})
    assert page.status_code == 409
    assert "给第一件的话" in page.content.decode()
    assert not EventText.objects.filter(case=second, field="words").exists()


def test_a_case_shut_while_typing_keeps_the_words_on_the_page(world: World, client: Client) -> None:
    opened(client)
    values = form_of(client.get("/mine/add/"))
    client.cookies.clear()
    page = client.post("/mine/add/", values | {"words": "写了很久"})
    assert page.status_code == 403
    assert "写了很久" in said(page)


def test_no_such_deed(world: World, client: Client) -> None:
    opened(client)
    assert client.get("/mine/accept/").status_code == 404


def test_overdue_is_said_plainly(world: World, client: Client, monday: Frozen) -> None:
    opened(client)
    monday.move(days=20)
    client.cookies.clear()
    case = Case.objects.get()
    from lianxin.portal import access

    with frozen(now()):
        from django.http import HttpResponse

        response = HttpResponse()
        access.remember(response, case.pk)
    client.cookies["lianxin_case"] = response.cookies["lianxin_case"].value
    assert "已经超期" in said(client.get("/mine/"))


def test_what_another_service_has_is_told_and_not_taken_back(world: World, client: Client, monday: Frozen) -> None:
    case = opened(client)
    take(world, case.pk, "accept")
    take(world, case.pk, "offer_handover", reason="内部：归公安。")
    page = said(client.get("/mine/"))
    assert "热线正在把这件事转给试验市110。对方接收以前，仍由热线负责。" in page
    assert 'href="/mine/withdraw/"' not in client.get("/mine/").content.decode()  # not while it is on its way
    assert do(client, "withdraw", reason="不用了。").status_code == 409
    link(case.pk, "release_handover")
    link(case.pk, "tell_handover")
    page = said(client.get("/mine/"))
    assert "已转给试验市110，由他们处置。有了结果，热线最迟 11 月 23 日（周一）12:00前告诉您。" in page
    assert "试验市110的人已到现场。" in page
    assert "双方情绪稳定" not in page
    assert do(client, "add", words="又来了几个人。")["Location"] == "/mine/"
    assert "又来了几个人。" in said(client.get("/mine/"))
    link(case.pk, "close_handover")
    page = said(client.get("/mine/"))
    assert "试验市110办完了，结果如下： 民警到场调解，双方和解。" in page
    assert "归公安" not in page
    assert "训诫" not in page
    assert do(client, "contest", words="又打起来了。")["Location"] == "/mine/"
    assert Case.objects.get(pk=case.pk).state == State.ACCEPTED
