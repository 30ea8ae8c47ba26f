"""Who looked at an identity, when and why: listed for those who answer for it, for nobody else."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from lianxin.cases.actions.identity import read_identity
from lianxin.cases.models import Case, IdentityReading
from lianxin.cases.readings import readings
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.organisations.actors import SYSTEM
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def looked(world: World, monday: Frozen) -> World:
    first, second = world.accepted(area="990101001001", name="王小明"), world.accepted(area="990102", email="a@b.cn")
    read_identity(world.on(first, "operator"), why="核实地址")
    monday.move(days=1)
    read_identity(world.on(second, "dispatcher"), why="=HYPERLINK(\"x\")")
    return world


def test_a_look_is_written_down_with_who_when_why(looked: World) -> None:
    first, second = readings(SYSTEM)
    assert (first.username, first.unit, first.why, first.fields) == ("operator", "12345热线中心", "核实地址", ("name", "phone"))
    assert (now() - first.at).days == 1
    assert second.fields == ("phone", "email")
    assert {first.number, second.number} == set(Case.objects.values_list("number", flat=True))


@pytest.mark.parametrize(("who", "seen"), [("admin", 2), ("supervisor", 2), ("east_supervisor", 1)])
def test_who_may_list_them(looked: World, who: str, seen: int) -> None:
    assert len(list(readings(looked.actor(who)))) == seen


@pytest.mark.parametrize("who", ["operator", "dispatcher", "reviewer", "callback", "urban", "east", "grid"])
def test_who_may_not(looked: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        next(readings(looked.actor(who)))


def test_no_look_without_a_reason_or_a_right(world: World) -> None:
    case_id = world.accepted()
    with pytest.raises(Invalid):
        read_identity(world.on(case_id, "operator"), why="  \n ")
    for who in ("reviewer", "supervisor", "admin"):
        with pytest.raises((NotAllowed, NotFound)):
            read_identity(world.on(case_id, who), why="看看")
    assert not IdentityReading.objects.exists()


def test_the_ledger_cannot_be_altered(looked: World) -> None:
    from django.db import IntegrityError, transaction

    for statement in ("UPDATE cases_identityreading SET why = 'x'", "DELETE FROM cases_identityreading"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def listed(*arguments: str) -> list[list[str]]:
    out = io.StringIO()
    call_command("identity_readings", *arguments, stdout=out)
    return list(csv.reader(io.StringIO(out.getvalue())))


def test_the_command_writes_csv(looked: World, tmp_path: Path) -> None:
    head, first, second = listed()
    assert head == ["at", "number", "username", "name", "unit", "why", "fields"]
    assert first[0] == "2026-11-23T10:00:00+08:00"
    assert first[2:] == ["operator", "operator甲", "12345热线中心", "核实地址", "name|phone"]
    assert second[5] == "'=HYPERLINK(\"x\")", "no spreadsheet runs it"
    assert len(listed("--since", "2026-11-24")) == 2
    assert len(listed("--until", "2026-11-23")) == 2
    assert len(listed("--case", first[1])) == 2
    assert len(listed("--staff", "dispatcher")) == 2
    assert len(listed("--staff", "nobody")) == 1
    file = tmp_path / "readings.csv"
    assert listed("--output", str(file)) == []
    assert file.read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets read the Chinese"
    assert "王小明" not in file.read_text()
    with pytest.raises(CommandError):
        listed("--output", str(tmp_path / "no" / "x.csv"))
    with pytest.raises(CommandError):
        listed("--since", "gestern")
