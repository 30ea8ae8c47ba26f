"""The visitor's telephone: what it is given, what it sends, and what it forgets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from lianxin.care import actions
from lianxin.care.models import CareEntry, CareVisit
from lianxin.care.telephone import tasks
from lianxin.cases.models import Case
from lianxin.fieldwork import inbox
from lianxin.fieldwork.models import Receipt
from lianxin.fieldwork.registry import Worker
from lianxin.kernel.clock import Frozen, now
from tests.care.made import NEEDLES, Register
from tests.privacy.search import in_database

pytestmark = pytest.mark.django_db


def worker(register: Register, username: str = "grid") -> Worker:
    return Worker(register.by(username), register.world.staff[username].pk, None)


def send(register: Register, body: dict[str, Any], *, username: str = "grid", item: uuid.UUID | None = None,
         ago: timedelta = timedelta()) -> inbox.Result:
    said = {"id": str(item or uuid.uuid4()), "kind": "care_visit", "made_at": (now() - ago).isoformat(), "body": body, "files": []}
    (result,) = inbox.take(worker(register, username), [(uuid.UUID(said["id"]), said)], sent_at=now())
    return result


def test_the_visitors_telephone_is_given_what_a_visit_needs(register: Register, monday: Frozen) -> None:
    entry = register.entry(interval_days=1)
    (task,) = tasks(worker(register))
    assert task == {
        "id": str(entry.pk), "kind": "care", "title": "重光单阏", "due_at": "2026-11-24T18:00:00+08:00", "place": "花园社区",
        "lon": None, "lat": None, "version": 1, "name": "重光单阏", "address": "玄黓巷九号", "phone": "13700001234",
        "purpose": "阉茂一个人住，怕摔倒没人知道。", "absences": 0}
    for other in ("grid2", "grid_west", "lead", "keeper", "admin"):
        assert tasks(worker(register, other)) == []


def test_a_visit_is_written_down_once_however_often_it_is_sent(register: Register, monday: Frozen) -> None:
    entry, item = register.entry(interval_days=1), uuid.uuid4()
    body = {"entry": str(entry.pk), "outcome": "done", "note": "阉茂说好"}
    for _again in range(3):
        result = send(register, body, item=item, ago=timedelta(hours=2))
        assert (result.status, result.answer) == ("accepted", {"visit": True, "case": False})
    visit = CareVisit.objects.get()
    assert (visit.at, visit.by_id) == (now() - timedelta(hours=2), register.world.staff["grid"].pk)
    assert in_database(NEEDLES) == []
    receipt = Receipt.objects.get()
    assert (receipt.body, str(entry.pk) in str(receipt.answer)) == (None, False)


def test_help_is_a_case_that_the_receipt_does_not_name(register: Register) -> None:
    entry = register.entry()
    result = send(register, {"entry": str(entry.pk), "outcome": "needs_help", "words": "花园社区有位老人发烧。"})
    assert (result.status, result.answer) == ("accepted", {"visit": True, "case": True})
    case = Case.objects.get()
    found = {one.partition(":")[0] for one in in_database([str(case.pk), case.number])}
    assert not {one for one in found if "care" in one or "fieldwork" in one}


@pytest.mark.parametrize("how", ["withdrawn", "given"])
def test_what_is_no_longer_theirs_is_forgotten_and_its_note_kept_nowhere(register: Register, how: str) -> None:
    entry, item = register.entry(), uuid.uuid4()
    if how == "withdrawn":
        actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    else:
        actions.give(by=register.by("keeper"), pk=entry.pk, version=1, to=register.world.staff["grid2"])
    for _again in range(2):
        result = send(register, {"entry": str(entry.pk), "outcome": "done", "note": "阉茂说好"}, item=item)
        assert result.status == "conflict"
        assert result.problem is not None
        assert (result.problem["code"], result.problem["current"]) == (
            "care_gone" if how == "withdrawn" else "care_given", {"forget": str(entry.pk)})
    receipt = Receipt.objects.get()
    assert receipt.body is None, "words about a person are not kept where the register keeps none"
    assert receipt.settled_at is not None
    assert not CareVisit.objects.exists()
    if how == "withdrawn":
        assert in_database(NEEDLES) == []
    said = {"id": str(uuid.uuid4()), "kind": "abandon", "made_at": now().isoformat(), "settles": str(item),
            "body": {"item": str(item), "why": "不用再去"}, "files": []}
    (given_up,) = inbox.take(worker(register), [(uuid.UUID(said["id"]), said)], sent_at=now())
    assert given_up.status == "accepted"


def test_help_goes_out_and_the_telephone_forgets(register: Register) -> None:
    entry = register.entry()
    actions.withdraw(by=register.by("keeper"), pk=entry.pk)
    result = send(register, {"entry": str(entry.pk), "outcome": "needs_help", "words": "花园社区有位老人摔倒。"})
    assert (result.status, result.answer) == ("accepted", {"visit": False, "case": True, "forget": str(entry.pk)})
    assert Case.objects.count() == 1


@pytest.mark.parametrize(("body", "field"), [
    ({"outcome": "done"}, "entry"), ({"entry": "x", "outcome": "done"}, "entry"),
    ({"entry": str(uuid.uuid4()), "outcome": "done", "score": 5}, "score"),
    ({"entry": str(uuid.uuid4()), "outcome": "needs_help"}, "words"), ({"entry": str(uuid.uuid4()), "outcome": "slept"}, "outcome"),
])
def test_a_fault_is_refused_by_name(register: Register, body: dict[str, Any], field: str) -> None:
    result = send(register, body)
    assert result.status == "refused"
    assert result.problem is not None
    assert list(result.problem["fields"]) == [field]
    assert Receipt.objects.get().body is None


@pytest.mark.parametrize("who", ["lead", "keeper", "admin"])
def test_who_visits_nobody_is_refused(register: Register, who: str) -> None:
    entry = register.entry()
    assert send(register, {"entry": str(entry.pk), "outcome": "done"}, username=who).status == "refused"
    assert not CareVisit.objects.exists()


def test_two_visits_at_one_moment_are_two(register: Register) -> None:
    entry = register.entry()
    for outcome in ("not_at_home", "done"):
        assert send(register, {"entry": str(entry.pk), "outcome": outcome}).status == "accepted"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM care_carevisit")
        assert cursor.fetchone() == (2,)
    assert CareEntry.objects.get().visits.count() == 2
