"""Names, numbers, addresses and e-mails come in through every channel; then everything is searched for them in clear."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from lianxin.cases.actions import add_information
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.messages import GatewayError, announce_event
from lianxin.cases.models import Case, Event, Notification, Reporter
from lianxin.organisations.models import ApiToken, Staff, token_digest
from tests.privacy.search import in_database, in_files
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

CHANNELS = ("portal", "desk", "api", "import")
PLANTED = {
    channel: {
        "name": f"玄黓{surname}", "phone": f"1399000{tail}", "address": f"困敦巷{tail}号三单元", "email": f"planted{tail}@example.cn",
    }
    for channel, surname, tail in zip(CHANNELS, "甲乙丙丁", ("7301", "7302", "7303", "7304"), strict=True)
}
NEEDLES = [value for fields in PLANTED.values() for value in fields.values()]
SENT: list[tuple[str, str]] = []


class Remembering:
    """A gateway that takes the message, so that the job runs to its end."""

    name = "test"

    def send(self, *, phone: str, text: str) -> None:
        SENT.append((phone, text))


class Refusing(Remembering):
    def send(self, *, phone: str, text: str) -> None:
        raise GatewayError("no")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that any logger says at any level, with tracebacks."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "procrastinate", "django", "lianxin")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield out
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def portal(client: Client, fields: dict[str, str]) -> None:
    body = {"submission": "s" * 24, "words": "桥头路灯不亮。", "county": "990101", "town": "990101001", "messages": "on",
            "step": "send", "go": "submit", "name": fields["name"], "phone": fields["phone"]}
    response = client.post(reverse("portal:say"), body | {"phone": "1"})
    assert response.status_code == 422, "a form with a fault is shown again, with what was typed"
    assert fields["name"] in response.content.decode()
    assert client.post(reverse("portal:say"), body).status_code == 302
    assert client.post(reverse("portal:say"), body).status_code == 302, "sent twice"


def desk(client: Client, staff: Staff, fields: dict[str, str]) -> None:
    client.force_login(staff)
    body = {"submission": "d1", "words": "夜里施工。", "category": "010102", "name": fields["name"], "phone": fields["phone"]}
    assert client.post(reverse("desk:call"), body | {"category": "000000"}).status_code == 422
    assert client.get(reverse("desk:call") + f"?phone={fields['phone']}").status_code == 200
    assert client.post(reverse("desk:call"), body).status_code == 302


def api(client: Client, staff: Staff, fields: dict[str, str]) -> None:
    secret = ApiToken.new_secret()
    ApiToken.objects.create(name="t", unit=staff.unit, staff=staff, scopes=["*"], digest=token_digest(secret), hint="")
    def send(**more: Any) -> Any:
        return client.post(
            "/api/v1/cases", json.dumps({"words": "停水了。", "channel": "api", **fields, **more}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k1"},
        )
    assert send(category="000000").status_code == 422
    assert send(unknown="1").status_code in (400, 422)
    assert send().status_code == 201
    assert send().status_code == 201
    assert send(words="别的话。").status_code == 409


def imported(folder: Path, fields: dict[str, str]) -> None:
    file = folder / "cases.csv"
    columns = ["source_id", "words", "registered_at", *fields]
    good = ["1", "以前的事。", "2026-01-05T10:00:00+08:00", *fields.values()]
    file.write_text("\n".join(",".join(row) for row in (columns, good)), encoding="utf-8")
    call_command("import", "cases", str(file), rejects=folder / "rejects.csv", stdout=io.StringIO())
    file.unlink()


@pytest.fixture
def searched(tmp_path: Path, settings: Any, logged: io.StringIO) -> Any:
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.privacy.test_planted.Remembering"
    SENT.clear()
    return logged


def test_nothing_planted_is_found_in_clear_anywhere(
    searched: io.StringIO, client: Client, tmp_path: Path, settings: Any
) -> None:
    call_command("createcachetable", verbosity=0)
    world = World.make()
    portal(Client(), PLANTED["portal"])
    desk(client, world.staff["operator"], PLANTED["desk"])
    api(Client(), world.staff["operator"], PLANTED["api"])
    imported(tmp_path, PLANTED["import"])
    assert Reporter.objects.count() == 4

    ids = {case.channel: case.pk for case in Case.objects.order_by("id")}
    # By telephone, later: the operator notes what is new, then looks who it was.
    phoned = Case.objects.get(words="夜里施工。").pk
    add_information(world.on(phoned, "operator"), words="又来电说昨夜还在施工。")
    shown = client.post(reverse("desk:identity", args=[phoned]), {"why": "回电核实"})
    assert PLANTED["desk"]["phone"] in shown.content.decode()
    for channel, pk in ids.items():
        assert read_identity(world.on(pk, "operator"), why="核实").phone, channel

    settings.LIANXIN_MESSAGE_GATEWAY = "tests.privacy.test_planted.Refusing"
    for event in Event.objects.filter(action="register"):
        try:
            announce_event(str(event.pk))
        except GatewayError:
            logging.getLogger("lianxin").exception("as the worker logs it")
    settings.LIANXIN_MESSAGE_GATEWAY = "tests.privacy.test_planted.Remembering"
    for event in Event.objects.filter(action="register"):
        announce_event(str(event.pk))
    assert {phone for phone, _text in SENT} == {fields["phone"] for fields in PLANTED.values()}
    assert Notification.objects.filter(status="sent").count() == 4
    cache.set("seen", {"path": "/desk/"}, 60)

    assert in_database(NEEDLES) == []
    assert [word for word in NEEDLES if word in searched.getvalue()] == []
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    folders = [Path(django_settings.DATA), tmp_path]
    assert in_files(folders, NEEDLES) == [], "the database's own files and its write-ahead log among them"


def test_the_search_itself_finds_what_lies_in_the_open(world: Any, tmp_path: Path) -> None:
    case_id = world.case(words="我叫玄黓甲，电话 13990007301。", place_text="困敦巷7301号三单元")
    found = in_database(["玄黓甲", "13990007301", "困敦巷7301号三单元"])
    assert {one.split(":")[0] for one in found} == {"public.cases_case"}
    assert len(found) == 3
    Reporter.objects.filter(case=case_id).update(name="玄黓甲".encode(), anonymised_at=None)
    assert any(one.startswith("public.cases_reporter") for one in in_database(["玄黓甲"]))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('q', 't', %s)",
                       [json.dumps({"phone": "13990007302"})])
    assert [one.split(":")[0] for one in in_database(["13990007302"])] == ["public.procrastinate_jobs"]
    (tmp_path / "a.log").write_text("玄黓乙")
    assert len(in_files([tmp_path], ["玄黓乙"])) == 1


def test_a_repeat_of_the_same_write_keeps_no_plain_hash_of_the_number(world: Any) -> None:
    """Beside words that are known, a plain hash gives a number back to whoever tries them all."""
    import hashlib

    from lianxin.cases.actions import Intake, register
    from lianxin.cases.models import Submission
    from tests.world import RESIDENT

    intake = Intake(words="路灯不亮。", phone="13990007301")
    register(intake=intake, by=RESIDENT, key=b"k" * 32)
    kept = bytes(Submission.objects.get().fingerprint)
    assert kept != hashlib.sha256(repr(intake).encode()).digest()
    assert register(intake=intake, by=RESIDENT, key=b"k" * 32).replayed
