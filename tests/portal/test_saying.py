"""Saying it: three steps, the same with and without JavaScript; nothing lost, nothing twice."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256

import pytest
from django.test import Client

from lianxin.cases.models import Case, Channel, Publication, PublicVersion
from lianxin.kernel.coordinates import wgs84_to_gcj02
from lianxin.triage.danger import browser_rules
from tests.portal.way import code_of, form_of, said, send, step
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_whole_way_without_javascript(world: World, client: Client) -> None:
    page = client.get("/say/")
    page = step(client, page, "place", words="桥头街道花园社区的路灯坏了三天。")
    assert page.status_code == 200
    assert "在哪里？" in said(page)
    assert "东区 › 桥头街道 › 花园社区" in said(page)  # found in the words, offered, not chosen
    page = step(client, page, "place", county="990101")
    assert "桥头街道" in form_page(page, "town")
    page = step(client, page, "place", town="990101001")
    page = step(client, page, "send", village="990101001001")
    assert form_of(page, action="/say/")["village"] == "990101001001"
    page = step(client, page, "words")
    assert form_of(page, action="/say/")["words"] == "桥头街道花园社区的路灯坏了三天。"
    page = step(client, page, "submit", phone="138 1234 2201", name="王小明", messages="on", confidential="on")
    assert page.status_code == 302
    assert page["Location"] == "/answer/"
    answer = client.get("/answer/")
    case = Case.objects.get()
    assert case.number in said(answer)
    assert "12345 热线已收到您说的事" in said(answer)
    assert (case.area.code, case.channel, case.confidential) == ("990101001001", Channel.WEB, True)  # type: ignore[union-attr]
    assert case.reporter is not None
    assert case.reporter.message_consent
    assert len(code_of(client)) == 11


def form_page(page: object, name: str) -> str:
    body = page.content.decode()  # type: ignore[attr-defined]
    return str(body.split(f'<select id="{name}"')[1].split("</select>")[0])


def test_nothing_but_words_is_needed(world: World, client: Client) -> None:
    assert send(client).status_code == 302
    case = Case.objects.get()
    assert case.reporter is None
    assert "您没有留电话" in said(client.get("/answer/"))


def test_the_same_post_three_times_is_one_case(world: World, client: Client) -> None:
    answers = [send(client, phone="13812342201") for _again in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert Case.objects.count() == 1
    assert len({answer.cookies["lianxin_case"].value.split(":")[0] for answer in answers}) == 1


def test_other_words_with_the_same_key_ask_what_is_meant(world: World, client: Client) -> None:
    send(client)
    page = send(client, words="另一件事：水管爆了。")
    assert page.status_code == 409
    assert "另登记一件" in said(page)
    assert form_of(page, action="/say/")["words"] == "另一件事：水管爆了。"
    again = step(client, page, "again")
    assert step(client, again, "submit").status_code == 302
    assert Case.objects.count() == 2


@pytest.mark.parametrize(("words", "complaint"), [("", "请先写下您要说的事"), (" \u3000\n", "请先写下您要说的事"),
                                                 ("长" * 12_001, "现在 12001 字，最多 12000 字")])
def test_words_that_cannot_be_taken(world: World, client: Client, words: str, complaint: str) -> None:
    for go in ("place", "submit"):
        page = send(client, words=words, go=go, step="words", phone="13812342201")
        assert page.status_code == 422
        assert complaint in said(page)
        assert form_of(page, action="/say/")["phone"] == "13812342201"
    assert not Case.objects.exists()


def test_twelve_thousand_characters_are_taken_whole(world: World, client: Client) -> None:
    assert send(client, words="长" * 12_000).status_code == 302
    assert len(Case.objects.get().words) == 12_000


def test_markup_and_control_characters_are_shown_as_text(world: World, client: Client) -> None:
    hostile = '</textarea><script>alert("x")</script>\x00\x07\u202e<img src=x onerror=alert(1)>'
    page = send(client, words=hostile, go="place", step="words", place_text=hostile, name=hostile)
    assert b"<script>alert" not in page.content
    assert b"<img src=x" not in page.content
    assert send(client, words=hostile, name=hostile, phone="<b>138", title=hostile, body=hostile, publish="on").status_code == 422
    assert send(client, words=hostile, name=hostile, place_text=hostile).status_code == 302
    tracked = client.get("/mine/")
    assert b"<script>alert" not in tracked.content
    assert '<script>alert("x")</script>' in Case.objects.get().words


def test_a_position_outside_the_city_keeps_the_words(world: World, client: Client) -> None:
    page = send(client, lon="116.39", lat="39.9", phone="13812342201")
    assert page.status_code == 422
    assert "不在本市范围内" in said(page)
    assert 'data-step="place" class="now"' in page.content.decode()
    kept = form_of(page, action="/say/")
    assert (kept["words"], kept["lon"], kept["phone"]) == ("花园社区路灯坏了三天。", "", "13812342201")
    assert step(client, page, "submit", county="990101").status_code == 302


def test_a_position_says_its_system(world: World, client: Client) -> None:
    lon, lat = wgs84_to_gcj02(113.1, 29.1)
    assert send(client, lon=str(lon), lat=str(lat), system="gcj02").status_code == 302
    case = Case.objects.get()
    assert case.lon == pytest.approx(113.1, abs=1e-6)
    assert case.lat == pytest.approx(29.1, abs=1e-6)
    assert case.area.name == "花园社区"  # type: ignore[union-attr]


@pytest.mark.parametrize("odd", [{"lon": "x", "lat": "29.1"}, {"lon": "113.1", "lat": "29.1", "system": "mars"},
                                 {"lon": "nan", "lat": "inf"}, {"lon": "113.1"}, {"county": "nowhere"},
                                 {"village": "'; DROP TABLE"}, {"category": "999"}, {"step": "??", "go": "??"},
                                 {"upload": "forged"}, {"submission": ""}, {"use_place": "x", "picked": "y"}])
def test_odd_fields_are_never_a_fault_of_ours(world: World, client: Client, odd: dict[str, str]) -> None:
    assert send(client, **odd).status_code in (200, 302, 422)


def test_a_picked_name_sets_the_area(world: World, client: Client) -> None:
    page = step(client, client.get("/say/"), "find", words="路灯坏了", place_text="花园社区")
    assert "花园社区" in said(page)
    assert step(client, page, "submit", picked="990101001001").status_code == 302
    assert Case.objects.get().area.code == "990101001001"  # type: ignore[union-attr]


def test_danger_words_put_the_number_first(world: World, client: Client) -> None:
    page = step(client, client.get("/say/"), "place", words="楼下着火了，有人受伤")
    body = page.content.decode()
    alarm = body.split("data-alarm")[1].split("</div>")[0]
    assert 'data-alarm hidden' not in body
    assert 'data-service="119" hidden' not in alarm
    assert 'data-service="110" hidden' in alarm
    assert body.index("data-alarm") < body.index('data-step="words"')
    step(client, page, "submit")
    assert "119" in client.get("/answer/").content.decode().split("<h1>")[0].split("data-alarm")[1]


def test_the_rules_of_danger_are_a_file_that_browsers_keep(world: World, client: Client) -> None:
    page = client.get("/say/").content.decode()
    address = re.findall(r'data-danger="([^"]+)"', page)[0]
    assert re.fullmatch(r"/say/danger\.[0-9a-f]{16}\.json", address)
    assert "着火" not in page, "the page carries none of them"
    fresh = Client()
    plain = fresh.get(address)
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Content-Type"] == "application/json"
    assert not fresh.cookies, "the same for everybody"
    assert "Cookie" not in plain.headers["Vary"]
    assert plain.json() == browser_rules()
    assert sha256(plain.content).hexdigest().startswith(address.split(".")[1]), "named by what it holds"
    packed = fresh.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < 20_000
    # A page from before a change of the rules gets those in force, under their own name.
    moved = fresh.get("/say/danger.0123456789abcdef.json")
    assert (moved.status_code, moved.headers["Location"], moved.headers["Cache-Control"]) == (302, address, "no-store")
    assert fresh.post(address).status_code == 405


def test_quiet_words_raise_no_alarm(world: World, client: Client) -> None:
    assert "data-alarm hidden" in step(client, client.get("/say/"), "place", words="公交车几点开？").content.decode()


def test_a_topic_from_the_front_page_is_a_suggestion_that_can_be_taken_back(world: World, client: Client) -> None:
    page = client.get("/say/?topic=010101")
    assert form_of(page, action="/say/")["category"] == "010101"
    assert step(client, page, "submit", words="坏了", category="").status_code == 302
    assert Case.objects.get().category is None
    assert "category" not in form_of(client.get("/say/?topic=nonsense"), action="/say/")


def test_publication_is_previewed_and_redacted_before_it_is_sent(world: World, client: Client) -> None:
    words = "我叫王小明，电话13812342201，花园社区3栋2单元501的路灯坏了。"
    page = send(client, words=words, name="王小明", publish="on")
    assert page.status_code == 422
    assert not Case.objects.exists()
    shown = form_of(page, action="/say/")
    for private in ("王小明", "13812342201", "单元501"):
        assert private not in shown["body"] + shown["title"]
    sent = step(client, page, "submit", body="花园社区的路灯坏了。", title="路灯坏了")
    assert sent.status_code == 302
    case = Case.objects.get()
    assert case.publication == Publication.REQUESTED
    assert case.words == words
    assert PublicVersion.objects.get().body == "花园社区的路灯坏了。"


def test_confidential_and_public_exclude_each_other(world: World, client: Client) -> None:
    page = send(client, publish="on", confidential="on", title="路灯", body="路灯坏了")
    assert page.status_code == 422
    assert "只能选一样" in said(page)


def test_too_often_keeps_what_was_typed(world: World, client: Client) -> None:
    for turn in range(20):
        assert send(client, submission=f"{turn:032d}").status_code == 302
    page = send(client, submission="z" * 32, words="第二十一件事")
    assert page.status_code == 429
    assert form_of(page, action="/say/")["words"] == "第二十一件事"
    assert Case.objects.count() == 20


def test_a_telephone_that_is_none(world: World, client: Client) -> None:
    page = send(client, phone="12")
    assert page.status_code == 422
    assert "请核对号码" in said(page)


def test_an_expired_page_shows_the_words_again(world: World) -> None:
    page = Client(enforce_csrf_checks=True).post("/say/", {"words": "写了很久的一段话", "go": "submit"})
    assert page.status_code == 403
    assert "写了很久的一段话" in said(page)


def test_the_pages_script_is_answered_in_json(world: World, client: Client) -> None:
    asked = {"headers": {"Accept": "application/json"}}
    refused = client.post("/say/", {"submission": "j" * 32, "words": "", "go": "submit"}, **asked)
    assert (refused.status_code, refused.json()["step"]) == (422, "words")
    taken = client.post("/say/", {"submission": "j" * 32, "words": "路灯坏了", "go": "submit"}, **asked)
    assert taken.json() == {"next": "/answer/"}
    assert "lianxin_case" in taken.cookies


def test_listening_names_topics_and_places(world: World, client: Client) -> None:
    world.categories["010101"].keywords = {"路灯": 1}
    world.categories["010101"].save()
    heard = client.post("/say/listen/", {"words": "桥头街道花园社区路灯坏了"}).json()
    assert heard["topics"] == [{"code": "010101", "name": "路灯"}]
    assert heard["places"][0]["code"] == "990101001001"


def test_a_name_of_several_places_is_asked_in_plain_words(world: World, client: Client) -> None:
    other, = world.namesakes()
    heard = client.post("/say/listen/", {"words": "花园社区路灯坏了"}).json()
    assert heard["question"] == "叫“花园社区”的有 2 处，您说的是哪一处？"
    assert [place["code"] for place in heard["places"]] == ["990101001001", other]
    page = client.post("/say/", {"submission": "p" * 32, "step": "words", "words": "花园社区路灯坏了", "go": "place"}).content.decode()
    assert "叫“花园社区”的有 2 处，您说的是哪一处？" in page
    assert f'name="picked" value="{other}"' in page
    taken = client.post("/say/", {"submission": "p" * 32, "words": "花园社区路灯坏了", "picked": other, "go": "submit"})
    assert taken.status_code == 302
    assert Case.objects.get().area.code == other
    world.namesakes("荣家湾镇", level="town")
    slip = client.post("/say/listen/", {"words": "荣加湾镇的路灯坏了"}).json()
    assert slip["question"] == "您写的是“荣加湾镇”，是“荣家湾镇”吗？"
    assert client.post("/say/listen/", {"words": "桥头街道的路灯坏了"}).json()["question"] == "是这里吗？"
    world.namesakes("金田村", 20)
    many = client.post("/say/listen/", {"words": "金田村路灯坏了"}).json()
    assert "叫“金田村”的有 20 处，这里只列了几处" in many["question"]
    assert len(many["places"]) == 12


def test_where_a_position_lies(world: World, client: Client) -> None:
    inside = client.post("/say/where/", {"lon": "113.1", "lat": "29.1"}).json()
    assert inside["inside"]
    assert "推算" in inside["text"]
    outside = client.post("/say/where/", {"lon": "116.4", "lat": "39.9"}).json()
    assert not outside["inside"]
    assert "不在本市" in outside["text"]
    assert client.post("/say/where/", {"lon": "a", "lat": "b"}, headers={"Accept": "application/json"}).status_code == 422


def test_no_session_is_made_and_no_address_holds_the_code(world: World, client: Client) -> None:
    answer = send(client)
    code = code_of(client)
    assert code not in answer["Location"]
    assert "lianxin_session" not in client.cookies
    assert all(code not in cookie.value for cookie in client.cookies.values())
