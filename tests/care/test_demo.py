"""The demo's entries: lived through by the real actions, of people who say that they were made up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lianxin.care import queries
from lianxin.care.models import CareEntry, CareVisit
from lianxin.care.sealing import opened
from lianxin.demo import care
from lianxin.demo.seed import SeedError
from lianxin.kernel.clock import now
from tests.care.made import AREA, Register

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[2] / "cities" / "yueyang" / "demo" / "care.csv"
HEAD = ",".join(care.COLUMNS) + "\n"


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "care.csv"
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_are_lived_through_at_their_times_and_once(register: Register, tmp_path: Path) -> None:
    path = written(tmp_path, f"20,{AREA},演示人物·甲,示例巷,,,想有人来,7,spoken,演示见证,done 10;not_at_home 2;not_at_home 1",
                   f"3,{AREA},演示人物·乙,示例巷,,,想有人来,7,paper,,")
    assert care.seed(path) == 2
    assert care.seed(path) == 0
    first = CareEntry.objects.order_by("made_at")[0]
    assert (first.made_at, first.absences, first.told) == (now() - timedelta(days=20), 2, "not_at_home")
    assert opened(first).witness == "演示见证"
    assert CareVisit.objects.count() == 3
    assert queries.register(register.by("keeper")).total == 2


@pytest.mark.parametrize(("line", "told"), [
    (f"x,{AREA},甲,巷,,,想,7,paper,,", "line 2"), (f"1,{AREA},甲,巷,,,想,7,paper,,slept 1", "line 2"),
    ("1,990102,甲,巷,,,想,7,paper,,", "keeper"), ("1,no,甲,巷,,,想,7,paper,,", "keeper"),
])
def test_a_bad_row_is_named(register: Register, tmp_path: Path, line: str, told: str) -> None:
    if line.startswith("1,990102"):
        from lianxin.organisations.models import RoleGrant

        RoleGrant.objects.filter(staff__username__in=("keeper", "keeper_west"), role="care_keeper").update(area=register.world.areas[AREA])
    with pytest.raises(SeedError, match=told):
        care.seed(written(tmp_path, line))


def test_all_or_none(register: Register, tmp_path: Path) -> None:
    with pytest.raises(SeedError):
        care.seed(written(tmp_path, f"3,{AREA},演示人物·甲,示例巷,,,想,7,paper,,", "1,no,甲,巷,,,想,7,paper,,"))
    assert not CareEntry.objects.exists()


def test_the_people_of_the_citys_file_are_made_up_and_say_so() -> None:
    rows = care.read(FILE)
    assert len(rows) >= 3
    for row in rows:
        assert row.person.name.startswith("演示人物·"), row
        assert "没有这" in row.person.address, row
        # No local number begins with a nought.
        assert row.person.phone == "" or row.person.phone.startswith("07300"), row
