"""The department's system of the demo, spoken to by the exchange as any other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from lianxin.cases.models import Case
from lianxin.demo import exchanging
from lianxin.demo.department import DONE, ON_THE_WAY, SENT, SOLVED, Department, handler_of, services_of
from lianxin.exchange import hearing, polling, systems
from lianxin.exchange.models import Link, System
from lianxin.exchange.sending import Letters
from lianxin.kernel.sending import drain
from tests.demo.demos import YUEYANG
from tests.world import World

pytestmark = pytest.mark.django_db
FILE = ("code,name,name_en,unit,ours,service,service_name,words\n"
        "urban.demo,城管系统（示范）,Example,urban,01,OTHER,其他,\nurban.demo,城管系统（示范）,Example,urban,010102,NOISE,噪声,工地半夜打桩。\n")


@pytest.fixture
def department(tmp_path: Path, settings: Any) -> Iterator[tuple[Department, str, Path]]:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    settings.LIANXIN_PUBLIC_URL = "https://12345.example"
    path = tmp_path / "systems.csv"
    path.write_text(FILE, encoding="utf-8")
    made = Department(services_of(path), tmp_path / "requests.json")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(made))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made, f"http://127.0.0.1:{server.server_address[1]}", path
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_case_goes_to_the_department_and_its_answer_comes_back_as_a_prepared_reply(
        world: World, department: tuple[Department, str, Path]) -> None:
    there, url, path = department
    system = exchanging.join(path, url)
    assert exchanging.join(path, url).pk == system.pk  # a demo that opens again
    exchanging.first_case(system, path)
    drain(Letters())
    [row] = there.requests.values()
    assert (row["service_code"], row["description"].splitlines()[0]) == ("NOISE", "工地半夜打桩。")
    now = row["at"]
    there.clock = lambda: now + SENT
    polling.settle(System.objects.get())
    assert Link.objects.get().theirs == "CG00001"
    there.clock = lambda: now + DONE
    polling.settle(System.objects.get())
    link = Link.objects.get()
    assert hearing.proposal_of(link).splitlines() == [ON_THE_WAY, SOLVED]
    assert Case.objects.get().state == "dispatched"  # a person signs and replies
    assert {one.code for one in systems.discover(System.objects.get())} == {"OTHER", "NOISE"}


def test_a_person_closes_there_and_what_was_sent_is_kept(department: tuple[Department, str, Path]) -> None:
    there, url, _path = department
    posted = {"service_code": "NOISE", "description": "<b>打桩</b>", "address_string": "南湖"}
    assert requests.post(f"{url}/open311/v2/requests.json", posted, timeout=5).json()[0]["service_request_id"] == "CG00001"
    assert "&lt;b&gt;打桩" in requests.get(url, timeout=5).text
    assert requests.post(f"{url}/close", {"number": "CG00001", "words": "已责令停工。"}, timeout=5).status_code == 200
    again = Department(there.services, there.file)
    assert again.shown("CG00001")["status_notes"] == "已责令停工。"
    for path, form in (("requests.json", {"service_code": "NOPE", "description": "x"}), ("requests.json", {"service_code": "NOISE"}),
                       ("servicerequestupdates.json", {"service_request_id": "CG9"})):
        assert requests.post(f"{url}/open311/v2/{path}", form, timeout=5).status_code == 400
    assert requests.get(f"{url}/open311/v2/requests/CG9.json", timeout=5).status_code == 404


def test_the_citys_own_file_maps_only_what_is_there() -> None:
    rows = exchanging.read(YUEYANG / "demo" / "systems.csv")
    assert len({row["unit"] for row in rows}) == 1
    assert [row["service"] for row in rows] == [one["service_code"] for one in services_of(YUEYANG / "demo" / "systems.csv")]
    categories = (YUEYANG / "categories.csv").read_text(encoding="utf-8-sig")
    assert all(f"\n{row['ours']}," in categories for row in rows)
