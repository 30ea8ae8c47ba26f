"""What the night clears away: contents nobody settled, reasons whose time is over. Receipts stay."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.cases.keys import reseal_all, usage
from lianxin.fieldwork import inbox
from lianxin.fieldwork.housekeeping import keep_house
from lianxin.fieldwork.models import Receipt
from lianxin.kernel.clock import Frozen, now
from tests.fieldwork.phones import Phone, item, statuses
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def disk(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def test_what_nobody_settled_is_deleted_in_its_time_and_stays_refused(world: World, monday: Frozen, settings: Any) -> None:
    phone = Phone.of(world)
    sent = item("dance", {"how": "好看"})
    first = phone.push(sent)
    monday.move(days=settings.LIANXIN_FIELD_UNSETTLED_DAYS)
    assert keep_house(now())["bodies"] == 0
    monday.move(seconds=1)
    assert keep_house(now())["bodies"] == 1
    row = Receipt.objects.get()
    assert (row.body, row.settled_at, inbox.body_of(row)) == (None, now(), None)
    assert phone.push(sent) == first
    assert statuses(phone.push(item("abandon", {"item": sent["id"], "why": "算了"}))) == ["accepted"]


def test_reasons_go_and_codes_stay(world: World, monday: Frozen, settings: Any) -> None:
    phone = Phone.of(world)
    refused, done = item("dance"), item()
    phone.push(refused, done, item("abandon", {"item": refused["id"], "why": "王小明说不用了"}))
    row = Receipt.objects.get(pk=refused["id"])
    assert row.answer["given_up"] == "王小明说不用了"
    monday.move(days=settings.LIANXIN_RETENTION_DAYS["words"], seconds=1)
    assert keep_house(now())["answers"] == 1
    row.refresh_from_db()
    assert row.answer == {"code": "kind_unknown"}
    again, accepted = phone.push(refused, done)
    assert (again.status, again.problem and again.problem["code"], accepted.status) == ("refused", "kind_unknown", "accepted")
    assert keep_house(now())["answers"] == 0


def test_sealed_contents_are_sealed_anew_when_keys_turn(world: World, monday: Frozen, tmp_path: Any, settings: Any) -> None:
    from lianxin.kernel import crypto

    path = tmp_path / "keyring.json"
    crypto.Keyring.fresh().write(path)
    settings.LIANXIN_KEYRING = str(path)
    crypto.reload()
    try:
        phone = Phone.of(world)
        sent = item("dance", {"how": "好看"})
        phone.push(sent)
        old = crypto.keyring().current
        crypto.Keyring.rotate(path)
        assert usage() == {old: 1}
        assert reseal_all().rows == 1
        assert set(usage()) == {crypto.keyring().current} != {old}
        held = inbox.body_of(Receipt.objects.get())
        assert held is not None
        assert held["body"] == {"how": "好看"}
    finally:
        crypto.reload()
