"""Telephones: who is let in, who is shut out by whom, what is written down of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianxin.fieldwork import devices
from lianxin.fieldwork.models import Device
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import SYSTEM, actor_for
from tests.fieldwork.phones import Phone
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def test_a_secret_is_shown_once_and_kept_as_a_hash(world: World, monday: Frozen) -> None:
    made = devices.enrol(staff=world.staff["grid"], name="  我的\n华为 ", by=world.actor("grid"))
    assert made.secret.startswith("lxd_")
    row = Device.objects.get()
    assert (row.name, row.hint, row.enrolled_at) == ("我的 华为", made.secret[-4:], now())
    assert made.secret.encode() not in bytes(row.digest)
    assert devices.read(made.secret) == row


@pytest.mark.parametrize("secret", ["", "lxd_", "lxd_" + "x" * 43, "lx_abc", "lxd_" + "x" * 5000, "lxd_\x00"])
def test_secrets_that_are_none(world: World, secret: str) -> None:
    Phone.of(world)
    with pytest.raises(devices.DeviceUnknown):
        devices.read(secret)


def test_only_the_worker_lets_a_telephone_in(world: World, monday: Frozen) -> None:
    grid = world.staff["grid"]
    for by in (world.actor("admin"), world.actor("operator"), RESIDENT, SYSTEM,
               actor_for(grid, scopes=frozenset({"*"}))):
        with pytest.raises(NotAllowed):
            devices.enrol(staff=grid, name="手机", by=by)
    with pytest.raises(NotAllowed):
        devices.enrol(staff=world.staff["operator"], name="手机", by=world.actor("operator"))
    with pytest.raises(Invalid):
        devices.enrol(staff=grid, name=" \u200b ", by=world.actor("grid"))
    assert not Device.objects.exists()


def test_ten_at_most(world: World, monday: Frozen) -> None:
    phones = [Phone.of(world, name=f"第{n}台") for n in range(devices.DEVICES_OF_ONE)]
    with pytest.raises(Conflict) as caught:
        Phone.of(world)
    assert caught.value.code == "too_many_devices"
    devices.shut_out(device_id=phones[0].worker.device_id, by=world.actor("grid"), why="卖了")  # type: ignore[arg-type]
    Phone.of(world)


def test_shut_out_needs_a_reason_and_happens_once(world: World, monday: Frozen) -> None:
    pk: Any = Phone.of(world).worker.device_id
    admin = world.actor("admin")
    with pytest.raises(Invalid):
        devices.shut_out(device_id=pk, by=admin, why="  ")
    with pytest.raises(Conflict):
        devices.give_back(device_id=pk, by=admin)
    row = devices.shut_out(device_id=pk, by=admin, why="丢了")
    assert (row.shut_out_at, row.shut_out_by_id, row.why) == (now(), world.staff["admin"].pk, "丢了")
    with pytest.raises(Conflict):
        devices.shut_out(device_id=pk, by=admin, why="丢了")
    row = devices.give_back(device_id=pk, by=admin)
    assert (row.shut_out_at, row.shut_out_by_id, row.why) == (None, None, "")
    with pytest.raises(NotFound):
        devices.shut_out(device_id=uuid7(), by=admin, why="丢了")


def test_whoever_found_it_cannot_give_it_back(world: World, monday: Frozen) -> None:
    pk: Any = Phone.of(world).worker.device_id
    grid = world.actor("grid")
    devices.shut_out(device_id=pk, by=grid, why="丢了")
    with pytest.raises(NotAllowed):
        devices.give_back(device_id=pk, by=grid)
    for who in ("operator", "urban", "water", "east_supervisor"):
        with pytest.raises(NotAllowed):
            devices.give_back(device_id=pk, by=world.actor(who))


def test_an_empty_queue_is_noted_at_once(world: World, monday: Frozen) -> None:
    Phone.of(world)
    row = Device.objects.get()
    devices.note_seen(row, at=now(), version="1.0", waiting=7)
    row.refresh_from_db()
    assert (row.waiting, row.version) == (7, "1.0")
    devices.note_seen(row, at=now() + timedelta(seconds=5), version="1.1", waiting=3)
    row.refresh_from_db()
    assert (row.waiting, row.version) == (7, "1.0")
    devices.note_seen(row, at=now() + timedelta(seconds=9), version="1.1", waiting=0)
    row.refresh_from_db()
    assert (row.waiting, row.version, row.seen_at) == (0, "1.1", now() + timedelta(seconds=9))
