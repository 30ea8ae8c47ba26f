"""Limits and notice rules are changed for the future only: what was in force stays, and every try to rewrite it is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from lianxin.cases.models import Clock, DutyLimit, NoticeRule, TimeLimit
from lianxin.cases.reference import reference
from lianxin.city.faults import BadCity
from lianxin.city.load import load
from lianxin.kernel.clock import Frozen
from tests.city.conftest import append, edit

pytestmark = pytest.mark.django_db
T, D, N = "time_limits.csv", "duty_limits.csv", "notice_rules.csv"
ORDINARY = ",,,ordinary,working,240,420,1260,普通,2021-01-01,"


def _faults(hill: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(BadCity) as caught:
        load(hill)
    return [(one.file, one.line, one.reason) for one in caught.value.faults]


@pytest.mark.parametrize(("file", "old", "new", "line", "told"), [
    (T, ORDINARY, ORDINARY.replace("1260", "2100"), 3, "不能改 resolve"),
    (T, ORDINARY, ORDINARY.replace("240,420", "120,420"), 3, "不能改 sign_for"),
    (T, ORDINARY, ORDINARY.replace("working", "around_the_clock"), 3, "不能改 calendar"),
    (D, "退单裁定,2021-01-01,", "退单裁定,2021-01-01,2026-11-22", 2, "今天或以后"),
    (T, ORDINARY, ORDINARY.replace("2021-01-01,", "2020-01-01,"), 3, "从今天或以后生效"),
    (D, "ruling,,,working,420", "ruling,,,working,840", 2, "不能改 minutes"),
    (D, "supervision,,,working,840,督办答复,2021-01-01,\n", "", 0, "不能删掉"),
    (N, "0.25", "0.5", 2, "不能改 share_left"),
    (N, "officer|unit_head", "officer", 2, "不能改 to"),
    (N, "late,escalation,,,,0", "late,escalation,,,,420", 3, "不能改 minutes_after"),
    (N, "early,reminder,resolve|first_contact,,0.25,,officer|unit_head,提醒,2021-01-01,\n", "", 0, "不能删掉"),
])
def test_the_past_is_not_rewritten(hill: Path, monday: Frozen, file: str, old: str, new: str, line: int, told: str) -> None:
    load(hill)
    before = list(TimeLimit.objects.order_by("id").values()), list(DutyLimit.objects.values()), list(NoticeRule.objects.values())
    edit(hill / file, old, new)
    found = _faults(hill)
    assert any(one[:2] == (file, line) and told in one[2] for one in found), found
    assert before == (list(TimeLimit.objects.order_by("id").values()), list(DutyLimit.objects.values()),
                      list(NoticeRule.objects.values()))


@pytest.mark.parametrize("file", [T, D, N])
def test_a_new_row_does_not_reach_back(hill: Path, monday: Frozen, file: str) -> None:
    load(hill)
    append(hill / file, {
        T: "010101,,,ordinary,working,60,120,240,急修,2026-11-22,", D: "callback,,,working,420,回访,2026-11-22,",
        N: "week,circular,,,,2100,leader,通报,2026-11-22,"}[file])
    assert "从今天或以后生效" in _faults(hill)[0][2]


def test_a_row_ends_today_and_another_follows_while_clocks_keep_what_they_have(hill: Path, monday: Frozen) -> None:
    from lianxin.cases.actions import Intake, register
    from lianxin.organisations.actors import Actor, Kind

    def resolve() -> Clock:
        made = register(intake=Intake(words="家里没水。", category="010101", lon=121.006, lat=31.005),
                        by=Actor(kind=Kind.REPORTER, via="web"))
        return Clock.objects.get(case=made.case_id, kind="resolve")

    load(hill)
    first = resolve()
    edit(hill / T, ORDINARY, ORDINARY + "2026-11-23\n" + ORDINARY.replace("1260", "840").replace("2021-01-01", "2026-11-23"))
    loaded = load(hill)
    assert (loaded.changes["time_limits"].added, loaded.changes["time_limits"].changed) == (1, 1)
    assert TimeLimit.objects.get(track="ordinary", urgency="", valid_from=date(2021, 1, 1)).valid_to == date(2026, 11, 23)
    assert (first.limit_minutes, resolve().limit_minutes) == (1260, 840)
    first.refresh_from_db()
    assert first.limit_minutes == 1260
    # A row of the future may still be changed, and taken back.
    append(hill / D, "ruling,urgent,,around_the_clock,60,急,2026-12-01,")
    load(hill)
    edit(hill / D, "around_the_clock,60,急", "around_the_clock,90,急")
    load(hill)
    assert DutyLimit.objects.get(urgency="urgent").minutes == 90
    edit(hill / D, "ruling,urgent,,around_the_clock,90,急,2026-12-01,\n", "")
    load(hill)
    assert not DutyLimit.objects.filter(urgency="urgent").exists()


def test_what_is_long_over_may_leave_the_file_and_stays_known(hill: Path, monday: Frozen) -> None:
    load(hill)
    edit(hill / N, "officer|unit_head,提醒,2021-01-01,", "officer|unit_head,提醒,2021-01-01,2026-11-24")
    load(hill)
    monday.move(days=3)
    edit(hill / N, "early,reminder,resolve|first_contact,,0.25,,officer|unit_head,提醒,2021-01-01,2026-11-24\n", "")
    load(hill)
    assert NoticeRule.objects.get(code="early").valid_to == date(2026, 11, 24)


def test_a_unit_that_is_gone_takes_its_rows_with_it(hill: Path, monday: Frozen) -> None:
    append(hill / T, "")
    edit(hill / T, "valid_from,valid_to", "valid_from,valid_to,unit")
    text = (hill / T).read_text(encoding="utf-8").splitlines()
    (hill / T).write_text("\n".join([text[0], *(f"{line}," for line in text[1:] if line)]) + "\n", encoding="utf-8")
    append(hill / T, "010101,,,ordinary,working,60,120,240,水利局的急修,2026-11-23,,water")
    append(hill / D, "ruling,,water,working,840,水利局的退单,2021-01-01,")
    load(hill)
    held = reference()
    water = held.units_by_code["water"].id
    mine = held.limits_for(category_id=held.nodes_by_code["010101"].id, kind="help", urgency="normal", on=date(2026, 11, 23),
                           unit_id=water)
    assert (mine.resolve, mine.of_a_unit) == (240, True)
    monday.move(days=1)
    for name, old in (("units.csv", "water,云山市水利局"), ("staff.csv", "water1,水生"), (T, "010101,,,ordinary,working,60"),
                      (D, "ruling,,water")):
        lines = (hill / name).read_text(encoding="utf-8").splitlines()
        (hill / name).write_text("\n".join(line for line in lines if not line.startswith(old)) + "\n", encoding="utf-8")
    for name, old, new in (("catalogue.csv", "010101,停水,,water,town", "010101,停水,,town,"),
                           ("catalogue.csv", "010102,水管破裂,,water,", "010102,水管破裂,,town,"),
                           ("knowledge/water.yaml", "unit: water", "unit: town")):
        edit(hill / name, old, new)
    load(hill)
    assert TimeLimit.objects.get(unit__code="water").valid_to == date(2026, 11, 24)
    assert DutyLimit.objects.get(unit__code="water").valid_to == date(2026, 11, 24)


def _added(file: str, line: str) -> Callable[[Path], None]:
    return lambda folder: append(folder / file, line)


@pytest.mark.parametrize(("spoil", "file", "line", "told"), [
    (_added(D, "sign_for,,,working,60,,2021-01-01,"), D, 4, "sign_for"),
    (_added(D, "callback,,nobody,working,60,,2021-01-01,"), D, 4, "没有 nobody"),
    (_added(D, "callback,,,lunar,60,,2021-01-01,"), D, 4, "没有 lunar"),
    (_added(D, "ruling,,,working,60,,2022-01-01,"), D, 4, "有效期重叠"),
    (_added(N, "x,reminder,,,0.2,0,officer,,2021-01-01,"), N, 4, "写一个"),
    (_added(N, "x,reminder,,,,,officer,,2021-01-01,"), N, 4, "写一个"),
    (_added(N, "x,reminder,,,1,,officer,,2021-01-01,"), N, 4, "小数"),
    (_added(N, "x,reminder,,,0.0,,officer,,2021-01-01,"), N, 4, "小数"),
    (_added(N, "x,shout,,,0.2,,officer,,2021-01-01,"), N, 4, "shout"),
    (_added(N, "x,reminder,lunch,,0.2,,officer,,2021-01-01,"), N, 4, "lunch"),
    (_added(N, "x,reminder,,,0.2,,mayor,,2021-01-01,"), N, 4, "mayor"),
    (_added(N, "x,reminder,,,0.2,,,,2021-01-01,"), N, 4, "to 不能为空"),
])
def test_what_is_wrong_is_named(hill: Path, spoil: Callable[[Path], None], file: str, line: int, told: str) -> None:
    spoil(hill)
    found = _faults(hill)
    assert any(one[:2] == (file, line) and told in one[2] for one in found), found


def test_without_the_files_the_programs_own_limits_hold_and_nobody_is_told(hill: Path) -> None:
    (hill / D).unlink()
    (hill / N).unlink()
    load(hill)
    assert not DutyLimit.objects.exists()
    assert not NoticeRule.objects.exists()
