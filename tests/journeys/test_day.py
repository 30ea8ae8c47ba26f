"""A scripted day: two hundred real messages through everyone's hands, by HTTP – portal, desk and API."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime
from PIL import Image

from lianxin.cases.models import Case, Check, Event, State
from lianxin.cases.rebuild import differences
from lianxin.cases.states import BY_ACTION, TABLE, Holder
from lianxin.kernel.crypto import keyring
from lianxin.kernel.ids import tracking_code, uuid7
from lianxin.kernel.text import clean_text
from lianxin.organisations.models import ApiToken, Role, token_digest
from tests.cases.desks import LINK, link, other_desk
from tests.cases.test_grid import found, second
from tests.cases.ways import STEPS, upload
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("LIANXIN_SHARED_DATA") or ROOT.parent / "shared" / "data")
STREAM = SHARED / "requests" / "stream.csv.gz"
MESSAGES = 200
PASSWORD = "a long day at the hotline"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(
        not STREAM.is_file() and os.environ.get("CI", "").lower() not in ("1", "true"),
        reason=f"the real messages are not here: no {STREAM} (set LIANXIN_SHARED_DATA to the folder they are in)",
    ),
]

# The ways the messages go, in turn. `action:person` names another person than usual; where a case is accepted when
# it is registered, `accept` is left out.
USUAL = ("accept", "dispatch", "sign", "record_contact", "reply", "approve", "record_callback_attempt", "close")
WAYS: tuple[tuple[str, ...], ...] = (
    USUAL,
    ("accept", "answer_on_the_spot"),
    ("accept", "dispatch", "sign", "reply", "approve", "rate", "record_callback_attempt", "close"),
    ("accept", "dispatch", "raise_return", "uphold_return", "dispatch", "sign", "reply", "approve",
     "record_callback_attempt", "close"),
    USUAL,
    ("decline",),
    ("accept", "dispatch", "sign", "raise_return", "reject_return", "reply", "send_back", "reply", "approve",
     "record_callback_attempt", "close"),
    ("accept", "dispatch", "raise_return", "reject_return", "sign", "assist_sign", "assist_sign:west", "assist_reply",
     "reply", "approve", "record_callback_attempt", "close"),
    ("accept", "dispatch", "sign", "reply", "approve", "reopen", "sign", "reply", "approve", "record_callback_attempt",
     "close", "reopen:supervisor", "sign", "reply", "approve", "record_callback_attempt", "close"),
    ("add_information", "add_reporter", "accept", "correct", "dispatch", "withdraw:reporter"),
    ("request_publication", "accept", "dispatch", "ask_colleague", "hand_to_colleague", "sign", "attach:operator", "reply",
     "clear_publication", "approve", "record_callback_attempt", "close", "refuse_publication"),
    ("refer_emergency", "accept", "dispatch", "redispatch", "sign:housing", "add_assisting", "record_contact:housing",
     "reply:housing", "approve", "record_callback_attempt", "close"),
    ("answer_on_the_spot", "reopen:supervisor", "dispatch", "sign", "ask_colleague:supervisor", "withdraw"),
    ("accept", "dispatch", "sign", "suspend", "resume_work", "suspend", "lift_suspension", "ask_extension", "refuse_extension",
     "ask_extension", "grant_extension", "reply", "approve", "record_callback_attempt", "close", "contest",
     "record_callback_attempt", "close"),
    ("accept", "dispatch", "urge", "supervise", "answer_supervision", "refuse_supervision_answer",
     "answer_supervision:urban_head", "accept_supervision_answer", "sign", "reply", "approve", "record_callback_attempt", "close"),
    ("accept", "dispatch", "raise_return", "reject_return", "raise_return", "reject_return", "raise_return", "rule_jointly",
     "sign:housing", "record_contact:housing", "reply:housing", "approve", "record_callback_attempt", "close"),
    ("accept", "merge_registered", "unmerge", "merge_accepted", "unmerge", "dispatch", "merge_dispatched", "unmerge", *USUAL[2:]),
    ("answer_on_the_spot", "contest", "withdraw"),
    ("settle_on_the_spot", "accept", "dispatch", "sign", "reply", "ask_check", "answer_check", "approve",
     "record_callback_attempt", "close"),
    ("accept", "offer_handover", "withdraw_handover", "note_handover:withdrawn", "offer_handover", "note_handover",
     "release_handover", "tell_handover", "take_back_handover", *USUAL[1:]),
    ("offer_handover", "release_handover", "take_back_handover:unread", "accept", "answer_on_the_spot"),
    ("accept", "dispatch", "offer_handover", "release_handover", "close_handover"),
    ("offer_handover", "withdraw_handover", "note_handover:withdrawn", "withdraw"),
)
# What the other desk may say instead of what it usually says.
SAID: dict[str, dict[str, Any]] = {"unread": {"category": ""}, "withdrawn": {"step": "withdrawn", "linkage": ""}}
PHOTOS = ("settle_on_the_spot", "answer_check")
# How far the other case has come that is merged with this one, and taken out again.
OTHER: dict[str, tuple[str, ...]] = {"registered": (), "accepted": ("accept",), "dispatched": ("accept", "dispatch")}
PORTAL = {"contest": "contest", "rate": "rate", "add_information": "add", "request_publication": "publish", "withdraw": "withdraw"}
addresses = (f"10.{a}.{b}.7" for a, b in itertools.product(range(250), range(250)))


def messages() -> Iterator[dict[str, str]]:
    with gzip.open(STREAM, "rt", encoding="utf-8-sig", newline="") as file:
        yield from itertools.islice((row for row in csv.DictReader(file) if row["detail"].strip()), MESSAGES)


def photo() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "green").save(out, "JPEG")
    out.seek(0)
    out.name = "现场.jpg"
    return out


class Browser:
    """One browser with its cookies, sending the token of each form as browsers do."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=next(addresses))

    def get(self, url: str) -> str:
        answer = self.client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return str(answer.content.decode())

    def post(self, url: str, fields: dict[str, Any]) -> Any:
        if settings.CSRF_COOKIE_NAME not in self.client.cookies:
            self.get(reverse("portal:say"))
        token = self.client.cookies[settings.CSRF_COOKIE_NAME].value
        return self.client.post(url, fields | {"csrfmiddlewaretoken": token})


class Day:
    """The city at work."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.desks: dict[str, Browser] = {}
        self.secrets: dict[str, str] = {}
        self.opened: set[tuple[str, str]] = set()
        self.faces: Counter[str] = Counter()
        self.others: list[uuid.UUID] = []

    def desk(self, name: str) -> Browser:
        if name not in self.desks:
            person = self.world.staff[name]
            person.set_password(PASSWORD)
            person.save()
            browser = Browser()
            browser.get(reverse("account_login"))
            answer = browser.post(reverse("account_login"), {"login": name, "password": PASSWORD})
            assert answer.status_code == 302, (name, answer.content.decode()[-2000:])
            self.desks[name] = browser
        return self.desks[name]

    def api(self, name: str, path: str, body: dict[str, Any], **headers: str) -> Any:
        if name not in self.secrets:
            person, secret = self.world.staff[name], ApiToken.new_secret()
            ApiToken.objects.create(name=name, unit=person.unit, staff=person, scopes=["*"], digest=token_digest(secret),
                                    hint=secret[-4:])
            self.secrets[name] = secret
        return Client().post(f"/api/v1{path}", json.dumps(body), content_type="application/json",
                             headers={"Authorization": f"Bearer {self.secrets[name]}", **headers})

    # The first word, by four ways in.

    def register(self, number: int, row: dict[str, str]) -> tuple[uuid.UUID, Browser | None]:
        words, phone, resident = row["detail"], f"1381234{number:04d}", None
        if number % 4 == 0:
            resident = Browser()
            resident.get(reverse("portal:say"))
            answer = resident.post(reverse("portal:say"), {
                "words": words, "phone": phone, "submission": f"{number:032d}", "step": "send", "go": "submit"})
            assert (answer.status_code, answer.url) == (302, reverse("portal:answer")), answer.content.decode()[-3000:]
            face = "portal"
        elif number % 4 == 2:
            answer = self.api("operator", "/cases", {"words": words, "title": row["title"][:120], "phone": phone,
                                                     "channel": "phone"}, **{"Idempotency-Key": f"day-{number}"})
            assert answer.status_code == 201, answer.content.decode()
            face = "api"
        else:
            fields = {"words": words, "phone": phone, "submission": f"call-{number}", "do": "register"}
            fields |= {"category": "010102", "area": "990101001001"} if number % 4 == 1 else {}
            answer = self.desk("operator" if number % 4 == 1 else "grid").post(reverse("desk:call"), fields)
            assert answer.status_code == 302, answer.content.decode()[-3000:]
            face = "desk"
        self.faces[face] += 1
        case = Case.objects.latest("id")
        assert case.words == clean_text(words, max_length=12_000, multiline=True)
        return case.pk, resident

    # Everything after it.

    def resident(self, case: Case, browser: Browser | None, action: str) -> None:
        if browser is None:
            browser = Browser()
            answer = browser.post(reverse("portal:track"), {"code": tracking_code(keyring().tracking, case.pk).lower()})
            assert answer.status_code == 302
        name = PORTAL[action]
        page = browser.get(reverse("portal:act", args=[name]))
        fields = {key: {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
                  for key, value in STEPS[action][1].items()}
        answer = browser.post(reverse("portal:act", args=[name]), fields | {
            "number": case.number, "version": str(case.version), "submission": value_of(page, "submission")})
        assert answer.status_code == 302, (action, answer.content.decode()[-3000:])
        assert case.number in browser.get(reverse("portal:mine"))

    def through_api(self, case: Case, action: str, name: str, fields: dict[str, Any]) -> None:
        if action in PHOTOS:
            fields = fields | {"attachments": [str(upload(self.world.actor(name)))]}
        answer = self.api(name, f"/cases/{case.pk}/actions/{action}", fields | {"version": case.version},
                          **{"Idempotency-Key": str(uuid7())})
        assert answer.status_code == 200, (action, name, answer.content.decode())

    @staticmethod
    def typed(name: str, value: Any) -> Any:
        """As it is typed into a form."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return ", ".join(value) if isinstance(value, list) else f"{value} 分钟" if name == "minutes" else value

    def through_desk(self, case: Case, action: str, name: str, fields: dict[str, Any]) -> None:
        url, submission, browser = reverse("desk:act", args=[case.pk, action]), str(uuid7()), self.desk(name)
        if action == "attach":
            answer = browser.post(reverse("desk:attach", args=[case.pk]), {"photos": [photo()]})
        else:
            if (name, action) not in self.opened:  # the form itself, once for each person
                self.opened.add((name, action))
                submission = value_of(browser.get(url), "submission")
                browser.get(reverse("desk:case", args=[case.pk]))
            typed = {key: self.typed(key, value) for key, value in fields.items()}
            typed |= {"photos": [photo()]} if action in PHOTOS else {}
            typed |= {"basis": "clear", "mode": "transfer"} if action == "offer_handover" else {}  # as the form begins
            answer = browser.post(url, typed | {"version": str(case.version), "submission": submission})
        assert answer.status_code == 302, (action, name, answer.content.decode()[-3000:])

    def step(self, case_id: uuid.UUID, browser: Browser | None, step: str, turn: int) -> None:
        action, _colon, name = step.partition(":")
        action, _under, state = action.partition("_") if action.startswith("merge_") else (action, "", "")
        if action == "merge":
            self.others.append(self.world.case())
            for earlier in OTHER[state]:
                self.step(self.others[-1], None, earlier, turn)
        if action in LINK:  # the other desk's own word, by the link
            event = Event.objects.get(pk=link(case_id, action, **SAID.get(name, {})).event_id)
            assert event.action == action
            return
        if action == "unmerge":
            case_id = self.others[-1]
        if action == "add_reporter":  # of somebody who gave no name at first
            self.others.append(self.world.case(name="", phone=""))
            case_id = self.others[-1]
        if action == "settle_on_the_spot":  # what a worker found themself
            self.others.append(found(self.world))
            case_id = self.others[-1]
        elif action == "answer_check":
            name = Check.objects.get(case=case_id).worker.username
        name = name or ("operator" if STEPS[action][0] == "reporter" and browser is None and action != "rate"
                        else STEPS[action][0])
        case = Case.objects.only("number", "state", "version", "outcome").get(pk=case_id)
        if action == "accept" and case.state == State.ACCEPTED:
            return
        if case.state == State.CLOSED and action in ("reopen", "refuse_publication"):
            assert case.outcome
        fields = dict(STEPS[action][1])
        if action == "merge":
            fields["duplicates"] = [Case.objects.get(pk=self.others[-1]).number]
        if action in PHOTOS:
            del fields["attachments"]
        if "until" in fields:
            until = localtime() + timedelta(days=3)
            fields["until"] = until.isoformat() if turn % 3 == 0 else until.strftime("%Y-%m-%dT%H:%M")
        if name in ("housing", "west") and action == "raise_return":
            fields.pop("suggested_unit")
        count = Event.objects.filter(case=case).count()
        if name == "reporter":
            face = "portal"
            self.resident(case, browser, action)
        elif turn % 3 == 0 and action != "attach":
            face = "api"
            with other_desk():
                self.through_api(case, action, name, fields)
        else:
            face = "desk"
            with other_desk():
                self.through_desk(case, action, name, fields)
        self.faces[face] += 1
        done = list(Event.objects.filter(case=case_id).order_by("id").values_list("action", flat=True))
        assert (done[-1], len(done)) == (action, count + 1)
        if action in ("unmerge", "add_reporter"):
            self.step(case_id, None, "withdraw", turn)


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(rf'value="([^"]*)"[^>]*name="{name}"', page)
    assert found is not None, f"no field {name}"
    return found.group(1)


def test_two_hundred_messages_in_a_day(world: World) -> None:
    cache.clear()
    second(world)  # nobody looks at what they reported themselves
    day = Day(world)
    turns = itertools.count()
    for number, row in enumerate(messages()):
        case_id, browser = day.register(number, row)
        for step in WAYS[number % len(WAYS)]:
            day.step(case_id, browser, step, next(turns))
    assert Case.objects.count() == MESSAGES + len(day.others)
    assert set(Case.objects.values_list("state", flat=True)) == {"closed", "declined", "withdrawn"}
    assert [found for case in Case.objects.all() for found in differences(case.pk)] == []
    # Every step that a person can take was taken, and led everywhere it can lead.
    made = set(Event.objects.values_list("action", "to_state"))
    by_people = [row for row in TABLE if row.holders != {Holder.SYSTEM}]
    systems = {row.action for row in TABLE} - {row.action for row in by_people}
    assert {row.action for row in by_people} == {action for action, _to in made} - systems
    # (a reopened case without a unit waits for dispatch, with one it is the unit's)
    assert {(row.action, str(target)) for row in by_people for target in row.targets} <= made
    roles = set(Event.objects.filter(actor__isnull=False).values_list("actor__grants__role", flat=True))
    # These only look, or work with no case.
    assert roles == set(Role) - {Role.ADMINISTRATOR, Role.LEADER, Role.TEAM_LEAD, Role.CARE_KEEPER, Role.SWITCHBOARD,
                                 Role.OUTSIDE_APP}
    assert set(Event.objects.exclude(action__in=systems).values_list("actor_kind", flat=True)) == {"staff", "reporter", "partner"}
    assert {"portal", "desk", "api"} == set(day.faces)
    assert min(day.faces.values()) > 50
    # What each said of themselves is in no event and no message.
    for event in Event.objects.all():
        assert BY_ACTION[event.action]
        assert "1381234" not in json.dumps([event.data, event.changes])
