"""Posting: what a client sends becomes a case, whole; whoever holds the key follows it."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from lianxin.cases.models import Attachment, Case, Reporter
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.crypto import decrypt
from lianxin.organisations.models import Role
from lianxin.publishing.records import case_number_of
from lianxin.services.models import ServiceAttribute
from tests.cases.ways import take
from tests.open311.conftest import App, key_for, tree
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "桥头街道花园社区路灯不亮三天了，\n晚上很黑。"


def case_of(number: str) -> Case:
    return Case.objects.select_related("category", "area").get(number=case_number_of(number))


def test_a_case_is_made(app: App, world: World, monday: Frozen) -> None:
    answer = app.post(
        service_code="010101", lat="29.1", long="113.1", address_string="桥头街道路口", description=WORDS, first_name="小明",
        last_name="王", phone="138 1234 2201", email="ming@example.com", device_id="tt222111", account_id="123456",
        media_url="http://pictures.example/1.jpg", jurisdiction_id="9901")
    assert answer.status_code == 200, answer.content.decode()
    made = json.loads(answer.content)
    assert [list(one) for one in made] == [["service_request_id", "service_notice", "account_id"]]
    assert made[0]["account_id"] == "123456"
    assert "12345 热线已收到" in made[0]["service_notice"]
    case = case_of(made[0]["service_request_id"])
    assert (case.channel, case.state, case.category.code if case.category else "") == ("open311", "registered", "010101")
    assert case.words == f"{WORDS}\n图片链接：http://pictures.example/1.jpg"
    assert (case.lat, case.lon, case.place_text, case.area and case.area.code) == (29.1, 113.1, "桥头街道路口", "990101001001")
    person = Reporter.objects.get(pk=case.reporter_id)

    def opened(name: str) -> str:
        return decrypt(bytes(getattr(person, name)), context=f"reporter:{person.pk}:{name}")

    assert (opened("name"), opened("phone"), opened("email")) == ("王小明", "13812342201", "ming@example.com")
    assert differences(case.pk) == []
    # Neither the telephone nor the account that it was sent from is anywhere.
    with connection.cursor() as cursor:
        for table in ("cases_case", "cases_event", "cases_eventtext", "cases_reporter"):
            cursor.execute(f"SELECT count(*) FROM {table} AS one WHERE one::text LIKE '%%tt222111%%' OR one::text LIKE '%%123456%%'")
            assert cursor.fetchone() == (0,), table


def test_as_xml_and_with_the_key_elsewhere(app: App, world: World, monday: Frozen) -> None:
    found = tree(app.post("requests.xml", service_code="010101", address_string="花园社区门口"))
    assert (found.tag, [one.tag for one in found[0]]) == ("service_requests", ["service_request_id", "service_notice", "account_id"])
    case = case_of(str(found.findtext("request/service_request_id")))
    assert (case.words, case.lon, case.area and case.area.code) == ("路灯", None, "990101001001"), "the place is read from the words"
    for headers, path in (({"Authorization": f"Bearer {app.key}"}, "requests.json"), ({}, f"requests.json?api_key={app.key}")):
        assert App().post(path, headers, service_code="010101", lat=29.1, long=113.1).status_code == 200
    english = app.post(headers={"Accept-Language": "en"}, service_code="010101", lat=29.1, long=113.1, first_name="Ann", last_name="Lee")
    assert Case.objects.order_by("id").last().language == "en"  # type: ignore[union-attr]
    assert "12345" in json.loads(english.content)[0]["service_notice"]


def test_where_it_is(app: App, world: World, monday: Frozen) -> None:
    by_id = case_of(app.posted(lat="", long="", address_id="990101001"))
    assert (by_id.area and by_id.area.code, by_id.lon) == ("990101001", None)
    both = case_of(app.posted(address_id="990102"))
    assert (both.area and both.area.code) == "990101001001", "the position counts first"
    unknown = case_of(app.posted(lat="", long="", address_string="Nowhere in particular 5"))
    assert (unknown.area, unknown.place_text) == (None, "Nowhere in particular 5")


@pytest.mark.parametrize("code", ["other", "01", "0101"])
def test_who_is_not_sure_takes_a_wider_service(app: App, world: World, monday: Frozen, code: str) -> None:
    case = case_of(app.posted(service_code=code))
    assert (case.category, case.state) == (None, "registered")


def test_questions_are_answered_in_the_words(app: App, world: World, monday: Frozen) -> None:
    lamp = world.categories["010101"]
    rows = [("scope", "singlevaluelist", True), ("what", "multivaluelist", False), ("number", "number", False),
            ("since", "datetime", False), ("post", "string", False), ("how", "text", False)]
    for code, datatype, required in rows:
        options = [["one", "一盏", "One"], ["many", "一片", "Many"]] if datatype.endswith("list") else []
        ServiceAttribute.objects.create(category=lamp, code=code, datatype=datatype, required=required, question=f"问{code}？",
                                        options=options)
    ServiceAttribute.objects.create(category=lamp, code="told", datatype="text", variable=False, question="小心。")
    good: dict[str, Any] = {
        "attribute[scope]": "one", "attribute[what][]": ["many", "one", "many"], "attribute[number]": "3.5",
        "attribute[since]": "2026-11-20T18:00:00+08:00", "attribute[post]": "A-17", "attribute[how]": "一到晚上\n就不亮",
        "attribute[told]": ""}
    case = case_of(app.posted(**good))
    assert case.words == ("路灯不亮三天了。\n问scope？ 一盏\n问what？ 一片、一盏\n问number？ 3.5\n问since？ 2026-11-20T18:00:00+08:00\n"
                          "问post？ A-17\n问how？ 一到晚上\n就不亮")
    for change in ({"attribute[scope]": ""}, {"attribute[scope]": "none"}, {"attribute[scope]": ["one", "many"]},
                   {"attribute[what][]": ["one", "none"]}, {"attribute[number]": "many"}, {"attribute[since]": "lately"},
                   {"attribute[post]": "a\nb"}, {"attribute[post]": "字" * 201}, {"attribute[how]": "字" * 1001},
                   {"attribute[told]": "yes"}):
        answer = app.post(service_code="010101", lat=29.1, long=113.1, **good | change)
        assert answer.status_code == 400, change
        assert json.loads(answer.content)[0]["description"].startswith(next(iter(change)).replace("[]", ""))
    assert Case.objects.count() == 1


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG")
    out.seek(0)
    out.name = "lamp.jpg"
    return out


def test_pictures_come_along(app: App, world: World, monday: Frozen) -> None:
    fields = {"api_key": app.key, "service_code": "010101", "lat": "29.1", "long": "113.1", "description": WORDS}
    headers = {"Idempotency-Key": "one"}
    numbers = set()
    for _again in range(2):
        answer = app.client.post("/open311/v2/requests.json", {**fields, "media": picture(), "photo2": picture()}, headers=headers)
        assert answer.status_code == 200, answer.content.decode()
        numbers.add(json.loads(answer.content)[0]["service_request_id"])
    case = case_of(numbers.pop())
    assert (numbers, Case.objects.count()) == (set(), 1)
    kept = Attachment.objects.filter(case=case)
    assert [(one.kind, one.purpose, one.event_id) for one in kept] == [("photo", "report", case.events.get().pk)] * 2
    bad = io.BytesIO(b"\xff\xd8\xff\xe0 no picture at all")
    bad.name = "lamp.jpg"
    refused = app.client.post("/open311/v2/requests.json", {**fields, "media": bad})
    assert refused.status_code == 400
    assert Case.objects.count() == 1, "nothing is registered without its picture"


def test_sent_again(app: App, world: World, monday: Frozen) -> None:
    fields = {"service_code": "010101", "lat": 29.1, "long": 113.1, "description": WORDS}
    first = app.post(headers={"Idempotency-Key": "a"}, **fields)
    monday.move(minutes=5)
    again = app.post(headers={"Idempotency-Key": "a"}, **fields)
    assert json.loads(again.content)[0]["service_request_id"] == json.loads(first.content)[0]["service_request_id"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert app.post(headers={"Idempotency-Key": "a"}, **fields | {"description": "别的"}).status_code == 400
    assert app.post(headers={"Idempotency-Key": "\u00e9"}, **fields).status_code == 400
    assert Case.objects.count() == 1
    other = App(key_for(world, "other"))
    assert other.post(headers={"Idempotency-Key": "a"}, **fields).status_code == 200
    assert app.post(**fields).status_code == app.post(**fields).status_code == 200, "without a key, two residents may say the same"
    assert Case.objects.count() == 4


def test_who_posted_sees_all_and_others_what_is_public(app: App, anyone: App, world: World, monday: Frozen) -> None:
    number = app.posted(description=WORDS, phone="13812342201", first_name="小明")
    take(world, case_of(number).pk, "accept")
    take(world, case_of(number).pk, "dispatch")
    [row] = app.json(f"requests/{number}.json")
    assert (row["status"], row["service_code"], row["description"]) == ("open", "010102", WORDS), "as the hotline found"
    lead = case_of(number).lead_unit
    assert lead
    assert (row["agency_responsible"], row["lat"], row["long"]) == (lead.name, 29.1, 113.1)
    assert lead.name in row["status_notes"]
    assert datetime.fromisoformat(row["requested_datetime"]) == case_of(number).registered_at
    assert row["expected_datetime"]
    assert app.json("requests.json", service_request_id=number) == [row]
    assert app.json("requests.json") == [], "the list is the public's"
    [shown] = anyone.json(f"requests/{number}.json")
    assert (shown["service_request_id"], shown["service_code"], shown["description"]) == (number, "010102", None)
    assert (shown["agency_responsible"], shown["address"], shown["lat"]) == (None, "试验市", None)
    assert shown["requested_datetime"] == "2026-11-23T00:00:00+08:00", "the day, not the minute"
    assert App(key_for(world, "other")).json(f"requests/{number}.json") == [shown]
    # A member of staff's own token posts as well, and sees what it posted; never what another channel brought.
    staff = App(key_for(world, "clerk", "*", role=Role.OPERATOR))
    assert staff.json(f"requests/{staff.posted(description=WORDS)}.json")[0]["description"] == WORDS
    assert staff.json(f"requests/{number}.json") == [shown]


def test_what_is_told_in_confidence_is_its_posters_alone(app: App, anyone: App, world: World, monday: Frozen) -> None:
    number = app.posted(service_code="010102")
    Case.objects.update(confidential=True)
    assert anyone.get(f"requests/{number}.json").status_code == 404
    assert app.json(f"requests/{number}.json")[0]["status"] == "open"


def test_a_token_is_followed(app: App, anyone: App, world: World, settings: Any, monday: Frozen) -> None:
    settings.LIANXIN_OPEN311_BATCH = ["0101"]
    assert {one["type"] for one in anyone.json("services.json") if one["service_code"].startswith("0101")} == {"batch"}
    answer = app.post(service_code="010101", lat=29.1, long=113.1, description=WORDS)
    [made] = json.loads(answer.content)
    assert list(made) == ["token", "service_notice", "account_id"], "one or the other"
    assert anyone.json(f"tokens/{made['token']}.json") == [{"token": made["token"]}], "nobody has read it yet"
    case = Case.objects.get()
    take(world, case.pk, "accept")
    [told] = anyone.json(f"tokens/{made['token']}.json")
    assert case_of(told["service_request_id"]).pk == case.pk
    found = tree(anyone.get(f"tokens/{made['token']}.xml"))
    assert (found.tag, [one.tag for one in found[0]]) == ("service_requests", ["service_request_id", "token"])
    number = told["service_request_id"]
    assert anyone.json(f"tokens/{number}.json") == [{"service_request_id": number, "token": number}]
    turned = made["token"][:-2] + ("00" if made["token"][-2:] != "00" else "11")
    assert anyone.get(f"tokens/{turned}.json").status_code == 404


def test_what_it_costs(app: App, world: World, monday: Frozen) -> None:
    app.posted()
    with CaptureQueriesContext(connection) as asked:
        app.posted(phone="13812342201")
    assert len(asked) == 1, [one["sql"][:90] for one in asked]
