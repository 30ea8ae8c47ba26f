"""What goes wrong, and how it is said: a list of code and description, in the format that was asked for, with the right status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from lianxin.cases.models import Case
from lianxin.kernel.clock import Frozen
from lianxin.open311 import queries
from lianxin.organisations.models import ApiToken, Role
from tests.open311.conftest import App, key_for, tree
from tests.world import World

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {"service_code": "010101", "lat": "29.1", "long": "113.1", "description": "路灯不亮"}


def said(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.content)
    assert all(set(one) == {"code", "description"} and one["description"] for one in found), found
    assert {one["code"] for one in found} == {answer.status_code}
    return found


@pytest.mark.parametrize(("path", "status"), [
    ("requests/R-00000-00000.json", 404), ("requests/none.json", 404), ("requests/26-0000001-9.json", 404),
    ("services/none.json", 404), ("services/%00.json", 404), ("tokens/none.json", 404), (f"tokens/{'ab' * 40}.json", 404),
    ("requests/R-00000-00000/notes.json", 404), ("nowhere.json", 404), ("requests.json/", 404), ("openapi.xml", 404),
    ("requests.json?jurisdiction_id=other.gov", 404), ("services.json?jurisdiction_id=other.gov", 404),
    ("services.yaml", 400), ("requests.html", 400), ("services/010101.pdf", 400),
    ("requests.json?status=solved", 400), ("requests.json?start_date=yesterday", 400), ("requests.json?end_date=2026-13-01", 400),
    ("requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-04-02T00:00:00Z", 400),
    ("requests.json?start_date=2026-02-01&end_date=2026-01-01", 400), ("requests.json?page=0", 400), ("requests.json?page=x", 400),
    ("requests.json?page_size=-1", 400), ("requests.json?page=%C2%B2", 400), ("requests.json?api_key=wrong", 403),
    ("requests/R-00000-00000.json?api_key=wrong", 403), ("servicerequestupdates.json", 403),
])
def test_reading(anyone: App, monday: Frozen, path: str, status: int) -> None:
    answer = anyone.get(path)
    assert answer.status_code == status, answer.content
    if answer["Content-Type"].startswith("application/json"):
        said(answer)
    else:  # the format of the address is none: XML, which every client reads
        assert path.partition("?")[0].rpartition(".")[2] in ("yaml", "html", "pdf", "xml") or path.endswith("/")
        assert [one.tag for one in tree(answer)] == ["error"]
    assert answer["Cache-Control"] == "no-store"


def test_as_xml(anyone: App) -> None:
    found = tree(anyone.get("requests/not-an-id.xml"))
    assert (found.tag, [[part.tag for part in one] for one in found]) == ("errors", [["code", "description"]])
    assert found.findtext("error/code") == "404"
    assert "not-an-id" in str(found.findtext("error/description"))


@pytest.mark.parametrize(("change", "field"), [
    ({"lat": "", "long": ""}, "address_string"), ({"long": ""}, "long"), ({"lat": ""}, "lat"), ({"lat": "north"}, "lat"),
    ({"lat": "nan"}, "lat"), ({"lat": "91"}, "lat"), ({"long": "181"}, "long"), ({"lat": "0", "long": "0"}, "long"),
    ({"description": "字" * 4001}, "description"), ({"email": "nobody"}, "email"), ({"phone": "12"}, "phone"),
    ({"address_id": "nowhere"}, "address_id"), ({"address_string": "字" * 301}, "address_string"),
    ({"media_url": "ftp://city.gov/one.jpg"}, "media_url"), ({"media_url": "javascript:alert(1)"}, "media_url"),
    ({"media_url": "http://"}, "media_url"), ({"media_url": "http://["}, "media_url"),
    ({"attribute[nobody]": "1"}, "attribute[nobody]"), ({"attribute[": "1"}, "attribute["),
    ({"first_name": "字" * 61}, "first_name"),
])
def test_posting_names_the_field(app: App, monday: Frozen, change: dict[str, str], field: str) -> None:
    answer = app.post(**GOOD | change)
    assert answer.status_code == 400, answer.content.decode()
    assert [one["description"].partition(": ")[0] for one in said(answer)] == [field]
    assert not Case.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(app: App, monday: Frozen) -> None:
    answer = app.post("requests.xml", service_code="010101", description="字" * 4001, media_url="x")
    assert answer.status_code == 400
    assert len(tree(answer)) == 3


def test_services_and_keys(app: App, anyone: App, world: World, monday: Frozen) -> None:
    assert said(app.post(**GOOD | {"service_code": ""}))[0]["code"] == 400
    assert said(app.post(**GOOD | {"service_code": "999999"}))[0]["code"] == 404
    assert said(app.post(**GOOD | {"jurisdiction_id": "other.gov"}))[0]["code"] == 404
    missing, wrong = anyone.post(**GOOD), anyone.post(**GOOD, api_key="wrong")
    assert (missing.status_code, said(missing)) == (403, said(wrong))
    readers = App(key_for(world, "reader", "read"))
    assert readers.post(**GOOD).status_code == 403  # a token of the other interface
    assert App(key_for(world, "review", role=Role.REVIEWER)).post(**GOOD).status_code == 403  # who may register nothing
    ApiToken.objects.update(revoked_at=monday.move(seconds=1))
    from lianxin.faces import machines

    machines.forget()
    assert app.post(**GOOD).status_code == 403
    assert not Case.objects.exists()


def test_what_is_no_form(app: App) -> None:
    url = f"/open311/v2/requests.json?api_key={app.key}"
    for body, kind in ((b'{"service_code": "010101"}', "application/json"), (b"x", "text/plain"), (b"\xff\xfe", "multipart/form-data"),
                       (b"--x", "multipart/form-data; boundary=x"), (b"a=b", "application/x-www-form-urlencoded; charset=gb2312")):
        answer = app.client.generic("POST", url, body, content_type=kind)
        assert answer.status_code == 400, (kind, answer.content)
        said(answer)
    assert app.client.generic("POST", url, b"a" * 5_000_000, content_type="application/x-www-form-urlencoded").status_code == 413


def test_methods(anyone: App) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        answer = anyone.client.generic(method, "/open311/v2/requests.json")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
        said(answer)
    assert anyone.client.post("/open311/v2/services.json").status_code == 405
    preflight = anyone.client.options("/open311/v2/requests.json")
    assert (preflight.status_code, preflight["Access-Control-Allow-Origin"]) == (204, "*")
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    head, whole = anyone.client.head("/open311/v2/services.json"), anyone.client.get("/open311/v2/services.json")
    assert (head.content, head["Content-Length"]) == (b"", str(len(whole.content)))
    assert not {"set-cookie", "content-security-policy"} & {name.lower() for name in whole.headers}


def test_our_own_faults(anyone: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(queries, "listed", broken)
    answer = anyone.get("requests.json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "15")
    monkeypatch.setattr(queries, "listed", lambda *_args, **_more: 1 / 0)
    answer = anyone.get("requests.xml")
    assert answer.status_code == 500
    assert b"ZeroDivision" not in answer.content
    assert "unexpected fault" in caplog.text


def test_a_host_that_is_not_ours() -> None:
    answer = Client(raise_request_exception=False).get("/open311/v2/services.json", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    said(answer)
