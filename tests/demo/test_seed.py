"""The cases a demo starts with: lived through by the real actions, whatever the city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lianxin.cases.models import Case, Event, State
from lianxin.cases.rebuild import differences
from lianxin.demo import accounts, seed
from lianxin.kernel import clock
from lianxin.organisations.models import ApiToken, Role, Staff
from tests.world import World

HEAD = ",".join(seed.COLUMNS) + "\n"
pytestmark = pytest.mark.django_db


@pytest.fixture
def noon() -> Iterator[clock.Frozen]:
    with clock.frozen(datetime(2026, 11, 25, 4, 0, tzinfo=UTC)) as frozen:
        yield frozen


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_story_is_lived_through(world: World, noon: clock.Frozen, tmp_path: Path) -> None:
    from lianxin.cases.models import Phrase

    Phrase.objects.create(list="return_reason", code="other_unit_leads", name="应由其他单位主办")
    lines = []
    for number, story in enumerate(seed.STORIES):
        hours = 90 + number if story != "callback_sampled" else 80  # a campaign decides for what comes after it
        channel = "web" if number % 2 and story != "answered" else "phone"
        lines.append(f"{story},{hours},010102,990101001001,{channel},yes,第{number}件事说的是噪声。,已处理。,court")
    assert seed.seed(written(tmp_path, *lines)) == len(seed.STORIES)
    found = {case.words: case for case in Case.objects.all()}
    ends = dict(zip(seed.STORIES, (found[f"第{number}件事说的是噪声。"].state for number in range(len(lines))), strict=True))
    assert ends == {
        "registered": State.REGISTERED, "accepted": State.ACCEPTED, "dispatched": State.DISPATCHED,
        "in_hand": State.IN_HAND, "assisted": State.IN_HAND, "objected": State.OBJECTED, "replied": State.REPLIED,
        "callback": State.CALLBACK, "callback_missed": State.CALLBACK, "closed": State.CLOSED,
        "explained": State.CLOSED, "reopened": State.DISPATCHED, "redone": State.CLOSED, "answered": State.CLOSED,
        "declined": State.DECLINED, "withdrawn": State.WITHDRAWN, "callback_sampled": State.CALLBACK,
        "contested": State.CALLBACK, "to_decide": State.CALLBACK, "paused": State.IN_HAND, "more_time": State.IN_HAND,
        "urged": State.IN_HAND, "supervised": State.DISPATCHED, "order_answered": State.IN_HAND, "listed": State.IN_HAND,
        "same_matter": State.MERGED,
    }
    assert [differences(pk) for pk in Case.objects.values_list("pk", flat=True)] == [[]] * len(lines)
    assert not Event.objects.filter(at__gt=clock.now()).exists()
    assert Case.objects.filter(publication="public").exists()


def test_a_city_with_cases_is_left_alone(world: World, tmp_path: Path) -> None:
    world.case()
    assert seed.seed(written(tmp_path, "registered,1,,990101001001,web,no,路灯不亮。,,")) == 0
    assert Case.objects.count() == 1


@pytest.mark.parametrize(("line", "said"), [
    ("flown,1,,990101001001,web,no,路灯不亮。,,", "line 2: unknown story 'flown'"),
    ("registered,soon,,990101001001,web,no,路灯不亮。,,", "line 2: hours_ago 'soon' is not a number"),
])
def test_a_bad_row_is_named(world: World, tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(seed.SeedError, match=said):
        seed.seed(written(tmp_path, line))


def test_accounts_keep_passwords_and_clerks(world: World, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    first = accounts.make(path)
    accounts.write(path, "http://127.0.0.1:8000", first)
    assert path.stat().st_mode & 0o777 == 0o600
    from lianxin.organisations.accounts import OPTIONAL_ROLES

    assert {account.role for account in first} == set(Role.values) - OPTIONAL_ROLES  # the small city has nobody for those
    case_id = world.accepted()
    from lianxin.cases.actions import dispatch

    dispatch(world.on(case_id, "dispatcher"), lead_unit="water")  # another unit is the busiest now
    again = accounts.make(path)
    assert again == first
    assert ApiToken.objects.count() == len(first)
    for account in again:
        assert Staff.objects.get(username=account.username).check_password(account.password)


def test_clerks_come_from_the_busiest_units(world: World, tmp_path: Path) -> None:
    from lianxin.cases.actions import dispatch

    for _number in range(2):
        dispatch(world.on(world.accepted(), "dispatcher"), lead_unit="west")
    clerks = [account for account in accounts.make(tmp_path / "demo.json") if account.role == Role.CLERK]
    assert "西县政府" in [account.unit for account in clerks]
    assert len({account.unit for account in clerks}) == len(clerks) == accounts.CLERKS
