"""Who raised a case, written down after it was registered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lianxin.cases import actions as a
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.models import Case, Event, Submission
from lianxin.kernel.clock import Frozen
from lianxin.kernel.crypto import Keyring, lookup_hash
from lianxin.kernel.errors import Conflict, Invalid
from tests.world import World

pytestmark = pytest.mark.django_db


def test_what_was_not_known_is_added_and_what_is_known_stays(world: World, monday: Frozen) -> None:
    case_id = world.case(name="", phone="")
    assert Case.objects.get(pk=case_id).reporter_id is None
    a.add_reporter(world.on(case_id, "operator"), phone="138 1234 2201")
    a.add_reporter(world.on(case_id, "operator"), name="王小明", phone="13812342201")
    held = Case.objects.select_related("reporter").get(pk=case_id).reporter
    assert held is not None
    assert bytes(held.phone_hash or b"") == lookup_hash("13812342201", purpose="phone")
    seen = read_identity(world.on(case_id, "operator"), why="回电")
    assert (seen.name, seen.phone) == ("王小明", "13812342201")
    with pytest.raises(Conflict, match="登记过的不改"):
        a.add_reporter(world.on(case_id, "operator"), phone="13900000000")
    assert [event.data["fields"] for event in Event.objects.filter(case_id=case_id, action="add_reporter").order_by("id")] == [
        ["phone"], ["name"]]
    assert "13812342201" not in str(list(Event.objects.filter(case_id=case_id).values()))


@pytest.mark.parametrize(("fields", "wrong"), [({}, "phone"), ({"phone": "12"}, "phone"), ({"phone": "没有"}, "phone")])
def test_nothing_and_what_is_no_number_are_refused(world: World, monday: Frozen, fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(Invalid) as error:
        a.add_reporter(world.on(world.case(name="", phone=""), "operator"), **fields)
    assert wrong in error.value.fields


def test_the_number_cannot_be_found_by_trying_from_what_is_kept_of_the_write(
        world: World, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a write with a key asked for is kept as a keyed hash: under other keys the same is another."""
    on = replace(world.on(world.case(name="", phone=""), "operator"), key=b"k" * 32)
    a.add_reporter(on, phone="13812342201")
    kept = bytes(Submission.objects.get(key=on.key).fingerprint)
    assert a.add_reporter(on, phone="13812342201").replayed
    monkeypatch.setattr("lianxin.kernel.crypto.keyring", Keyring.fresh)
    with pytest.raises(Conflict, match="另一项内容"):
        a.add_reporter(on, phone="13812342201")
    assert len(kept) == 32
