"""What anyone may read: cleared words, the area, where it stands – and nothing else."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from tests.portal.way import said
from tests.world import World

pytestmark = pytest.mark.django_db


def published(world: World, *, words: str = "王小明家3栋501门口路灯坏了", title: str = "路灯坏了", body: str = "花园社区门口路灯坏了。",
              area: str = "990101001001", category: str = "010101") -> Case:
    case_id = world.case(words=words, area=area, lon=113.1234, lat=29.1234, publication_title=title, publication_body=body)
    a.accept(world.on(case_id, "operator"), category=category)
    a.clear_publication(world.on(case_id, "reviewer"), title=title, body=body)
    return Case.objects.get(pk=case_id)


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


def test_closed_cases_follow_the_open_ones(world: World, client: Client, monday: Frozen) -> None:
    done = published(world, title="办完的")
    a.decline(world.on(done.pk, "operator"), route="court", explanation="去法院")
    published(world, title="在办的")
    text = said(client.get("/public/"))
    assert text.index("在办的") < text.index("办完的")


def test_the_map_counts_by_area_at_the_areas_own_position(world: World, client: Client) -> None:
    for _turn in range(3):
        published(world)
    feature, = client.get("/public/places.geojson").json()["features"]
    assert feature["geometry"]["coordinates"] == [113.1, 29.1]
    assert (feature["properties"]["count"], feature["properties"]["synthetic"]) == (3, True)
    assert client.get("/public/places.geojson?bbox=0,0,1,1").json()["features"] == []
    assert len(client.get("/public/places.geojson?bbox=113,29,114,30&county=990101").json()["features"]) == 1
    assert client.get("/public/places.geojson?bbox=a", headers={"Accept": "application/json"}).status_code == 422
    table = said(client.get("/public/map/"))
    assert "花园社区 （边界为推算） 3 件" in table


def test_the_standing_speaks_of_the_unit_at_every_state(world: World, client: Client, monday: Frozen) -> None:
    case_id = uuid.UUID(str(published(world).pk))
    number = Case.objects.get(pk=case_id).number
    assert "热线已受理" in said(client.get(f"/public/{number}/"))
    other = world.case(publication_title="t", publication_body="b")
    a.accept(world.on(other, "operator"), category="010102")
    a.clear_publication(world.on(other, "reviewer"), title="t", body="b")
    a.dispatch(world.on(other, "dispatcher"), lead_unit="housing")
    number = Case.objects.get(pk=other).number
    assert "已交给市住建局" in said(client.get(f"/public/{number}/"))
