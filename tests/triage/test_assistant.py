"""The optional helper: off unless named, words masked before they leave, a draft that only a person sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from lianxin.cases.models import Event, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict
from lianxin.triage import assistant
from tests.cases.ways import at_state
from tests.desk.conftest import SignIn, as_
from tests.world import World

__all__ = ["as_"]


class Endpoint:
    """Stands for the city's endpoint, over real HTTP."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.says: tuple[int, bytes] = (200, json.dumps({"choices": [{"message": {"content": "您好，路灯今晚修。\u0000"}}]}).encode())
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked.append({"path": self.path, "key": self.headers.get("Authorization"), **json.loads(body)})
                status, said = endpoint.says
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def endpoint(settings: Any) -> Iterator[Endpoint]:
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    settings.LIANXIN_ASSISTANT_URL, settings.LIANXIN_ASSISTANT_KEY = made.url, "k"
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_off_unless_the_city_names_an_endpoint(settings: Any) -> None:
    settings.LIANXIN_ASSISTANT_URL = ""
    assert not assistant.available()
    with pytest.raises(Conflict):
        assistant.summary("路灯不亮")


def test_personal_data_is_masked_before_it_leaves(endpoint: Endpoint) -> None:
    assert assistant.summary("我叫王小明，电话13812342201，身份证 430602199001011239，路灯不亮。") == "您好，路灯今晚修。"
    (asked,) = endpoint.asked
    sent = json.dumps(asked, ensure_ascii=False)
    assert "路灯不亮" in sent
    assert not [word for word in ("13812342201", "430602199001011239", "王小明") if word in sent]
    assert (asked["path"], asked["key"]) == ("/v1/chat/completions", "Bearer k")


@pytest.mark.parametrize("says", [
    (500, b"{}"), (302, b""), (200, b"not json"), (200, b"{}"), (200, b'{"choices": []}'), (200, b'{"choices": [{"message": null}]}'),
    (200, json.dumps({"choices": [{"message": {"content": "  "}}]}).encode()), (200, b"x" * 300_000), (200, b"\xff\xfe"),
])
def test_whatever_it_answers_is_told_in_words(endpoint: Endpoint, says: tuple[int, bytes]) -> None:
    endpoint.says = says
    with pytest.raises(Conflict, match="请自己写"):
        assistant.draft_answer("路灯不亮")


def test_nobody_there(settings: Any) -> None:
    settings.LIANXIN_ASSISTANT_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(Conflict, match="请自己写"):
        assistant.summary("路灯不亮")


@pytest.mark.django_db
def test_a_draft_is_for_who_may_reply_and_changes_nothing(world: World, as_: SignIn, monday: Frozen, endpoint: Endpoint) -> None:
    case_id = at_state(world, State.IN_HAND)
    before = Event.objects.count()
    url = f"/desk/cases/{case_id}/assist/reply/"
    assert as_("urban").post(url).json() == {"text": "您好，路灯今晚修。"}
    assert as_("dispatcher").post(url).status_code == 403
    assert as_("west").post(url).status_code in (403, 404)
    assert as_("urban").get(url).status_code == 405
    assert Event.objects.count() == before
    endpoint.says = (500, b"")
    answer = as_("urban").post(url)
    assert answer.status_code == 409
    assert "请自己写" in answer.json()["fault"]


@pytest.mark.django_db
def test_the_button_is_there_only_when_it_is_on(world: World, as_: SignIn, monday: Frozen, endpoint: Endpoint, settings: Any) -> None:
    case_id, long = at_state(world, State.IN_HAND), world.case(words="路灯不亮。" * 100)
    page = f"/desk/cases/{case_id}/do/reply/"
    assert "data-assist=" in as_("urban").get(page).content.decode()
    assert "data-assist=" not in as_("urban").get(f"/desk/cases/{case_id}/").content.decode()  # a short message
    assert "data-assist=" in as_("dispatcher").get(f"/desk/cases/{long}/").content.decode()
    settings.LIANXIN_ASSISTANT_URL = ""
    assert "data-assist=" not in as_("urban").get(page).content.decode()
    assert "data-assist=" not in as_("urban").get(f"/desk/cases/{case_id}/").content.decode()
