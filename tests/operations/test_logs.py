"""Every request has a number, one line in the log – and in no line stands who it was about."""

from __future__ import annotations

import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.db import DataError
from django.test import Client

from lianxin.cases.actions.identity import read_identity
from lianxin.cases.messages import announce_event
from lianxin.cases.models import Case, Event
from lianxin.kernel import request_ids
from lianxin.operations import jobs, logs
from tests.api.conftest import Machine, token
from tests.desk.conftest import SignIn, as_
from tests.world import World

__all__ = ["as_"]
pytestmark = pytest.mark.django_db
NUMBER = "0193b1c2d3e47f60a1b2c3d4e5f60718"
PERSONAL = {"name": "欧阳试验人", "phone": "13987654321", "address": "花园社区夹竹桃巷7号", "email": "ouyang@example.org",
            "words": "我家楼下卖凉粉的摊子天天吵到凌晨，我叫欧阳试验人。"}


class Log:
    """Everything that was logged, as the installation would write it."""

    def __init__(self, form: str) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.addFilter(logs.Numbered())
        self.handler.setFormatter(logs.Json() if form == "json" else logs.Text())

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self, logger: str = "") -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.text.splitlines()]
        return [one for one in found if not logger or one["logger"] == logger]


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    held = Log(getattr(request, "param", "json"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(held.handler)
    root.setLevel(logging.DEBUG)
    yield held
    root.removeHandler(held.handler)
    root.setLevel(before)


@pytest.mark.parametrize(("said", "taken"), [
    (NUMBER, NUMBER), (str(uuid.UUID(NUMBER)), str(uuid.UUID(NUMBER))), (NUMBER.upper(), NUMBER), (f" {NUMBER} ", NUMBER),
    ("", ""), ("13987654321", ""), ("430602199001011234", ""), ("欧阳试验人", ""), ("a" * 31, ""), ("a" * 33, ""), (NUMBER + "\nx", ""),
    ("ouyang-13987654321-aaaaaaaaaaaaaa", ""), (NUMBER[:-1] + "g", "")])
def test_a_number_from_outside_is_a_uuid_or_nothing(said: str, taken: str) -> None:
    assert request_ids.taken(said) == taken


def test_a_number_goes_in_through_and_out(client: Client, log: Log) -> None:
    answer = client.get("/", headers={"X-Request-ID": NUMBER})
    assert answer.headers["X-Request-ID"] == NUMBER
    assert [(one["request"], one["method"], one["status"]) for one in log.lines("lianxin.requests")] == [(NUMBER, "GET", 200)]
    made = [client.get("/", headers={"X-Request-ID": "13987654321"}).headers["X-Request-ID"] for _twice in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
    assert made[0] != made[1]
    assert request_ids.current() == "" == log.text.count("13987654321") * "x"


def test_what_is_called_outside_carries_the_number() -> None:
    assert request_ids.carried() == {}
    with request_ids.under(NUMBER):
        assert request_ids.carried() == {"X-Request-ID": NUMBER}


def test_probes_are_told_only_when_they_fail(client: Client, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")} == {200}
    assert log.lines("lianxin.requests") == []
    monkeypatch.setattr("lianxin.operations.standing.unready", lambda: "no")
    assert client.get("/readyz").status_code == 503
    assert [one["route"] for one in log.lines("lianxin.requests")] == ["readyz"]


def test_lines_can_be_left_out(client: Client, log: Log, settings: Any) -> None:
    settings.LIANXIN_LOG_REQUESTS = False
    client.get("/")
    assert log.lines("lianxin.requests") == []


def _walk(world: World, as_: SignIn) -> uuid.UUID:
    """A case with everything personal in it, through the API, the desk, the portal, a job and faults of every kind."""
    operator = Machine(token(world, "operator"))
    said = {name: PERSONAL[name] for name in ("words", "name", "phone", "address", "email")}
    made = operator.post("/cases", said).json()
    operator.post("/cases", {**said, "lon": PERSONAL["phone"]})  # refused: 422
    operator.post(f"/cases?q={PERSONAL['phone']}", {"words": ""})
    operator.get(f"/cases/{PERSONAL['name']}")  # no such address
    case_id = uuid.UUID(made["id"])
    desk = as_("operator")
    for path in (f"/desk/cases/{case_id}/", "/desk/board/registered/?q=" + PERSONAL["phone"], "/desk/?q=" + PERSONAL["name"],
                 f"/desk/{PERSONAL['name']}/", f"/public/{PERSONAL['name']}/", "/desk/cases/" + PERSONAL["phone"] + "/"):
        desk.get(path)
    desk.post(f"/desk/cases/{case_id}/do/accept/", {"explanation": PERSONAL["words"], "category": PERSONAL["name"]})
    desk.post(f"/desk/cases/{case_id}/identity/", {"why": PERSONAL["words"]})
    resident = Client(enforce_csrf_checks=True)
    resident.post("/track/", {"code": made["tracking_code"]})  # refused: no token
    Client().post("/track/", {"code": made["tracking_code"]})
    Client().get("/", headers={"Host": PERSONAL["email"]})  # Django's own fault: suspicious
    read_identity(world.on(case_id, "operator"), why="核对门牌")
    announce_event(str(Event.objects.filter(case=case_id).earliest("id").pk))
    return case_id


@pytest.mark.parametrize("log", ["json", "text"], indirect=True)
def test_nothing_personal_is_logged(world: World, as_: SignIn, log: Log, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        try:
            raise ValueError(f"no place for {PERSONAL['words']}")
        except ValueError as error:
            raise DataError(f"invalid input: {PERSONAL['phone']}") from error

    case_id = _walk(world, as_)
    monkeypatch.setattr("lianxin.api.gate.get_resolver", broken)
    Machine(token(world, "operator")).get("/cases")
    logging.getLogger("lianxin.trial").error("a fault of ours", exc_info=_raised(broken))
    case = Case.objects.get(pk=case_id)
    found = {what: said for what, said in {**PERSONAL, "number": case.number, "beginning": "卖凉粉", "short": "夹竹桃"}.items()
             if any(form in log.text for form in (said, said.encode("unicode_escape").decode(), quote(said)))}
    assert found == {}
    assert log.text.count("lianxin.requests") > 10
    assert "DataError" in log.text
    assert "ValueError" in log.text
    assert "test_logs.py" in log.text, "where it happened is told"


def _raised(broken: Any) -> Any:
    try:
        broken()
    except DataError as error:
        return (type(error), error, error.__traceback__)


def test_a_line_names_the_pattern_and_the_events(world: World, log: Log) -> None:
    made = Machine(token(world, "operator")).post("/cases", {"words": "路灯不亮"}).json()
    Machine(token(world, "operator")).get(f"/cases/{made['id']}")
    first, second = log.lines("lianxin.requests")
    event = Event.objects.get(case=made["id"])
    assert (first["method"], first["route"], first["status"], first["events"]) == ("POST", "api/v1/cases", 201, [str(event.pk)])
    assert second["route"].startswith("api/v1/cases/<")
    assert first["ms"] > 0


class _Job:
    id, task_name, queue, attempts = 7, "cases.announce", "messages", 0
    task_kwargs = {"event_id": "e-1", "words": PERSONAL["words"]}


class _Context:
    job = _Job()


def test_a_job_has_its_number_and_the_event_that_leads_to_it(log: Log) -> None:
    seen = jobs.numbered(request_ids.current, _Context(), None)
    assert seen == "job-7"
    [line] = log.lines("lianxin.jobs")
    assert (line["task"], line["event_id"], line["request"], line["attempt"]) == ("cases.announce", "e-1", "job-7", 1)

    def fails() -> None:
        raise RuntimeError(PERSONAL["phone"])

    with pytest.raises(RuntimeError):
        jobs.numbered(fails, _Context(), None)
    assert log.lines("lianxin.jobs")[-1]["error"] == "RuntimeError"
    assert PERSONAL["phone"] not in log.text
    assert "凉粉" not in log.text
    assert configured.PROCRASTINATE_WORKER_DEFAULTS["task_middleware"] == [jobs.numbered]


def test_a_page_that_says_that_we_failed_gives_the_number(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def away(*_args: Any, **_more: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("lianxin.api.metrics.generate_latest", away)
    answer = client.get("/metrics", headers={"X-Request-ID": NUMBER})
    assert answer.status_code == 503
    assert NUMBER in answer.content.decode()
