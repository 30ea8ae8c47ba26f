"""Turning the keys over on real rows: whole, killed half-way, while new cases come in; and keyrings that do not fit."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from lianxin.cases import keys
from lianxin.cases.actions.identity import open_identity, read_identity
from lianxin.cases.models import Case, Reporter
from lianxin.kernel import crypto
from lianxin.kernel.crypto import Keyring, KeyringError, key_id_of
from tests.world import World


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def people(world: World, count: int, start: int = 0) -> dict[Any, tuple[str, str]]:
    made = {}
    for number in range(start, start + count):
        name, phone = f"甲{number}", f"139{number:08d}"
        case_id = world.case(name=name, phone=phone, address="巷1号" if number % 2 else "", email="")
        made[Case.objects.get(pk=case_id).reporter_id] = (name, phone)
    return made


def all_open(said: dict[Any, tuple[str, str]]) -> bool:
    return {one.pk: (open_identity(one).name, open_identity(one).phone) for one in Reporter.objects.all()} == said


def settle(path: Path) -> None:
    """As if the file had been written an hour ago."""
    at = path.stat().st_mtime - 3600
    os.utime(path, (at, at))


@pytest.mark.django_db
def test_one_rotation(world: World, keyfile: Path) -> None:
    said = people(world, 25)
    assert keys.usage() == {"k1": 25 * 2 + 12}
    told = command("--batch", "10")
    assert "k2" in told
    assert "25" in told
    assert keys.usage() == {"k2": 25 * 2 + 12}
    assert all_open(said)
    assert "k1  旧  0" in command("--status")
    with pytest.raises(CommandError, match="分钟"):
        command("--retire")
    assert sorted(Keyring.read(keyfile).encryption) == ["k1", "k2"], "too soon: nothing is forgotten"
    settle(keyfile)
    assert "k1" in command("--retire")
    assert sorted(Keyring.read(keyfile).encryption) == ["k2"]
    assert all_open(said)
    settle(keyfile)
    command("--retire")
    case = Case.objects.first()
    assert case is not None
    assert read_identity(world.on(case.pk, "operator"), why="核实").name == "甲0"


@pytest.mark.django_db
def test_a_rotation_that_was_killed_is_carried_on(world: World, keyfile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = people(world, 25)
    seal, count = keys._reseal, 0

    def killed(*sealed: Any) -> bool:
        nonlocal count
        count += 1
        if count == 18:
            raise KeyboardInterrupt
        return seal(*sealed)

    monkeypatch.setattr(keys, "_reseal", killed)
    with pytest.raises(KeyboardInterrupt):
        command("--batch", "5")
    used = keys.usage()
    assert set(used) == {"k1", "k2"}, "three batches of five were done, the fourth was undone as a whole"
    assert len({one.pk for one in Reporter.objects.all() if key_id_of(bytes(one.name)) == "k2"}) == 15
    assert all_open(said), "half-way everything can be read"
    settle(keyfile)
    with pytest.raises(CommandError, match="k1"):
        command("--retire")
    monkeypatch.undo()
    command()
    assert sorted(Keyring.read(keyfile).encryption) == ["k1", "k2"], "the same rotation, no third key"
    assert set(keys.usage()) == {"k2"}
    assert all_open(said)


@pytest.mark.django_db(transaction=True)
def test_the_site_runs_on_meanwhile(keyfile: Path) -> None:
    world = World.make()
    said = people(world, 30)
    stop, faults, late = threading.Event(), [], {}

    def calls() -> None:
        try:
            number = 100
            while not stop.is_set() or number < 110:
                late.update(people(world, 1, number))
                case = Case.objects.order_by("-id").first()
                assert case is not None
                assert read_identity(world.on(case.pk, "operator"), why="核实").name == f"甲{number}"
                number += 1
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=calls)
    thread.start()
    try:
        for _round in range(3):
            command("--batch", "7")
    finally:
        stop.set()
        thread.join()
    assert not faults
    command()
    assert set(keys.usage()) == {keys.keyring().current}
    assert all_open(said | late)


@pytest.mark.django_db
def test_a_key_prepared_first_is_the_next_one(world: World, keyfile: Path) -> None:
    said = people(world, 3)
    assert "k2" in command("--prepare")
    prepared = Keyring.read(keyfile)
    assert (prepared.current, sorted(prepared.encryption)) == ("k1", ["k1", "k2"])
    command("--prepare")
    assert Keyring.read(keyfile) == prepared, "one at a time"
    settle(keyfile)
    assert "没有" in command("--retire"), "a prepared key is not an old one"
    command()
    assert Keyring.read(keyfile).encryption == prepared.encryption
    assert set(keys.usage()) == {"k2"}
    assert all_open(said)


@pytest.mark.django_db
def test_a_value_nobody_can_open_holds_up_nothing_and_is_named(
    world: World, keyfile: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = people(world, 5)
    broken = list(said)[2]
    value = bytearray(bytes(Reporter.objects.get(pk=broken).name))
    value[-1] ^= 1
    Reporter.objects.filter(pk=broken).update(name=bytes(value))
    with pytest.raises(CommandError, match="1"):
        command()
    assert str(broken) in caplog.text
    assert keys.usage()["k2"] == 4 * 2 + 2  # the four others whole; of the broken one nothing
    assert keys.usage()["k1"] == 2


@pytest.mark.django_db
def test_a_keyring_that_is_not_this_databases_is_said(world: World, keyfile: Path, client: Client) -> None:
    people(world, 3)
    keys.verify()
    assert client.get("/readyz").status_code == 200
    right = keyfile.read_bytes()
    Keyring.fresh().write(keyfile)  # the same key id, another key
    with pytest.raises(KeyringError, match=r"keyring\.json .*放回去") as caught:
        keys.verify()
    assert right.decode() not in str(caught.value)
    assert client.get("/readyz").status_code == 503
    with pytest.raises(CommandError, match="放回去"):
        command()
    assert Keyring.read(keyfile).current == "k1", "no rotation on top of a wrong keyring"
    keyfile.unlink()
    with pytest.raises(CommandError, match=r"keyring\.json cannot be read"):
        command("--status")
    assert client.get("/readyz").status_code == 503
    assert b"keyring" in client.get("/readyz").content
    with pytest.raises(KeyringError):
        world.case(phone="13900000000")
    assert Reporter.objects.count() == 3
    keyfile.write_bytes(right)
    keys.verify()
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_web_process_does_not_start_on_a_foreign_keyring(world: World, keyfile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections

    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test's own transaction stays
    from lianxin.config.wsgi import refuse_a_foreign_keyring

    refuse_a_foreign_keyring()
    people(world, 2)
    refuse_a_foreign_keyring()
    Keyring.fresh().write(keyfile)
    with pytest.raises(SystemExit, match="放回去"):
        refuse_a_foreign_keyring()
    keyfile.unlink()
    with pytest.raises(SystemExit, match=r"keyring\.json cannot be read"):
        refuse_a_foreign_keyring()


@pytest.mark.django_db
def test_pages_without_a_keyring_fail_in_plain_words(world: World, keyfile: Path) -> None:
    keyfile.unlink()
    crypto.reload()
    client = Client(raise_request_exception=False)
    response = client.post("/track/", {"code": "K7QM3-9XTPA"})
    assert response.status_code >= 500
    body = response.content.decode()
    assert "Traceback" not in body
    assert str(keyfile) not in body


@pytest.mark.django_db
def test_the_newest_prepared_key_and_names_of_another_kind(keyfile: Path) -> None:
    ring = Keyring.read(keyfile)
    other = Keyring("main", {"main": ring.encryption["k1"]}, ring.lookup, ring.tracking)
    assert (other.newest, other.is_prepared("main")) == ("main", False)
    assert other.rotated().current == "k1"
    assert sorted(other.rotated().encryption) == ["k1", "main"]
