"""What anyone may read: cleared words, the area, where it stands – and nothing else."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.publishing.models import Record
from lianxin.publishing.records import reference_of, refresh
from tests.portal.way import said
from tests.publishing.made import raised
from tests.world import World

pytestmark = pytest.mark.django_db


def refreshed(case_id: uuid.UUID) -> Case:
    """The case, with its record as it is now."""
    refresh()
    return Case.objects.get(pk=case_id)


def published(world: World, *, words: str = "王小明家3栋501门口路灯坏了", title: str = "路灯坏了", body: str = "花园社区门口路灯坏了。",
              area: str = "990101001001", category: str = "010101") -> Case:
    case_id = world.case(words=words, area=area, lon=113.1234, lat=29.1234, publication_title=title, publication_body=body)
    a.accept(world.on(case_id, "operator"), category=category)
    a.clear_publication(world.on(case_id, "reviewer"), title=title, body=body)
    return refreshed(case_id)


def test_only_cleared_cases_are_listed(world: World, client: Client) -> None:
    case = published(world)
    waiting = world.case(publication_title="等着审的", publication_body="还没审")
    private = Case.objects.get(pk=world.case())
    text = said(client.get("/public/"))
    assert "路灯坏了" in text
    assert "等着审的" not in text
    assert client.get(f"/public/{case.number}/").status_code == 200
    for pk in (waiting, private.pk):
        assert client.get(f"/public/{Case.objects.get(pk=pk).number}/").status_code == 404


def test_a_case_taken_back_disappears(world: World, client: Client) -> None:
    case = published(world)
    a.refuse_publication(world.on(case.pk, "reviewer"), reason="诉求人要求撤回")
    refresh()
    assert client.get(f"/public/{case.number}/").status_code == 404
    assert "路灯坏了" not in said(client.get("/"))


def test_the_page_shows_no_words_of_the_reporter_and_no_free_text_of_the_unit(world: World, client: Client, monday: Frozen) -> None:
    case = published(world, category="010102")
    a.dispatch(world.on(case.pk, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case.pk, "housing"))
    a.record_contact(world.on(case.pk, "housing"), means="phone", reached=True)
    a.reply(world.on(case.pk, "housing"), public_answer="已给王小明家换灯。", solved=True)
    from lianxin.quality import actions as q

    q.approve(world.on(case.pk, "reviewer"))
    refresh()
    page = client.get(f"/public/{case.number}/").content.decode()
    for hidden in ("王小明", "3栋501", "113.1234", "已给", "13812342201"):
        assert hidden not in page
    assert "市住建局已经答复，正在听反映人的意见。" in page
    assert "花园社区" in page


def test_searching_does_not_reach_the_reporters_own_words(world: World, client: Client) -> None:
    published(world)
    assert "路灯坏了" in said(client.get("/public/?q=门口"))
    assert "没有找到" in said(client.get("/public/?q=王小明"))
    assert "没有找到" in said(client.get("/public/?q=3栋501"))


def test_filters_and_pages(world: World, client: Client) -> None:
    cases = [published(world, title=f"第{n}件事", body="x") for n in range(45)]
    seen: list[str] = []
    address = "/public/"
    while address:
        page = client.get(address).content.decode()
        seen += [number for number in page.split('href="/public/')[1:] if number[:3] == "26-"]
        more = page.split('" rel="next"')[0].rsplit('href="', 1)[1] if 'rel="next"' in page else ""
        address = "/public/" + more.replace("&amp;", "&") if more else ""
    numbers = [one.split("/")[0] for one in seen]
    assert numbers == [case.number for case in reversed(cases)]
    assert "没有找到" in said(client.get("/public/?county=990102"))
    assert "第44件事" in said(client.get("/public/?county=990101&category=01&area=990101001001"))


@pytest.mark.parametrize("query", ["after=xyz", "after=WyJ4IiwgInkiXQ", "q=%00", "county=%27", "category=%25", "after=W10"])
def test_odd_addresses(world: World, client: Client, query: str) -> None:
    published(world)
    assert client.get(f"/public/?{query}").status_code == 200


def test_open_and_settled_can_be_asked_for(world: World, client: Client, monday: Frozen) -> None:
    done = published(world, title="办完的")
    a.decline(world.on(done.pk, "operator"), route="court", explanation="去法院")
    published(world, title="在办的")
    for stage, there, gone in (("open", "在办的", "办完的"), ("done", "办完的", "在办的")):
        text = said(client.get(f"/public/?stage={stage}"))
        assert there in text
        assert gone not in text


def test_a_case_nobody_cleared_has_an_honest_page(world: World, client: Client, monday: Frozen) -> None:
    """What it is about, where roughly, whose, by when, how it stands – and that there are no words, and why."""
    raised(world, 5)
    monday.move(days=1)
    refresh()
    number = Record.objects.values_list("number", flat=True)[0]
    listed = said(client.get("/public/"))
    assert "施工噪声" in listed
    page = client.get(f"/public/{number}/")
    text = said(page)
    for told in ("施工噪声", "东区 › 桥头街道 › 花园社区", "11 月 23 日（周一）", "没有要求公开原话", number):
        assert told in text, told
    case = Case.objects.get(public_record__number=number)
    for hidden in (case.number, str(case.pk), "半夜", "10:00", "13812342201"):
        assert hidden not in page.content.decode()


def test_a_case_just_said_can_be_read_by_who_has_its_reference(world: World, client: Client, monday: Frozen) -> None:
    case = Case.objects.get(pk=world.accepted())
    reference = reference_of(case.number)
    text = said(client.get(f"/public/{reference.lower()}/", follow=True))
    assert "只写到全市" in text
    assert "花园社区" not in text
    assert client.get("/public/R-00000-00000/").status_code == 404


def test_the_map_reads_tiles_and_its_table_counts_the_same(world: World, client: Client) -> None:
    for _turn in range(3):
        published(world)
    page = client.get("/public/map/?county=990101&stage=open")
    assert 'data-tiles="/tiles/cases.json?county=990101&amp;stage=open"' in page.content.decode()
    assert "桥头街道 3 件" in said(page)
    assert "东区 3 件" in said(client.get("/public/map/"))
    assert "还没有公开的事" in said(client.get("/public/map/?county=990102"))


def test_the_standing_speaks_of_the_unit_at_every_state(world: World, client: Client, monday: Frozen) -> None:
    number = published(world).number
    assert "正在看该由哪个单位办" in said(client.get(f"/public/{number}/"))
    other = world.case(publication_title="t", publication_body="b")
    a.accept(world.on(other, "operator"), category="010102")
    a.clear_publication(world.on(other, "reviewer"), title="t", body="b")
    a.dispatch(world.on(other, "dispatcher"), lead_unit="housing")
    number = refreshed(other).number
    assert "市住建局正在办理，答复期限是11 月 30 日（周一）" in said(client.get(f"/public/{number}/"))
    monday.move(days=30)
    assert "已经过了答复期限" in said(client.get(f"/public/{number}/"))
