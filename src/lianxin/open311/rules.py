"""The rules of GeoReport v2 and of the extensions in use, as questions to an endpoint (`checking`)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from .checking import Answer, Broken, Rule, Session, Untried, as_text, spark

RULES: list[Rule] = []
TYPES: Final = ("realtime", "batch", "blackbox")
DATATYPES: Final = ("string", "number", "datetime", "text", "singlevaluelist", "multivaluelist")
SERVICE: Final = ["service_code", "service_name", "description", "metadata", "type", "keywords", "group"]
REQUEST: Final = ["service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
                  "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
                  "lat", "long", "media_url"]


def rule(name: str, section: str, words: str) -> Callable[[Callable[[Session], None]], Callable[[Session], None]]:
    def keep(trial: Callable[[Session], None]) -> Callable[[Session], None]:
        RULES.append(Rule(name, section, words, trial))
        return trial

    return keep


def holds(condition: object, otherwise: str) -> None:
    if not condition:
        raise Broken(otherwise)


def time(said: Any, name: str) -> datetime:
    """A W3C date and time with its zone."""
    holds(isinstance(said, str) and "T" in said, f"{name}: {said!r}")
    try:
        found = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        raise Broken(f"{name}: {said!r}") from None
    holds(found.tzinfo is not None, f"{name}: {said!r} has no zone")
    return found


def fault(answer: Answer, status: int) -> None:
    """A fault of the specification's form, in either format."""
    holds(answer.status == status, f"status {answer.status}, not {status}")
    if "json" in answer.headers.get("content-type", ""):
        found = answer.json()
    else:
        root = answer.xml()
        holds(root.tag == "errors", f"root {root.tag}")
        found = spark(root)
    holds(isinstance(found, list) and found, "no list of errors")
    holds(all(set(one) == {"code", "description"} and one["description"] for one in found), "an error without code and description")


def some(found: list[Any], what: str) -> list[Any]:
    if not found:
        raise Untried(f"no {what} there")
    return found


def same(session: Session, path: str, root: str, **params: Any) -> None:
    """XML and JSON of one address say the same, in the same order."""
    one, other = session.get(f"{path}.json", **params), session.get(f"{path}.xml", **params)
    holds(one.status == other.status == 200, f"status {one.status} and {other.status}")
    tree = other.xml()
    holds(tree.tag == root, f"root {tree.tag}, not {root}")
    holds(spark(tree) == as_text(one.json()) or (not len(tree) and one.json() == []), "they differ")


# ---------------------------------------------------------------- discovery and formats

@rule("discovery.fields", "Service Discovery", "Both formats have changeset, contact, key_service and endpoints, each endpoint its "
      "specification, url, changeset, type and formats.")
def _discovery(session: Session) -> None:
    same(session, "discovery", "discovery")
    found = session.get("discovery.json").json()
    for name in ("changeset", "contact", "key_service"):
        holds(found[name], f"{name} is empty")
    for endpoint in some(found["endpoints"], "endpoint"):
        holds(all(endpoint[name] for name in ("specification", "url", "changeset", "type", "formats")), "an endpoint lacks a field")
        holds(endpoint["type"] in ("production", "test"), f"type {endpoint['type']}")
        holds("text/xml" in endpoint["formats"], "no text/xml")
        holds(time(endpoint["changeset"], "changeset") <= datetime.now(UTC) + timedelta(minutes=5), "changeset lies ahead")


@rule("format.headers", "Format Support", "`text/xml; charset=utf-8` and `application/json; charset=utf-8`; XML begins with its "
      "declaration.")
def _headers(session: Session) -> None:
    for path in ("services", "requests", "discovery"):
        for form, kind in (("xml", "text/xml; charset=utf-8"), ("json", "application/json; charset=utf-8")):
            answer = session.get(f"{path}.{form}")
            holds(answer.headers.get("content-type", "").lower() == kind, f"{path}.{form}: {answer.headers.get('content-type')}")
            holds(form == "json" or answer.body.lower().startswith(b'<?xml version="1.0" encoding="utf-8"?>'), "no XML declaration")


@rule("format.unknown", "Errors", "A format that there is not is refused with 400 or 404, in the form of errors.")
def _format(session: Session) -> None:
    answer = session.get("services.yaml")
    fault(answer, 404 if answer.status == 404 else 400)


@rule("jurisdiction.optional", "Definitions", "An empty jurisdiction_id is as one that was not sent; an unknown one is 404.")
def _jurisdiction(session: Session) -> None:
    for form in ("xml", "json"):
        for path in ("services", "requests", f"services/{session.services[0]['service_code']}"):
            holds(session.get(f"{path}.{form}", jurisdiction_id=session.jurisdiction).status == 200, f"{path} without one")
            fault(session.get(f"{path}.{form}", jurisdiction_id="no.such.city"), 404)


# ---------------------------------------------------------------- services

@rule("services.fields", "GET Service List", "Every service has a code and a name as text, metadata true or false, a known type.")
def _services(session: Session) -> None:
    for one in some(session.services, "service"):
        holds(list(one) == SERVICE, f"fields {list(one)}")
        holds(isinstance(one["service_code"], str) and one["service_code"] and one["service_name"], f"{one}")
        holds(isinstance(one["metadata"], bool) and one["type"] in TYPES, f"{one['service_code']}: metadata or type")
    codes = [one["service_code"] for one in session.services]
    holds(len(codes) == len(set(codes)), "a code stands twice")


@rule("services.formats", "GET Service List", "XML and JSON say the same.")
def _services_same(session: Session) -> None:
    same(session, "services", "services")


@rule("definition.fields", "GET Service Definition", "Every attribute has variable, code, datatype, required and an order of its own; "
      "lists have values with key and name.")
def _definitions(session: Session) -> None:
    for service in some([one for one in session.services if one["metadata"]], "service with metadata")[:30]:
        told = session.get(f"services/{service['service_code']}.json").json()
        holds(told["service_code"] == service["service_code"] and told["attributes"], f"{service['service_code']}: no attributes")
        for one in told["attributes"]:
            holds(isinstance(one["variable"], bool) and isinstance(one["required"], bool), f"{one}")
            holds(one["datatype"] in DATATYPES and isinstance(one["code"], str), f"{one}")
            listed = one["datatype"].endswith("list") and one["variable"]
            holds(bool(one["values"]) == listed, f"values of {one['code']}")
            holds(all(set(value) == {"key", "name"} for value in one["values"]), f"values of {one['code']}")
        orders = [one["order"] for one in told["attributes"]]
        holds(all(isinstance(one, int) and one > 0 for one in orders) and len(orders) == len(set(orders)), f"orders {orders}")


@rule("definition.formats", "GET Service Definition", "XML and JSON say the same.")
def _definition_same(session: Session) -> None:
    for service in some([one for one in session.services if one["metadata"]], "service with metadata")[:3]:
        same(session, f"services/{service['service_code']}", "service_definition")


@rule("definition.unknown", "GET Service Definition", "A service_code that there is not is 404.")
def _definition_unknown(session: Session) -> None:
    fault(session.get("services/no-such-service.xml"), 404)
    fault(session.get("services/no-such-service.json"), 404)


# ---------------------------------------------------------------- requests

@rule("requests.fields", "GET Service Requests", "Ids and codes are text, status open or closed, times have a zone, lat and long are "
      "numbers.")
def _requests(session: Session) -> None:
    codes = {one["service_code"] for one in session.services}
    for one in some(session.requests, "request"):
        holds(list(one)[: len(REQUEST)] == REQUEST, f"fields {list(one)}")
        holds(isinstance(one["service_request_id"], str) and isinstance(one["service_code"], str), f"{one['service_request_id']}")
        holds(one["status"] in ("open", "closed"), f"status {one['status']}")
        holds(one["service_code"] in codes, f"service_code {one['service_code']} is no service")
        for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
            if one[name] is not None or name == "requested_datetime":
                time(one[name], name)
        holds(all(one[name] is None or isinstance(one[name], int | float) for name in ("lat", "long")), "lat or long is no number")
        holds(len(one["description"] or "") <= 4000, "a description of more than 4,000 characters")


@rule("requests.formats", "GET Service Requests", "XML and JSON say the same, with the elements in the order of the specification.")
def _requests_same(session: Session) -> None:
    same(session, "requests", "service_requests", page_size=50)


@rule("requests.volume", "GET Service Requests", "Without dates: the most recent 90 days, 1,000 requests at most.")
def _volume(session: Session) -> None:
    holds(len(session.requests) <= 1000, f"{len(session.requests)} requests")
    oldest = datetime.now(UTC) - timedelta(days=91)
    holds(all(time(one["requested_datetime"], "requested_datetime") >= oldest for one in session.requests), "older than 90 days")


@rule("requests.ids", "GET Service Requests", "service_request_id takes several with commas, and overrides every other argument.")
def _ids(session: Session) -> None:
    wanted = [one["service_request_id"] for one in some(session.requests, "request")[:3]]
    found = session.listed("requests.json", service_request_id=",".join(wanted), service_code="no-such-service",
                           start_date="2001-01-01T00:00:00Z")
    holds(sorted(one["service_request_id"] for one in found) == sorted(wanted), "not the same requests")


@rule("requests.status", "GET Service Requests", "status narrows to open or closed, or both with a comma.")
def _status(session: Session) -> None:
    for status in ("open", "closed"):
        holds(all(one["status"] == status for one in session.listed("requests.json", status=status)), f"not all are {status}")
    holds(len(session.listed("requests.json", status="open,closed")) == len(session.requests), "both is not all")


@rule("requests.service_code", "GET Service Requests", "service_code narrows, several with commas.")
def _codes(session: Session) -> None:
    codes = sorted({one["service_code"] for one in some(session.requests, "request")})[:2]
    found = session.listed("requests.json", service_code=",".join(codes))
    holds(found and {one["service_code"] for one in found} == set(codes), "not just these services")


@rule("requests.dates", "GET Service Requests", "start_date and end_date narrow by requested_datetime, both inclusive.")
def _dates(session: Session) -> None:
    times = sorted(time(one["requested_datetime"], "requested_datetime") for one in some(session.requests, "request"))
    start, end = times[len(times) // 4], times[-1 - len(times) // 4]
    found = session.listed("requests.json", start_date=start.isoformat(), end_date=end.isoformat())
    holds(found and all(start <= time(one["requested_datetime"], "") <= end for one in found), "outside of the dates")
    holds(len(found) >= min(1000, sum(start <= one <= end for one in times)), "some within the dates are missing")


@rule("requests.span", "GET Service Requests", "A span of more than 90 days, and a date that is none, are 400.")
def _span(session: Session) -> None:
    fault(session.get("requests.json", start_date="2026-01-01T00:00:00Z", end_date="2026-04-02T00:00:00Z"), 400)
    holds(session.get("requests.json", start_date="2026-01-01T00:00:00Z", end_date="2026-04-01T00:00:00Z").status == 200, "90 days refused")
    fault(session.get("requests.xml", start_date="yesterday"), 400)


@rule("requests.empty", "Optional Arguments", "An argument that is empty is as one that was not sent; no request is an empty list.")
def _empty(session: Session) -> None:
    sent = dict.fromkeys(("service_request_id", "service_code", "start_date", "end_date", "status"), "")
    holds(len(session.listed("requests.json", **sent)) == len(session.requests), "not the same list")
    nothing = {"start_date": "2001-01-01T00:00:00Z", "end_date": "2001-01-02T00:00:00Z"}
    holds(session.listed("requests.json", **nothing) == [], "not empty")
    root = session.get("requests.xml", **nothing).xml()
    holds(root.tag == "service_requests" and not len(root), "no empty element")


@rule("request.one", "GET Service Request", "One request is still a list of one, the same as in the list.")
def _one(session: Session) -> None:
    first = some(session.requests, "request")[0]
    holds(session.listed(f"requests/{first['service_request_id']}.json") == [first], "not the same")
    same(session, f"requests/{first['service_request_id']}", "service_requests")


@rule("request.unknown", "GET Service Request", "An id or token that there is not is 404.")
def _unknown(session: Session) -> None:
    for path in ("requests/no-such-id", "tokens/no-such-token"):
        fault(session.get(f"{path}.xml"), 404)
        fault(session.get(f"{path}.json"), 404)


# ---------------------------------------------------------------- posting

def _code(session: Session) -> str:
    """A service that asks nothing that must be answered."""
    return str(next((one["service_code"] for one in session.services if not one["metadata"] and one["type"] != "blackbox"),
                    session.services[0]["service_code"]))


def _fields(session: Session, **more: Any) -> dict[str, Any]:
    if not session.key:
        raise Untried("no api_key")
    return {"api_key": session.key, "service_code": _code(session), **session.place,
            "description": "Open311 conformance check, please ignore"} | more


@rule("post.key", "Errors", "Without an api_key, and with a wrong one: 403.")
def _key(session: Session) -> None:
    fields = {"service_code": _code(session), "address_string": "somewhere"}
    for form in ("xml", "json"):
        fault(session.form(f"requests.{form}", fields), 403)
        fault(session.form(f"requests.{form}", fields | {"api_key": "wrong"}), 403)


@rule("post.service", "POST Service Request", "Without a service_code 400, with an unknown one 404.")
def _service(session: Session) -> None:
    fault(session.form("requests.json", _fields(session, service_code="")), 400)
    fault(session.form("requests.json", _fields(session, service_code="no-such-service")), 404)


@rule("post.location", "POST Service Request", "One of lat and long, address_string or address_id is needed; lat alone is not enough.")
def _location(session: Session) -> None:
    nowhere = {"address_string": "", "address_id": "", "lat": "", "long": ""}
    fault(session.form("requests.json", _fields(session, **nowhere)), 400)
    fault(session.form("requests.json", _fields(session, **nowhere | {"lat": "29.1"})), 400)
    fault(session.form("requests.json", _fields(session, **nowhere | {"lat": "north", "long": "113"})), 400)


@rule("post.description", "POST Service Request", "A description of more than 4,000 characters is refused.")
def _description(session: Session) -> None:
    fault(session.form("requests.json", _fields(session, description="x" * 4001)), 400)


@rule("post.required", "POST Service Request", "A required attribute that is missing is 400.")
def _required(session: Session) -> None:
    for service in (one for one in session.services if one["metadata"]):
        told = session.get(f"services/{service['service_code']}.json").json()
        if any(one["required"] for one in told["attributes"]):
            fault(session.form("requests.json", _fields(session, service_code=service["service_code"])), 400)
            return
    raise Untried("no service with a required attribute")


def _posted(session: Session) -> dict[str, Any]:
    """A request that was posted for this examination, once."""
    if not session.post:
        raise Untried("nothing is posted without --post")

    def make() -> dict[str, Any]:
        answer = session.form("requests.json", _fields(session))
        holds(answer.status in (200, 201), f"status {answer.status}: {answer.body[:200]!r}")
        found = answer.json()
        holds(isinstance(found, list) and len(found) == 1, "no list of one")
        return dict(found[0])

    return dict(session.once("posted", make))


def _number(session: Session) -> str:
    made = _posted(session)
    if "token" in made:
        told = session.listed(f"tokens/{made['token']}.json")[0]
        if not told.get("service_request_id"):
            raise Untried("the token leads nowhere yet")
        return str(told["service_request_id"])
    return str(made["service_request_id"])


@rule("post.answer", "POST Service Request", "A list of one with service_request_id or token, never both, as the service's type says.")
def _answer(session: Session) -> None:
    made = _posted(session)
    holds(("token" in made) != ("service_request_id" in made), f"fields {list(made)}")
    holds(all(isinstance(made[name], str) for name in ("token", "service_request_id") if name in made), "the id is no text")
    kind = next(one["type"] for one in session.services if one["service_code"] == _code(session))
    holds(("token" in made) == (kind == "batch"), f"type {kind}")
    root = session.form("requests.xml", _fields(session)).xml()
    holds(root.tag == "service_requests" and [one.tag for one in root] == ["request"], "another XML")


@rule("post.token", "GET service_request_id from a token", "A token leads to an id; an id that was given at once is its own token.")
def _token(session: Session) -> None:
    made = _posted(session)
    token = made.get("token") or made["service_request_id"]
    [told] = session.listed(f"tokens/{token}.json", api_key=session.key)
    holds(told["token"] == token, "another token")
    same(session, f"tokens/{token}", "service_requests", api_key=session.key)


@rule("post.read", "GET Service Request", "What was posted can be read: at once with the key, and it is open.")
def _read(session: Session) -> None:
    number = _number(session)
    [row] = session.listed(f"requests/{number}.json", api_key=session.key)
    holds((row["service_request_id"], row["status"], row["service_code"]) == (number, "open", _code(session)), f"{row}")
    holds("please ignore" in (row["description"] or ""), "not its words")


@rule("post.multipart", "Extensions: Media Handling", "The same form as multipart/form-data, with a file.")
def _multipart(session: Session) -> None:
    _posted(session)
    answer = session.form("requests.json", _fields(session), files={"media": ("check.png", _PNG, "image/png")})
    holds(answer.status in (200, 201), f"status {answer.status}: {answer.body[:200]!r}")


# One pixel.
_PNG: Final = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@rule("post.again", "Idempotency-Key", "The same request sent again with its Idempotency-Key makes no second one.")
def _again(session: Session) -> None:
    _posted(session)
    headers, fields = {"Idempotency-Key": f"check-{uuid4()}"}, _fields(session)
    one, other = (session.form("requests.json", fields, headers=headers).json()[0] for _each in range(2))
    name = "service_request_id" if "service_request_id" in one else "service_notice"
    holds(one[name] == other[name], "two requests")


# ---------------------------------------------------------------- extensions

@rule("paging", "Extensions: Pagination", "page and page_size part the list; pages do not overlap.")
def _paging(session: Session) -> None:
    if len(session.requests) < 4:
        raise Untried("fewer than four requests")
    pages = [session.listed("requests.json", page=page, page_size=2) for page in (1, 2)]
    holds(pages[0] + pages[1] == session.listed("requests.json", page_size=4), "the pages are not the list")
    fault(session.get("requests.json", page="0"), 400)


@rule("updated", "Extensions: updated_after, updated_before", "Narrow by the time of the last change.")
def _updated(session: Session) -> None:
    some(session.requests, "request")
    after = (datetime.now(UTC) - timedelta(days=3650)).isoformat()
    before = (datetime.now(UTC) - timedelta(days=3640)).isoformat()
    holds(session.listed("requests.json", updated_after=after, updated_before=before) == [], "something changed ten years ago")
    holds(session.listed("requests.json", updated_after=(datetime.now(UTC) - timedelta(days=89)).isoformat()), "nothing changed")


@rule("notes", "Extensions: Update History", "With extensions=true each request has notes with datetime, description and type.")
def _notes(session: Session) -> None:
    for one in some(session.listed("requests.json", extensions="true", page_size=20), "request"):
        for note in one["notes"]:
            holds({"datetime", "description", "type"} <= set(note), f"{note}")
            time(note["datetime"], "datetime")


@rule("updates", "Service request updates (FixMyStreet)", "What became of the requests posted with a key; more from whoever posted them.")
def _updates(session: Session) -> None:
    fault(session.get("servicerequestupdates.json"), 403)
    number = _number(session)
    fields = {"api_key": session.key, "service_request_id": number, "description": "One more thing", "update_id": f"check-{uuid4()}"}
    made = [session.form("servicerequestupdates.json", fields) for _each in range(2)]
    holds(made[0].status in (200, 201) and made[0].body == made[1].body, f"status {made[0].status}")
    found = session.listed("servicerequestupdates.json", api_key=session.key, service_request_id=number)
    holds({one["service_request_id"] for one in found} == {number}, "another's update")
    holds("One more thing" in found[-1]["description"], "the update is not there")
