"""The state columns are a cache of the log: made again from it for cases that went every way."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from itertools import pairwise

import pytest

from lianxin.cases import reference
from lianxin.cases.actions import History, Intake, register_many
from lianxin.cases.actions.intake import rows_for
from lianxin.cases.engine import ASSIGNMENT_COLUMNS, CASE_COLUMNS, CLOCK_COLUMNS
from lianxin.cases.models import Assignment, Case, Clock, Event, State
from lianxin.cases.rebuild import differences, rebuild
from lianxin.cases.retention import anonymise_due
from lianxin.cases.states import TABLE
from lianxin.kernel.clock import Frozen
from lianxin.organisations.actors import SYSTEM
from tests.cases.test_narrative import _all_taken, _at_another_desk, _by_the_system, _clocks_speak
from tests.cases.ways import VILLAGE, at_state, take, walk
from tests.world import World

pytestmark = pytest.mark.django_db

# Families have a machine of their own, and what goes back by itself its own tests: both ask the same of the log.
APART = {"join_master", "answer_with_master", "close_with_master", "follow_master", "take_over", "release_duplicate", "unmerge", "merge",
         "reopen_unsolved"}
WAYS = (
    ("accept", "correct", "request_publication", "refuse_publication", "dispatch", "sign", "record_contact", "assist_sign",
     "add_assisting", "ask_colleague", "hand_to_colleague", "attach", "reply", "send_back", "reply", "approve",
     "record_callback_attempt", "rate", "close", "reopen", "redispatch", "withdraw"),
    ("refer_emergency", "accept", "dispatch", "raise_return", "reject_return", "sign", "raise_return", "uphold_return",
     "dispatch", "sign", "reply", "approve", "reopen", "sign", "reply", "approve",
     "record_callback_attempt", "close"),
    ("add_information", "request_publication", "clear_publication", "refuse_publication", "request_publication", "decline"),
    ("accept", "decline"), ("answer_on_the_spot", "reopen:supervisor", "answer_on_the_spot"), ("accept", "answer_on_the_spot"),
    ("withdraw:reporter",),
    ("accept", "dispatch", "sign", "raise_return", "reject_return"), ("answer_on_the_spot", "contest"),
)


def test_cases_that_went_every_way(world: World, monday: Frozen) -> None:
    _all_taken(world)
    _at_another_desk(world)
    _clocks_speak(world, monday)
    _by_the_system(world, monday)
    for number, way in enumerate(WAYS):
        case_id = world.case(area=VILLAGE)
        for step in way:
            action, _colon, by = step.partition(":")
            monday.move(minutes=37 + number)
            take(world, case_id, action, by=by)
            assert differences(case_id) == [], (way, step)
    assisted = at_state(world, State.IN_HAND)
    walk(world, assisted, ("assist_reply", "assist_sign"))
    # A reopened case whose unit is gone; a case another system had closed; a case whose retention has ended.
    gone = at_state(world, State.CALLBACK)
    world.units["urban"].active_to = date(2026, 11, 23)
    world.units["urban"].save()
    reference.forget()
    take(world, gone, "reopen")
    rows, made = rows_for(
        Intake(words="旧系统里的事。", category="010102", accept=True, source_system="old", source_id="1", channel="import",
               registered_at=monday.move() - timedelta(days=9), history=History(closed_at=monday.move(), closing_note="办了。")),
        by=SYSTEM)
    register_many(rows=[rows])
    ended = Case.objects.filter(closed_at__isnull=False).count()
    assert anonymise_due(monday.move(days=4000)) == ended
    for case in Case.objects.all():
        assert differences(case.pk) == []
        events = list(Event.objects.filter(case=case).order_by("id"))
        assert [events[0].action, events[0].from_state] == ["register", ""]
        assert all(one.to_state == two.from_state for one, two in pairwise(events))
        assert events[-1].to_state == case.state
    assert Case.objects.get(pk=made.case_id).anonymised_at is not None
    # Nothing of the table was left out: every row, and every state it leads to.
    taken = {(event.action, event.to_state) for event in Event.objects.all()}
    assert {row.action for row in TABLE} - APART == {action for action, _to in taken} - APART
    missing = {(row.action, str(target)) for row in TABLE for target in row.targets if row.action not in APART} - taken
    assert missing == set()


def test_the_proof_sees_any_column_that_is_not_what_the_log_says(world: World, monday: Frozen,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a column left out of the comparison, the empty list would prove nothing about it."""
    case_id = at_state(world, State.IN_HAND)
    whole = rebuild(case_id)
    for part, columns in (("case", CASE_COLUMNS), ("assignments", ASSIGNMENT_COLUMNS), ("clocks", CLOCK_COLUMNS)):
        for column in columns:
            other = copy.deepcopy(whole)
            for held in ([other.case] if part == "case" else getattr(other, part).values()):
                held[column] = "tampered with"
            with monkeypatch.context() as patch:
                patch.setattr("lianxin.cases.rebuild.rebuild", lambda _case_id, other=other: other)
                found = differences(case_id)
            assert found, (part, column)
            assert all(f".{column}: " in line for line in found)
    assert differences(case_id) == []


def test_a_row_the_log_does_not_know_is_seen(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.IN_HAND)
    Clock.objects.filter(case=case_id, kind="sign_for").first().delete()  # type: ignore[union-attr]
    assert any(line.startswith("Clock: rows") for line in differences(case_id))


def test_every_state_column_is_in_the_comparison() -> None:
    """A column added to a model is either of the state, or named here as what never changes."""
    def columns(model: type[Case | Assignment | Clock]) -> set[str]:
        return {field.attname for field in model._meta.concrete_fields}

    assert columns(Case) - set(CASE_COLUMNS) == {
        "id", "number", "tracking_digest", "channel", "title", "words", "language", "reporter_id", "confidential",
        "place_text", "lon", "lat", "cell", "registered_at", "registered_by_id", "source_system", "source_id", "version",
    }
    assert columns(Assignment) - set(ASSIGNMENT_COLUMNS) == {"id", "case_id"}
    assert columns(Clock) - set(CLOCK_COLUMNS) == {"id", "case_id", "missed_call_id", "next_at"}


def test_the_log_alone_says_where_a_case_stands(world: World, monday: Frozen) -> None:
    case_id = at_state(world, State.CLOSED)
    made = rebuild(case_id)
    assert (made.case["state"], made.case["outcome"], made.case["round"]) == ("closed", "solved", 1)
    assert made.version == Case.objects.get(pk=case_id).version
    assert {part["state"] for part in made.assignments.values()} == {"ended"}
