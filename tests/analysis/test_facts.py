"""The facts of each round, as the tables say and as the log says."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from lianxin.analysis import facts, tasks
from lianxin.analysis.models import Episode, Refresh
from lianxin.analysis.periods import Period
from lianxin.analysis.verify import verify
from lianxin.cases.engine import On
from lianxin.cases.models import Clock
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import reporter_for
from lianxin.quality.actions.closing import contest
from lianxin.quality.tasks import settle

from .conftest import Town

pytestmark = pytest.mark.django_db
YEAR = Period.of("2026")


def rows(town: Town, name: str) -> list[Episode]:
    return list(Episode.objects.filter(case_id=town.cases[name]).order_by("round"))


def test_tables_and_log_agree(town: Town) -> None:
    found = verify(YEAR)
    assert [str(one) for one in found.differences] == []
    assert found.cases == len(town.cases)
    assert found.episodes == Episode.objects.count() > len(town.cases)
    assert found.events > 40


def test_tables_and_log_agree_on_what_was_merged_paused_extended_and_not_drawn(busy: Town) -> None:
    found = verify(YEAR)
    assert [str(one) for one in found.differences] == []
    (master,), (duplicate,) = rows(busy, "master"), rows(busy, "duplicate")
    assert (master.pauses, master.extensions) == (1, 1)
    assert duplicate.master_id == master.case_id
    assert duplicate.unit_id == busy.world.units["urban"].pk
    assert duplicate.satisfaction == "basically"


def read_to_here() -> None:
    """The last hour is read again at each refresh, which would mend what a test breaks: say that it has been read."""
    Refresh.objects.update(read_to=uuid7())


def test_each_round_is_an_episode(town: Town) -> None:
    facts.refresh()
    first, second = rows(town, "unsolved")
    assert (first.solved, first.satisfaction, first.reached, first.latest) == (False, "dissatisfied", True, False)
    assert (second.solved, second.reached, second.attempts, second.latest) == (None, False, 0, True)
    assert first.callback_due_at is not None
    assert second.callback_due_at is None
    assert first.unit_id == second.unit_id == town.world.units["urban"].pk


def test_what_the_ledger_counts(town: Town) -> None:
    facts.refresh()
    (bounced,), (redone,), (unreached,) = (rows(town, name) for name in ("bounced", "redone", "unreached"))
    assert (bounced.returns, bounced.dispatches, bounced.rulings) == (1, 2, 1)
    assert bounced.unit_id == town.world.units["housing"].pk
    assert (redone.sent_back, redone.dispatches, redone.returns) == (1, 1, 0)
    assert (unreached.reached, unreached.attempts, unreached.solved, unreached.satisfaction) == (False, 1, None, "")
    assert unreached.county_id == town.world.areas["990101"].pk
    assert unreached.town_id == town.world.areas["990101001001"].town_id
    (rated,) = rows(town, "rated")
    assert (rated.reached, rated.solved, rated.satisfaction, rated.attempts) == (True, True, "basically", 0)


def test_late_is_by_the_clock(town: Town) -> None:
    facts.refresh()
    (late,) = rows(town, "late")[:1]
    for stage in ("sign_for", "first_contact", "resolve"):
        assert getattr(late, f"{stage}_ended_at") > getattr(late, f"{stage}_due_at"), stage
    (still,) = rows(town, "open")
    assert still.resolve_due_at is not None
    assert still.resolve_ended_at is None


def test_a_contest_is_the_reporters_last_word_and_leaves_the_episode_in_its_period(town: Town) -> None:
    facts.refresh()
    (contested,) = rows(town, "content")
    assert (contested.solved, contested.reached, contested.satisfaction) == (False, True, "satisfied")
    assert contested.callback_due_at is not None
    assert contested.callback_due_at.month == 10


def test_a_round_that_was_not_drawn_owes_no_callback_even_when_it_is_called_after_all(busy: Town) -> None:
    facts.refresh()
    silent, unhappy = rows(busy, "silent")[0], rows(busy, "unhappy")[0]
    assert (unhappy.solved, unhappy.reached) == (False, True)
    assert silent.callback_due_at is unhappy.callback_due_at is None
    busy.at.move(days=30)
    settle(busy.at.move())
    case_id = busy.cases["silent"]
    contest(On(case_id, reporter_for(case_id)), words="还在施工。")
    assert Clock.objects.filter(case=case_id, kind="callback").exists()
    facts.refresh()
    assert rows(busy, "silent")[0].callback_due_at is None
    assert [str(one) for one in verify(YEAR).differences] == []


def test_the_first_ending_of_a_round_stays_whatever_comes_after(town: Town) -> None:
    facts.refresh()
    (contested,), (declined,), (still,) = rows(town, "content"), rows(town, "declined"), rows(town, "open")
    assert (contested.state, contested.closed_at, contested.ended_as) == ("callback", None, "closed")
    assert contested.ended_at is not None
    assert contested.ended_at.month == 10
    assert (declined.ended_as, still.ended_as, still.ended_at) == ("declined", "", None)


def test_a_refresh_mends_a_fact_that_was_altered(town: Town) -> None:
    facts.refresh()
    Episode.objects.filter(case_id=town.cases["late"]).update(returns=7)
    assert facts.refresh(whole=True).changed == 1
    assert rows(town, "late")[0].returns == 0


def test_a_refresh_reads_what_changed_and_again_changes_nothing(town: Town) -> None:
    first = facts.refresh()
    assert first.changed == Episode.objects.count()
    again = facts.refresh()
    assert again.changed == 0
    before = dict(Episode.objects.values_list("case_id", "revision"))
    town.take("redone", "record_callback_attempt")
    third = facts.refresh()
    assert third.changed == 1
    after = dict(Episode.objects.values_list("case_id", "revision"))
    assert {case for case in after if after[case] != before[case]} == {town.cases["redone"]}
    assert facts.refresh(whole=True).changed == 0


def test_verify_names_what_differs(town: Town) -> None:
    facts.refresh()
    read_to_here()
    (late,) = rows(town, "late")[:1]
    Episode.objects.filter(pk=late.pk).update(resolve_ended_at=late.resolve_due_at, satisfaction="dissatisfied")
    found = verify(YEAR)
    assert {(one.number, one.round, one.column) for one in found.differences} == {
        (late.number, 1, "resolve_ended_at"), (late.number, 1, "satisfaction")}
    assert all(late.number in str(one) for one in found.differences)


def test_verify_sees_a_ledger_row_that_the_log_does_not_know(town: Town) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE quality_callbackattempt SET satisfaction = 'satisfied', solved = true WHERE case_id = %s",
                       [town.cases["unsolved"]])
        cursor.execute("UPDATE cases_clock SET due_at = due_at + interval '9 days' WHERE case_id = %s AND kind = 'resolve'",
                       [town.cases["late"]])
    found = {one.column for one in verify(YEAR).differences}
    assert found == {"satisfaction", "solved", "resolve_due_at"}


def test_verify_sees_an_episode_that_only_one_side_has(town: Town) -> None:
    facts.refresh()
    Episode.objects.filter(case_id=town.cases["rated"]).delete()
    read_to_here()
    (one,) = verify(YEAR).differences
    assert (one.column, one.table, one.log) == ("", False, True)


def test_the_database_keeps_one_row_for_a_round_and_one_for_the_reading(town: Town) -> None:
    facts.refresh()
    columns = ", ".join(field.column for field in Episode._meta.fields if field.column != "id")
    trials = (
        f"INSERT INTO analysis_episode ({columns}) SELECT {columns} FROM analysis_episode",
        "UPDATE analysis_refresh SET id = 2",
        "UPDATE analysis_episode SET returns = -1",
    )
    for trial in trials:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(trial)


def test_the_hourly_job_brings_the_facts_up_to_now(town: Town) -> None:
    tasks.refresh(timestamp=0)
    assert Episode.objects.count() > 9
    tasks.refresh(timestamp=0)
    assert facts.refresh().changed == 0
