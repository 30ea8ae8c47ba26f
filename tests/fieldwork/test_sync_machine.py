"""A fuzzed telephone against the real server and database: whatever happens on the way, at the end each item is there once.

The network loses requests and answers, delivers them late and twice and cuts them short; the telephone is restarted, its clock
jumps, it is shut out and given back; the server dies in the middle of an item. Two telephones of one worker share it all.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lianxin.cases.models import Attachment, Case, EventText
from lianxin.fieldwork import devices, inbox, registry
from lianxin.fieldwork.housekeeping import keep_house
from lianxin.fieldwork.models import Device, Receipt, Upload
from lianxin.fieldwork.registry import Item, Kind, Worker
from lianxin.kernel.clock import Frozen, now
from tests.api.conftest import Machine
from tests.files.samples import photo
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PHOTO = photo(size=(60, 40))
PIECE = 400  # bytes the telephone sends at once: a photo is several pieces
FAULTS = ("lost request", "lost answer", "late", "twice", "cut short")
# Drawn as a whole: a list of faults drawn one by one is nearly always short.
weather = st.builds(lambda seed, rate: (Random(seed), rate), st.integers(0, 2**16), st.sampled_from((0.2, 0.4, 0.6)))
JUMPS = (timedelta(0), timedelta(minutes=7), timedelta(days=1), -timedelta(days=1), timedelta(days=4000), -timedelta(days=4000))
seen: Counter[str] = Counter()


class Lost(Exception):
    """The telephone hears nothing."""


class Died(BaseException):
    """The server's process is gone in the middle of a transaction."""


@dataclass(slots=True)
class Network:
    """Delivers what it likes."""

    weather: tuple[Random, float] = field(default_factory=lambda: (Random(0), 0.0))
    late: list[Callable[[], Any]] = field(default_factory=list)

    def dies(self) -> bool:
        """Whether the server's process ends now."""
        chance, rate = self.weather
        return chance.random() < rate / 2

    def send(self, deliver: Callable[[bytes], Any], body: bytes, *, pieces: bool = False) -> Any:
        try:
            return self._send(deliver, body, pieces=pieces)
        except Died:
            raise Lost from None

    def _send(self, deliver: Callable[[bytes], Any], body: bytes, *, pieces: bool) -> Any:
        chance, rate = self.weather
        possible = [fault for fault in FAULTS if pieces or fault != "cut short"]
        fault = chance.choice(possible) if chance.random() < rate else "none"
        seen[fault] += 1
        match fault:
            case "lost request":
                raise Lost
            case "lost answer":
                deliver(body)
                raise Lost
            case "late":
                self.late.append(lambda: deliver(body))
                raise Lost
            case "twice":
                deliver(body)
            case "cut short":
                deliver(body[: len(body) // 2])
                raise Lost
        return deliver(body)


@dataclass(slots=True)
class Phone:
    """What an application on a telephone keeps: durable in `queue`, `files` and `unsettled`, the rest is lost when it ends."""

    secret: str
    device_id: uuid.UUID
    network: Network
    clock: timedelta = timedelta(0)
    queue: list[dict[str, Any]] = field(default_factory=list)
    unsettled: list[dict[str, Any]] = field(default_factory=list)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)  # not durable

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        machine = Machine(self.secret)
        return self.network.send(lambda sent: machine.send(method, path, sent, **headers), body,
                                 pieces=path != "/field/items")

    def upload(self, pk: str) -> None:
        """As tus says: begin or begin again, ask where it stands, go on from there."""
        tus = {"Tus_Resumable": "1.0.0"}
        if pk not in self.offsets:
            said = f"id {base64.b64encode(pk.encode()).decode()},filetype {base64.b64encode(b'image/jpeg').decode()}"
            made = self.call("POST", "/field/uploads", **tus, Upload_Length=str(len(PHOTO)), Upload_Metadata=said)
            if made.status_code != 201:
                raise Lost
            self.offsets[pk] = int(made.headers["Upload-Offset"])
        while self.offsets[pk] < len(PHOTO):
            at = self.offsets[pk]
            answer = self.call("PATCH", f"/field/uploads/{pk}", PHOTO[at: at + PIECE], **tus, Upload_Offset=str(at),
                               Content_Type="application/offset+octet-stream")
            if answer.status_code == 204:
                self.offsets[pk] = int(answer.headers["Upload-Offset"])
            elif answer.status_code == 409:
                self.offsets[pk] = answer.json()["current"]["offset"]
            else:
                self.offsets.pop(pk)
                raise Lost

    def sync(self, *, batch: int, stop_before_push: bool = False) -> None:
        """Raises Lost where the telephone is none the wiser."""
        sent = self.queue[:batch]
        for one in sent:
            for file in one["files"]:
                self.upload(file["id"])
        if stop_before_push or not sent:
            return
        body = {"sent_at": (now() + self.clock).isoformat(), "version": "m", "waiting": len(self.queue), "items": sent}
        answer = self.call("POST", "/field/items", json.dumps(body).encode())
        if answer.status_code == 401:
            assert answer.json()["code"] == "device_shut_out"
            raise Lost
        if answer.status_code != 200:
            raise Lost
        results = answer.json()["results"]
        seen["items"] += len(results)
        assert [one["id"] for one in results] == [one["id"] for one in sent]
        for one, result in zip(sent, results, strict=True):
            self.hear(one, result)

    def hear(self, one: dict[str, Any], result: dict[str, Any]) -> None:
        if result["status"] == "waiting":
            if result["problem"]["code"] == "files_missing":
                for pk in result["problem"]["current"]["files"]:
                    self.offsets.pop(pk, None)
            return
        assert self.told.setdefault(one["id"], result) == result, "another answer than before"
        self.queue.remove(one)
        if result["status"] != "accepted":
            self.unsettled.append(one)


class SyncMachine(RuleBasedStateMachine):
    """`world` and `frozen` are set by the test."""

    world: World
    frozen: Frozen

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.network = Network()
        self.made: dict[str, tuple[int, dict[str, Any]]] = {}
        self.phones: list[Phone] = []
        self.settled: set[str] = set()
        self.wrong: set[str] = set()
        self.handlers = dict(registry.KINDS)

    @initialize()
    def enrol(self) -> None:
        for name in ("旧手机", "新手机"):
            made = devices.enrol(staff=self.world.staff["grid"], name=name, by=self.world.actor("grid"))
            self.phones.append(Phone(made.secret, made.device.pk, self.network))
        for name in ("report", "add"):
            registry.KINDS[name] = self._mortal(self.handlers[name])

    def _mortal(self, kind: Kind) -> Kind:
        """The process may die, or the program fail, when the work is done and nothing is committed."""

        def handle(worker: Worker, item: Item[Any]) -> dict[str, Any]:
            answer = kind.handle(worker, item)
            if self.network.dies():
                seen["died"] += 1
                raise Died
            if self.network.dies():
                seen["failed"] += 1
                raise RuntimeError("a fault of the program's own")
            return answer

        return Kind(kind.name, kind.model, handle, kind.roles, kind.kept)

    def _make(self, phone: int, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        one = {"id": str(uuid.uuid4()), "kind": kind, "made_at": (now() + self.phones[phone].clock).isoformat(), "body": body,
               "files": [], **more}
        self.made[one["id"]] = (phone, one)
        self.phones[phone].queue.append(one)
        return one

    def _report(self, phone: int, *, photos: int, wrong: bool) -> None:
        body = {"words": f"第{len(self.made)}件：路灯不亮"} | ({"category": "999999"} if wrong else {})
        made = self._make(phone, "report", body, files=[{"id": str(uuid.uuid4()), "role": "report"} for _each in range(photos)])
        if wrong:
            self.wrong.add(made["id"])

    def _add(self, phone: int, which: int) -> None:
        """More on what was reported, as soon as a telephone knows its number."""
        cases = [told["answer"]["case"] for one in self.phones for told in one.told.values()
                 if told["status"] == "accepted" and self.made[told["id"]][1]["kind"] == "report"]
        if cases:
            self._make(phone, "add", {"case": cases[which % len(cases)], "words": f"补充{len(self.made)}"})

    @rule(what=st.sampled_from(("a_round", "a_round", "sync", "settle", "something_late_arrives", "restarted",
                                "shut_out_or_given_back")),
          phone=st.integers(0, 1), of=weather, number=st.integers(0, 60))
    def something_happens(self, what: str, phone: int, of: tuple[Random, float], number: int) -> None:
        """One rule for all: Hypothesis would leave some out of each example, and these need each other."""
        getattr(self, what)(phone, of, number)

    def a_round(self, phone: int, of: tuple[Random, float], number: int) -> None:
        """Several things found on one way, and a bit of signal at its end."""
        chance = of[0]
        for _number in range(2 + number % 5):
            if chance.random() < 0.3:
                self._add(phone, chance.randrange(10))
            else:
                self._report(phone, photos=max(chance.randrange(5) - 2, 0), wrong=chance.random() < 0.2)
            self.frozen.move(minutes=3)
        self.sync(phone, of, number)

    def sync(self, phone: int, of: tuple[Random, float], number: int) -> None:
        """As a telephone does: again, after a rest, when it heard nothing."""
        self.network.weather = of
        for _try in range(4):
            try:
                self.phones[phone].sync(batch=1 + number % 8, stop_before_push=number % 7 == 6)
            except Lost:
                self.frozen.move(minutes=1)
        self.network.weather = (Random(0), 0.0)

    def settle(self, phone: int, of: tuple[Random, float], number: int) -> None:
        mine = self.phones[phone]
        if mine.unsettled:
            old = mine.unsettled.pop(0)
            self.settled.add(old["id"])
            if number % 2 and old["kind"] == "report":
                self._make(phone, "report", {"words": f"第{len(self.made)}件：改过了"}, files=old["files"], settles=old["id"])
            else:
                self._make(phone, "abandon", {"item": old["id"], "why": "算了"})

    def something_late_arrives(self, phone: int, of: tuple[Random, float], number: int) -> None:
        """Whatever was sent since."""
        if self.network.late:
            with suppress(Died):
                self.network.late.pop(number % len(self.network.late))()

    def restarted(self, phone: int, of: tuple[Random, float], number: int) -> None:
        """The battery was dead for a while; the clock is another one since."""
        self.phones[phone].offsets.clear()
        self.phones[phone].clock = JUMPS[number % len(JUMPS)]
        self.frozen.move(minutes=number)

    def shut_out_or_given_back(self, phone: int, of: tuple[Random, float], number: int) -> None:
        """Files that no item claimed in a month are cleared away; the telephones send them again."""
        admin, pk = self.world.actor("admin"), self.phones[phone].device_id
        if Device.objects.get(pk=pk).shut_out_at is None:
            devices.shut_out(device_id=pk, by=admin, why="丢了")
        else:
            devices.give_back(device_id=pk, by=admin)
        if number % 3 == 0:
            self.frozen.move(days=30)
            keep_house(now())

    def _receipts(self) -> dict[str, Receipt]:
        return {str(row.pk): row for row in Receipt.objects.all()}

    @invariant()
    def nothing_is_there_that_was_not_done(self) -> None:
        """At every moment: receipts and what they stand for are the same."""
        rows = self._receipts()
        assert set(rows) <= set(self.made)
        done = [pk for pk, row in rows.items() if row.status == "accepted"]
        for kind, found in (("report", Case.objects.values_list("words", flat=True)),
                            ("add", EventText.objects.filter(field="words", body__startswith="补充").values_list("body", flat=True))):
            assert sorted(found) == sorted(self._words(pk for pk in done if self.made[pk][1]["kind"] == kind))
        for phone in self.phones:
            for pk, told in phone.told.items():
                assert rows[pk].status == told["status"]

    def _words(self, pks: Iterable[str]) -> list[str]:
        return [self.made[pk][1]["body"]["words"] for pk in pks]

    def teardown(self) -> None:
        try:
            if self.phones:
                self._heal()
                self._everything_is_there_once()
        finally:
            registry.KINDS.update(self.handlers)
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def _heal(self) -> None:
        """The network is back, the telephones too; what was late arrives last of all."""
        admin = self.world.actor("admin")
        for phone in self.phones:
            if Device.objects.get(pk=phone.device_id).shut_out_at is not None:
                devices.give_back(device_id=phone.device_id, by=admin)
        for phone in self.phones:
            phone.offsets.clear()
            for _try in range(2 * len(self.made) + 2):
                if not phone.queue:
                    break
                try:
                    phone.sync(batch=inbox.ITEMS)
                except Lost:
                    phone.offsets.clear()
            assert phone.queue == [], "it never comes to an end"
        for request in self.network.late:
            request()

    def _everything_is_there_once(self) -> None:
        rows = self._receipts()
        assert set(rows) == set(self.made)
        assert {pk for pk, row in rows.items() if row.status != "accepted"} == self.wrong
        self.nothing_is_there_that_was_not_done()
        for number, phone in enumerate(self.phones):
            sent = [one for one_phone, one in self.made.values() if one_phone == number]
            assert list(phone.told) == [one["id"] for one in sent], "answered in another order than made"
            accepted = [one["id"] for one in sent if one["kind"] == "report" and rows[one["id"]].status == "accepted"]
            cases = [phone.told[pk]["answer"]["case"] for pk in accepted]
            assert [str(pk) for pk in Case.objects.filter(pk__in=cases).order_by("pk").values_list("pk", flat=True)] == cases
            for pk, case_id in zip(accepted, cases, strict=True):
                files = [uuid.UUID(file["id"]) for file in self.made[pk][1]["files"]]
                held = Attachment.objects.filter(case_id=case_id).values_list("pk", flat=True)
                known = Upload.objects.filter(claimed_by=pk)
                assert len(held) == len(files)
                assert set(known.values_list("attachment_id", flat=True)) <= set(held)
        for pk, row in rows.items():
            assert row.at <= row.received_at
            if row.status != "accepted" and pk not in self.settled:
                held_body = inbox.body_of(row)
                # After `LIANXIN_FIELD_UNSETTLED_DAYS` nobody keeps it any more.
                assert row.settled_at is not None or (held_body or {})["body"] == self.made[pk][1]["body"]


@pytest.fixture
def machine(world: World, monday: Frozen, tmp_path: Path, settings: Any) -> type[SyncMachine]:
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.LIANXIN_FIELD_UNSETTLED_DAYS = 100_000
    return type("Sync", (SyncMachine,), {"world": world, "frozen": monday})


def test_whatever_happens_on_the_way_each_item_is_there_once(machine: type[SyncMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(
        max_examples=8, stateful_step_count=20, deadline=None, derandomize=True, database=None,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    ))
    # It must have gone through something: a machine that only has good weather finds nothing.
    assert all(seen[fault] >= 2 for fault in FAULTS), seen
    assert min(seen["died"], seen["failed"]) >= 1, seen
    assert seen["items"] >= 80, seen
