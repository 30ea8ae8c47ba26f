"""A year's calendar arrives: dates that were provisional are fixed, with an event, once, whoever else is at work."""

from __future__ import annotations

import threading
import uuid
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils.translation import override

from lianxin.cases import actions as a
from lianxin.cases import reference
from lianxin.cases.actions.recomputing import out_of_step, recompute_due_times
from lianxin.cases.clocks import calendar_named
from lianxin.cases.models import Assignment, Case, Clock, Event, MissedCall, State
from lianxin.cases.narrative import headline, said
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import WorkCalendar
from lianxin.worktime import days as worktime_days
from tests.cases.ways import at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db
HERE = ZoneInfo("Asia/Shanghai")
# New Year and a make-up Saturday, as a notice might have them.
YEAR: dict[str, Any] = {"year": 2027, "basis": "试验通知", "holidays": ["2027-01-01", "2027-01-02", "2027-01-03", "2027-01-04"],
                        "worked": ["2027-01-09"]}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE)


def publish(definition: dict[str, Any] | None = None) -> None:
    WorkCalendar.objects.update_or_create(code="working", defaults={
        "name": "工作日", "definition": definition or {"base": "legal", "years": [YEAR]}})


@pytest.fixture
def across(world: World, monday: Frozen) -> uuid.UUID:
    """A case of New Year's Eve: everything it owes falls into a year that nobody has published."""
    monday.set(local("2026-12-31 16:00"))
    case_id = a.register(intake=a.Intake(words="有一件事。", category="010105", kind="help", accept=True),
                         by=world.actor("operator")).case_id
    take(world, case_id, "dispatch", assisting_units=["water"])
    assert Clock.objects.filter(case=case_id, provisional=True).count() == 5
    return case_id


def test_a_date_is_fixed_with_an_event_and_once(world: World, monday: Frozen, across: uuid.UUID) -> None:
    other = a.register(intake=a.Intake(words="另一件。", urgency="urgent", category="010105", accept=True), by=world.actor("operator"))
    version = Case.objects.get(pk=across).version
    assert recompute_due_times().cases == 0, "nothing is known yet"
    publish()
    assert recompute_due_times().cases == 1
    case = Case.objects.get(pk=across)
    assert (case.due_at, case.due_provisional, case.version) == (local("2027-01-07 16:00"), False, version)
    assert not Clock.objects.filter(case=across, provisional=True).exists()
    lead = Assignment.objects.get(case=across, role="lead")
    assert lead.due_at == Clock.objects.get(case=across, kind="sign_for", assignment=lead).due_at == local("2027-01-05 12:00")
    event = Event.objects.filter(case=across).latest("id")
    assert (event.action, event.actor_kind, event.public, len(event.data["clocks"])) == ("recompute_due", "system", True, 5)
    assert datetime.fromisoformat(event.data["before"]) == local("2027-01-05 16:00")
    assert datetime.fromisoformat(event.data["after"]) == local("2027-01-07 16:00")
    assert differences(across) == []
    for _again in range(2):
        assert recompute_due_times().cases == 0
    assert Event.objects.filter(action="recompute_due").count() == 1
    assert not Event.objects.filter(case=other.case_id, action="recompute_due").exists()


def test_the_resident_reads_that_the_date_is_fixed(world: World, monday: Frozen, across: uuid.UUID) -> None:
    assert "暂定" in headline(Case.objects.get(pk=across))
    publish()
    recompute_due_times()
    event = Event.objects.filter(case=across).latest("id")
    with override("zh-hans"):
        assert said(event, internal=False) == (
            "那一年的放假安排公布了，日期定下来了：由 2027 年 1 月 5 日（周二）16:00改为最迟 2027 年 1 月 7 日（周四）16:00前答复您。")
        assert "暂定" not in headline(Case.objects.get(pk=across))
        assert "原定" in said(event, internal=True)
    with override("en"):
        assert "Tue 5 Jan 2027, 16:00" in said(event, internal=False)
        assert "Thu 7 Jan 2027, 16:00" in said(event, internal=False)


def test_a_date_that_was_right_is_told_to_be_certain(world: World, monday: Frozen, across: uuid.UUID) -> None:
    publish({"base": "legal", "years": [{"year": 2027, "holidays": ["2027-05-01"], "worked": []}]})
    recompute_due_times()
    case, event = Case.objects.get(pk=across), Event.objects.filter(case=across).latest("id")
    assert (case.due_at, case.due_provisional) == (local("2027-01-05 16:00"), False)
    with override("zh-hans"):
        assert said(event, internal=False) == "那一年的放假安排公布了，日期定下来了：最迟 2027 年 1 月 5 日（周二）16:00前答复您。"


def test_minutes_of_pauses_and_extensions_are_kept(world: World, monday: Frozen, across: uuid.UUID) -> None:
    clock = Clock.objects.get(case=across, kind="resolve", assignment__isnull=True)
    Clock.objects.filter(pk=clock.pk).update(extended_minutes=420, paused_minutes=60)
    publish()
    recompute_due_times()
    clock.refresh_from_db()
    assert clock.due_at == calendar_named("working").add(clock.started_at, 1260 + 420 + 60).at == local("2027-01-08 17:00")
    assert out_of_step(list(Clock.objects.filter(case=across))) == []


def test_every_running_clock_in_every_open_state(world: World, monday: Frozen) -> None:
    monday.set(local("2026-12-30 16:00"))
    cases = [at_state(world, state) for state in State if state not in ("merged",)]
    publish()
    recompute_due_times()
    reference.forget()
    for case_id in cases:
        running = Clock.objects.filter(case=case_id, met_at__isnull=True, stopped_at__isnull=True)
        assert out_of_step(list(running)) == []
        assert not running.filter(provisional=True).exists()
        assert differences(case_id) == []
    ended = Case.objects.filter(pk__in=cases, closed_at__isnull=False)
    assert not Event.objects.filter(action="recompute_due", case__in=ended).exists()


def test_a_day_off_to_come_moves_what_it_touches_and_nothing_that_is_due(world: World, monday: Frozen) -> None:
    late = a.register(intake=a.Intake(words="早该办的。", category="010105", kind="help", accept=True), by=world.actor("operator"))
    monday.set(local("2026-12-07 10:00"))
    soon = a.register(intake=a.Intake(words="今天的。", category="010105", kind="help", accept=True), by=world.actor("operator"))
    recompute_due_times()
    before = {clock.pk: clock.due_at for clock in Clock.objects.all()}
    publish({"base": "legal", "dates": [{"date": "2026-12-09", "spans": [], "reason": "大雪停工"}]})
    assert recompute_due_times().cases == 1
    assert Case.objects.get(pk=soon.case_id).due_at == local("2026-12-11 10:00")
    assert {pk: due for pk, due in before.items() if Clock.objects.get(pk=pk).case_id == late.case_id} == {
        clock.pk: clock.due_at for clock in Clock.objects.filter(case=late.case_id)}
    event = Event.objects.filter(case=soon.case_id).latest("id")
    with override("zh-hans"):
        assert said(event, internal=False).startswith("放假安排有变，答复您的日期由")
    assert recompute_due_times().cases == 0
    with connection.cursor() as cursor:  # and a second look costs nothing: no calendar is unsettled
        cursor.execute("SELECT count(*) FROM organisations_workcalendar WHERE settled = ''")
        assert cursor.fetchone()[0] == 0


def test_only_a_signing_date_moves(world: World, monday: Frozen) -> None:
    WorkCalendar.objects.create(code="own", name="自己的", definition={"base": "legal"})
    world.units["urban"].calendar = "own"
    world.units["urban"].save()
    reference.forget()
    case_id = a.register(intake=a.Intake(words="有一件事。", category="010105", kind="help", accept=True),
                         by=world.actor("operator")).case_id
    monday.set(local("2026-11-23 16:00"))
    take(world, case_id, "dispatch", assisting_units=[])
    WorkCalendar.objects.filter(code="own").update(definition={"base": "legal", "dates": [{"date": "2026-11-24", "spans": []}]})
    assert recompute_due_times().cases == 1
    assert Assignment.objects.get(case=case_id).due_at == local("2026-11-25 12:00")
    event = Event.objects.filter(case=case_id).latest("id")
    assert "after" not in event.data
    with override("zh-hans"):
        assert said(event, internal=False) == "工作日历有更新，答复您的日期不变。"
    assert differences(case_id) == []


def test_a_newer_package_knows_the_year(world: World, monday: Frozen, across: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an upgrade of the program: no file was touched, and the night's job finds that the year is there."""
    from lianxin.worktime import definition

    recompute_due_times()
    days = {date(2027, 1, 1) + timedelta(step) for step in range(4)}

    def knows(day: date) -> worktime_days.Day | None:
        if day.year == 2027:
            return worktime_days.Day.OFF if day in days else worktime_days.Day.ORDINARY
        return worktime_days.legal_day(day)

    monkeypatch.setattr(definition, "legal_day", knows)
    monkeypatch.setattr(definition, "legal_fingerprint", lambda: "newer")
    definition._built.cache_clear()
    try:
        assert recompute_due_times().cases == 1
        assert Case.objects.get(pk=across).due_at == local("2027-01-07 16:00")
        assert recompute_due_times().cases == 0
    finally:
        definition._built.cache_clear()
        reference.forget()


def test_a_call_that_nobody_took_has_its_clock_too(world: World, monday: Frozen) -> None:
    monday.set(local("2026-12-31 16:30"))
    call = MissedCall.objects.create(first_at=monday.move(), last_at=monday.move(), phone=b"sealed", phone_hash=b"h" * 32)
    made = calendar_named("working").add(monday.move(), 60)
    Clock.objects.create(missed_call=call, kind="missed_call", limit_minutes=60, started_at=monday.move(), due_at=made.at,
                         provisional=made.provisional)
    publish()
    recompute_due_times()
    clock = Clock.objects.get(missed_call=call)
    assert (clock.due_at, clock.provisional) == (local("2027-01-05 09:30"), False)


def test_the_command_says_what_it_did(world: World, monday: Frozen, across: uuid.UUID, capsys: pytest.CaptureFixture[str]) -> None:
    publish()
    call_command("recompute_due_times")
    assert "1" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_what_another_holds_is_left_for_later(world: World, monday: Frozen, across: uuid.UUID) -> None:
    publish()
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Case.objects.select_for_update().get(pk=across)
                held.set()
                free.wait(30)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert held.wait(30)
        done = recompute_due_times()
        assert (done.cases, done.held) == (0, 1)
        assert WorkCalendar.objects.get(code="working").settled == "", "the next run looks at them again"
    finally:
        free.set()
        other.join()
    assert recompute_due_times().cases == 1
