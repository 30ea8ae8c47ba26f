"""Our answers beside the published JSON Schemas and beside what real servers answered: the same shape."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from lxml import etree
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from lianxin.kernel.clock import Frozen, now
from lianxin.services.models import ServiceAttribute
from tests.open311.conftest import App, tree
from tests.open311.made import recorded
from tests.world import World

SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data") / "open311"
pytestmark = [pytest.mark.django_db, pytest.mark.skipif(not SHARED.is_dir(), reason="the published schemas are not here")]


def judge(name: str) -> Draft4Validator:
    documents = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (SHARED / "schemas").glob("*.json")}
    registry: Any = Registry().with_resources((one, Resource(contents=told, specification=DRAFT4)) for one, told in documents.items())
    return Draft4Validator(documents[name], registry=registry, format_checker=FormatChecker())


def captured(name: str) -> etree._Element:
    text = (SHARED / "captured" / name).read_text(encoding="utf-8")
    return etree.fromstring(text[text.index("<?xml") :].encode())


def shape(element: etree._Element) -> set[str]:
    """Every path of element names, whatever their order and number."""
    found = {element.tag}
    for inner in element:
        found |= {f"{element.tag}/{path}" for path in shape(inner)}
    return found


@pytest.fixture
def told(world: World, monday: Frozen) -> str:
    lamp = world.categories["010101"]
    ServiceAttribute.objects.create(category=lamp, code="scope", datatype="singlevaluelist", question="几盏？", hint="选一个",
                                    required=True, options=[["one", "一盏", ""], ["many", "一片", ""]])
    ServiceAttribute.objects.create(category=lamp, code="told", datatype="text", question="小心。", variable=False)
    recorded(world, days=2)
    return recorded(world, stage="closed", closed=0, words="路灯不亮。", answer="修好了。", due_at=now())


def test_the_published_schemas(anyone: App, told: str) -> None:
    for path, name in (("services.json", "services.json"), ("services/010101.json", "service-definition.json"),
                       ("services/other.json", "service-definition.json"), ("requests.json", "requests.json"),
                       (f"requests/{told}.json", "requests.json"), ("requests.json?extensions=true", "requests.json")):
        faults = [error.message for error in judge(name).iter_errors(anyone.json(path))]
        assert faults == [], path
    # They would find it.
    assert list(judge("requests.json").iter_errors([{"service_request_id": 1}]))


def test_what_the_specification_shows(anyone: App, app: App, told: str) -> None:
    one = anyone.get(f"requests/{told}.xml")
    for name in ("get_service_request.xml", "service-request.xml"):
        assert [part.tag for part in captured(name)[0]] == [part.tag for part in tree(one)[0]], name
    several = tree(anyone.get("requests.xml"))
    for name in ("service_requests.xml", "service-requests.xml"):
        assert shape(captured(name)) == shape(several)
    empty = tree(anyone.get("requests.xml", start_date="2001-01-01"))
    assert shape(captured("service_requests_empty.xml")) == shape(empty)
    posted = tree(app.post("requests.xml", service_code="010102", lat=29.1, long=113.1, description="吵"))
    assert shape(captured("post_service_request.xml")) == shape(posted)
    number = posted.findtext("request/service_request_id")
    for name in ("token.xml", "request_id_from_token.xml"):
        assert shape(captured(name)) == shape(tree(app.get(f"tokens/{number}.xml")))


def test_what_real_servers_answer(anyone: App, app: App, told: str, settings: Any) -> None:
    services = shape(tree(anyone.get("services.xml")))
    for name in ("dc-services.xml", "san_francisco_services.xml", "services.xml"):
        assert shape(captured(name)) == services, name
    assert shape(captured("dc-services-S0301.xml")) == shape(tree(anyone.get("services/010101.xml")))
    for name in ("boston-err-submitrequest-base_is_duplicate.xml", "get_service_request_not_found.xml"):
        assert shape(captured(name)) == shape(tree(anyone.get("requests/not-an-id.xml"))), name
    settings.LIANXIN_OPEN311_BATCH = ["*"]
    token = shape(tree(app.post("requests.xml", service_code="010102", lat=29.1, long=113.1)))
    assert shape(captured("boston-submitrequest-token.xml")) <= token
    assert shape(captured("discovery-dc.xml")) == shape(tree(anyone.get("discovery.xml")))
    boston = json.loads((SHARED / "captured" / "discovery-boston.json").read_text())
    ours = anyone.json("discovery.json")
    assert (set(boston), set(boston["endpoints"][0])) == (set(ours), set(ours["endpoints"][0]))
    for name, path in (("bloomington_requests.json", "requests.json"), ("bloomington_services.json", "services.json")):
        theirs = json.loads((SHARED / "captured" / name).read_text(encoding="utf-8"))
        mine = anyone.json(path)[0]
        assert set(theirs[0]) <= set(mine), name
        for field, value in theirs[0].items():
            assert value is None or mine[field] is None or isinstance(value, type(mine[field])), field
