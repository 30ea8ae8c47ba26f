"""Reading: services, definitions, requests and their filters, as the specification has them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.ids import case_number
from lianxin.places.models import City
from lianxin.publishing.models import Record
from lianxin.publishing.references import reference_of
from lianxin.services.models import ServiceAttribute
from tests.open311.conftest import App, tree
from tests.open311.made import recorded
from tests.world import World

pytestmark = pytest.mark.django_db
REQUEST = ["service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
           "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat",
           "long", "media_url"]
DATATYPES = ("string", "number", "datetime", "text", "singlevaluelist", "multivaluelist")


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["service_request_id"] for row in rows]


def asked_of_lamps(world: World) -> None:
    for place, datatype in enumerate(DATATYPES):
        options = [["one", "一盏", "One lamp"], ["many", "一片", ""]] if datatype.endswith("list") else []
        ServiceAttribute.objects.create(category=world.categories["010101"], code=datatype, datatype=datatype, position=10 - place,
                                        question=f"问{place}", question_en=f"Question {place}", options=options)
    ServiceAttribute.objects.create(category=world.categories["010101"].parent, code="told", datatype="text", variable=False,
                                    question="有危险请先打 110。")


def test_discovery(anyone: App, settings: Any, monday: Frozen) -> None:
    settings.LIANXIN_OPEN311_CONTACT = "open311@city.gov"
    told = anyone.json("discovery.json")
    assert list(told) == ["changeset", "contact", "key_service", "endpoints"]
    assert list(told["endpoints"][0]) == ["specification", "url", "changeset", "type", "formats"]
    assert told["endpoints"][0]["url"] == "http://testserver/open311/v2"
    assert told["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    assert "open311@city.gov" in told["key_service"]
    assert City.objects.get().loaded_at.isoformat() <= told["changeset"]
    found = tree(anyone.get("discovery.xml"))
    assert [one.tag for one in found] == ["changeset", "contact", "key_service", "endpoints"]
    assert [one.text for one in found.find("endpoints/endpoint/formats")] == ["text/xml", "application/json"]
    for place in ("/open311/discovery.xml", "/open311/", "/open311/v2/", "/open311/v2"):
        assert tree(anyone.client.get(place)).tag == "discovery"
    assert json.loads(anyone.client.get("/open311/discovery", headers={"Accept": "application/json"}).content) == told


def test_services(anyone: App, world: World, monday: Frozen) -> None:
    asked_of_lamps(world)
    listed = anyone.json("services.json", jurisdiction_id="9901")
    assert [one["service_code"] for one in listed] == ["010101", "010102", "010103", "010104", "010105", "01", "0101", "other"]
    assert listed[0] == {"service_code": "010101", "service_name": "路灯", "description": "城乡建设 > 市政 > 路灯", "metadata": True,
                         "type": "realtime", "keywords": None, "group": "城乡建设"}
    assert [one["metadata"] for one in listed] == [True] * 5 + [False, True, False]  # what is told of all below it
    found = tree(anyone.get("services.xml"))
    assert [one.tag for one in found[0]] == list(listed[0])
    assert [one.findtext("service_code") for one in found] == [one["service_code"] for one in listed]
    assert (found[0].findtext("metadata"), found[0].find("keywords").text) == ("true", None)
    world.categories["010102"].active = False
    world.categories["010102"].save()
    from lianxin.cases import reference
    from lianxin.open311 import services

    reference.forget()
    services.forget()
    assert "010102" not in [one["service_code"] for one in anyone.json("services.json")]
    assert anyone.get("services/010102.json").status_code == 404


def test_definitions(anyone: App, world: World, monday: Frozen) -> None:
    asked_of_lamps(world)
    told = anyone.json("services/010101.json")
    assert list(told) == ["service_code", "attributes"]
    assert list(told["attributes"][0]) == ["variable", "code", "datatype", "required", "datatype_description", "order", "description",
                                           "values"]
    assert [one["code"] for one in told["attributes"]] == ["told", *reversed(DATATYPES)]
    assert [one["order"] for one in told["attributes"]] == [1, 2, 3, 4, 5, 6, 7]
    assert (told["attributes"][0]["variable"], told["attributes"][0]["values"]) == (False, [])
    assert told["attributes"][1]["values"] == [{"key": "one", "name": "一盏"}, {"key": "many", "name": "一片"}]
    found = tree(anyone.get("services/010101.xml"))
    assert (found.tag, [one.tag for one in found]) == ("service_definition", ["service_code", "attributes"])
    assert [one.text for one in found.findall("attributes/attribute[2]/values/value/key")] == ["one", "many"]
    english = json.loads(anyone.client.get("/open311/v2/services/010101.json", headers={"Accept-Language": "en"}).content)
    assert [one["description"] for one in english["attributes"]][1] == "Question 5"
    assert english["attributes"][1]["values"][0]["name"] == "One lamp"
    assert anyone.json("services/other.json") == {"service_code": "other", "attributes": []}


def test_a_request(anyone: App, world: World, monday: Frozen) -> None:
    number = recorded(world, stage="closed", closed=0.5, words="路灯<坏>了 & 很黑\x07", answer="修好了。", due_at=now())
    row = anyone.json(f"requests/{number}.json")
    assert isinstance(row, list), "one request is a list of one"
    assert list(row[0]) == REQUEST
    assert (row[0]["service_request_id"], row[0]["status"], row[0]["status_notes"]) == (number, "closed", "修好了。")
    assert row[0]["description"] == "路灯\n\n路灯<坏>了 & 很黑\x07"
    assert (row[0]["address"], row[0]["address_id"]) == ("花园社区, 桥头街道, 东区, 试验市", "990101001001")
    assert (row[0]["lat"], row[0]["long"]) == (29.1, 113.1)
    assert row[0]["requested_datetime"].endswith("+08:00")
    assert row[0]["updated_datetime"] == "2026-11-22T22:00:00+08:00"
    assert row[0]["media_url"] is None
    found = tree(anyone.get(f"requests/{number}.xml"))
    assert (found.tag, [one.tag for one in found], [one.tag for one in found[0]]) == ("service_requests", ["request"], REQUEST)
    assert found.findtext("request/description") == "路灯\n\n路灯<坏>了 & 很黑"
    assert found.find("request/zipcode").text is None
    assert anyone.json("requests.json", service_request_id=number) == row
    assert anyone.json(f"requests/{Record.objects.get().case_number}.json") == row, "its own number is public"


def test_requests_are_narrowed(anyone: App, world: World, monday: Frozen) -> None:
    old, lamp, noise, done, refused = (
        recorded(world, days=100), recorded(world, days=3), recorded(world, days=2, category="010102"),
        recorded(world, days=1, stage="closed", closed=0), recorded(world, days=0.5, stage="declined"))
    none = recorded(world, days=0.1, category=None)

    def found(**asked: Any) -> list[str]:
        rows = anyone.json("requests.json", **asked)
        other = tree(anyone.get("requests.xml", **asked))
        assert [one.findtext("service_request_id") for one in other] == ids(rows)
        return ids(rows)

    assert found() == [none, refused, done, noise, lamp], "the last 90 days, newest first"
    assert found(service_code="", status="", start_date="", page="", service_request_id="") == found(), "empty is as not sent"
    assert found(jurisdiction_id="9901") == found()
    assert found(service_code="010102") == [noise]
    assert found(service_code="010102,010101", status="open") == found(service_code=["010102", "010101"], status="Open") == [noise, lamp]
    assert found(service_code="other") == [none]
    assert found(service_code="nothing") == []
    assert found(status="closed") == [refused, done]
    assert found(status="open,closed") == found()
    assert found(service_request_id=f"{old},{noise}", status="closed", start_date="nonsense") == [old, noise], "overrides all else"
    assert found(service_request_id=[lamp, "R-00000-00000", lamp.lower().replace("-", "")]) == [lamp]
    start = (now() - timedelta(days=101)).isoformat()
    assert found(start_date=start) == [lamp, old][1:], "the 90 days from there"
    assert found(start_date=start.replace("+00:00", "Z"), end_date=now() - timedelta(days=20)) == [old]
    assert found(end_date=(now() - timedelta(days=1, hours=1)).isoformat()) == [noise, lamp]
    assert found(start_date="2026-11-22") == [none, refused, done]
    assert found(start_date="2026-11-20", end_date="2026-11-21") == [noise, lamp], "a last day is a whole day"
    assert found(start_date="2026-11-22T12:00:00 08:00") == [none, refused], "a plus that nobody escaped"
    assert found(updated_after=(now() - timedelta(hours=13)).isoformat()) == [done, none, refused]
    assert found(updated_after=start, updated_before=now() - timedelta(days=99)) == [old], "however old"
    pages = [found(page=page, page_size=2) for page in (1, 2, 3, 4)]
    assert pages == [[none, refused], [done, noise], [lamp], []]
    assert "page=2" in anyone.get("requests.json", page_size=2)["Link"]
    assert "Link" not in anyone.get("requests.json", page_size=6)


def test_no_more_than_a_thousand(anyone: App, world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    from lianxin.open311 import asked

    assert asked.CAP == 1000
    monkeypatch.setattr(asked, "CAP", 2)
    for days in (1, 2, 3):
        recorded(world, days=days)
    assert len(anyone.json("requests.json")) == len(anyone.json("requests.json", page_size=5000)) == 2
    assert anyone.get("requests.json", service_request_id="a,b,c").status_code == 400


def test_extensions_and_notes(anyone: App, world: World, monday: Frozen) -> None:
    number = recorded(world, stage="closed", closed=0, words="路灯", answer="修好了。")
    assert "notes" not in anyone.json("requests.json")[0]
    row = anyone.json("requests.json", extensions="true")[0]
    assert row["extended_attributes"] == {"stage": "closed", "precision": "village", "dated": "exact"}
    assert [(one["type"], one["description"]) for one in row["notes"]] == [("received", "已收到"), ("closed", "修好了。")]
    assert anyone.json(f"requests/{number}/notes.json") == row["notes"]
    found = tree(anyone.get(f"requests/{number}/notes.xml"))
    assert (found.tag, [part.tag for part in found[0]]) == ("notes", ["datetime", "description", "type"])


def test_the_list_is_one_question(anyone: App, world: World, monday: Frozen) -> None:
    for days in range(1, 6):
        recorded(world, days=days)
    anyone.json("requests.json")
    with CaptureQueriesContext(connection) as asked:
        anyone.json("requests.json", status="open")
    assert len(asked) == 1


def test_ids_that_nobody_was_given_cost_no_question_each(anyone: App, world: World, monday: Frozen) -> None:
    made = [reference_of(case_number(26, serial)) for serial in range(1, 61)]
    numbers = [case_number(25, serial) for serial in range(1, 61)]
    anyone.json("requests.json", service_request_id=made[0])
    with CaptureQueriesContext(connection) as asked:
        assert anyone.json("requests.json", service_request_id=",".join([*made, *numbers])) == []
    assert len(asked) <= 4


def test_what_anyone_may_read_may_be_kept(anyone: App, app: App, world: World, monday: Frozen) -> None:
    assert anyone.get("services.json")["Cache-Control"] == "public, max-age=60"
    assert app.get("requests.json")["Cache-Control"] == "no-store"
    assert "Accept-Language" in anyone.get("services.json")["Vary"]
    answer = anyone.client.get("/open311/v2/services.json", headers={"Accept-Language": "en"})
    assert answer["Content-Language"] == "en"
    assert json.loads(answer.content)[-1]["service_name"] != "其他事项"


def test_other_jurisdictions_by_setting(anyone: App, settings: Any) -> None:
    settings.LIANXIN_OPEN311_JURISDICTIONS = ["city.gov", "9901"]
    assert anyone.get("services.json", jurisdiction_id="city.gov").status_code == 200
    assert anyone.get("services.json", jurisdiction_id="9902").status_code == 404
