"""A report's numbers: counted by hand here, and by both engines."""

from __future__ import annotations

import dataclasses
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lianxin.analysis import counting, engines
from lianxin.analysis.assemble import ALL_BREAKDOWNS, report, scope_of
from lianxin.analysis.figures import Period, Report, Scope, Verdict
from lianxin.analysis.rates import DEFINITIONS
from lianxin.kernel.errors import Conflict, NotFound

from .conftest import Town

pytestmark = pytest.mark.django_db
OCTOBER = Period.of("2026-10")


def fraction(made: Report, code: str) -> tuple[int, int]:
    figure = made.figures[code]
    return figure.numerator, figure.denominator


def test_the_rates_by_hand(town: Town) -> None:
    """Callback due in October: content (contested later), unsolved, unreached, rated, bounced, redone, late."""
    made = report(OCTOBER, detail=True)
    assert {code: fraction(made, code) for code in made.figures} == {
        "response": (6, 7),  # late was contacted after its limit
        "resolution": (2, 4),  # of content, unsolved, rated and late: content said no in the end
        "satisfaction": (3, 4),  # a contest asks nothing about satisfaction: content's own word stands
        "unreached": (3, 7),  # unreached itself; bounced and redone, whom nobody called
        "on_time_sign_for": (6, 7),
        "on_time_first_contact": (6, 7),
        "on_time_resolve": (6, 7),
        "on_time_ruling": (1, 1),
        "on_time_callback": (4, 7),
        "correct_first_dispatch": (6, 7),
        "reopen": (1, 7),
        "returns": (1, 7),
        "rework": (2, 7),
        "against_catalogue": (7, 7),  # all but the second dispatch of bounced
        "pauses": (0, 7),
        "extensions": (0, 7),
    }
    assert (made.registered, made.declined, made.closed) == (9, 1, 2)  # content was closed too, before it was contested
    assert made.volumes["channel.web"] == 9
    assert sum(density.registered for density in made.counties) == 8
    assert all(figure.small for figure in made.figures.values())


def test_both_engines_give_the_same(town: Town) -> None:
    """Every kind of period, every kind of scope: each with one that no other has, and October with all."""
    periods = (OCTOBER, Period.of("2026-W43"), Period.of("2026"), Period.of("2026-10-20..2026-11-02"))
    scopes = (Scope(), scope_of(unit="urban"), scope_of(county="990101"), scope_of(category="01"))
    for period, scope in {*((OCTOBER, scope) for scope in scopes), *zip(periods, scopes, strict=True)}:
        made = [report(period, scope, using=name, breakdowns=ALL_BREAKDOWNS, hot=5, detail=True) for name in ("postgresql", "duckdb")]
        assert dataclasses.replace(made[0], as_of=made[1].as_of) == made[1]
        assert made[0].figures.keys() == DEFINITIONS.keys()


def test_a_statement_is_made_once_for_every_period_and_unit(town: Town) -> None:
    made = report(OCTOBER, scope_of(unit="urban"))
    before = engines._statement.cache_info().misses
    other = report(Period.of("2026-W43"), scope_of(unit="housing"))
    assert engines._statement.cache_info().misses == before
    assert (fraction(made, "response"), fraction(other, "response")) == ((5, 6), (0, 0))


def test_breakdowns_add_up_to_the_whole(town: Town) -> None:
    made = report(OCTOBER, breakdowns=ALL_BREAKDOWNS)
    for breakdown in made.breakdowns.values():
        for code, figure in made.figures.items():
            assert sum(row.figures[code].numerator for row in breakdown.rows) == figure.numerator
            assert sum(row.figures[code].denominator for row in breakdown.rows) == figure.denominator
        assert sum(row.registered for row in breakdown.rows) == made.registered
    units = {row.code: row for row in made.breakdowns["unit"].rows}
    assert units["housing"].figures["returns"].numerator == 1
    assert [row.name for row in made.breakdowns["county"].rows if row.key is not None] == ["东区", "西县"]


def test_a_category_is_broken_down_one_step(town: Town) -> None:
    top = report(OCTOBER, breakdowns=("category",)).breakdowns["category"].rows
    below = report(OCTOBER, scope_of(category="01"), breakdowns=("category",)).breakdowns["category"].rows
    assert [row.code for row in top if row.key] == ["01"]
    assert [row.code for row in below] == ["0101"]


def test_small_numbers_are_not_compared(town: Town) -> None:
    made = report(OCTOBER)
    assert {change.verdict for change in made.changes.values()} == {Verdict.NO_BEFORE}
    assert all(row.figures["response"].small for row in made.breakdowns["unit"].rows)


def test_who_was_not_drawn_is_in_no_rate(busy: Town) -> None:
    """Called after all because they said unsolved: counted, they would pull the resolution rate of those not asked to 0."""
    busy.at.move(days=20)
    made = report(Period.of("2026-11"))
    assert fraction(made, "response") == (1, 2)  # the duplicate's reporter was answered with the master, and never called
    assert fraction(made, "resolution") == (1, 1)


def test_what_is_asked_once_is_counted_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    plain = counting.registered_by
    monkeypatch.setattr(counting, "registered_by", lambda *given: asked.append(given[1:]) or plain(*given))
    made = report(OCTOBER, hot=10)
    assert len(asked) == len(set(asked)) == 4  # county, unit, category, and the category before
    assert (made.towns, made.volumes) == ((), {})
    assert [(one.code, one.before) for one in made.hot] == [("010102", 0)]


def test_a_callback_that_has_not_fallen_due_is_not_counted(town: Town) -> None:
    town.case("new", "accept", "dispatch", "sign", "reply", "approve")
    november = report(Period.of("2026-11"))
    assert fraction(november, "response") == (0, 0)
    town.at.move(days=10)
    assert fraction(report(Period.of("2026-11")), "response") == (1, 1)


def test_a_callback_withdrawn_before_it_fell_due_is_not_counted(town: Town) -> None:
    before = fraction(report(Period.of("2026-11")), "unreached")
    town.case("gone", "accept", "dispatch", "sign", "reply", "approve", "withdraw")
    town.at.move(days=10)
    assert fraction(report(Period.of("2026-11")), "unreached") == before


def test_without_an_export_duckdb_says_what_to_do(town: Town) -> None:
    with pytest.raises(Conflict, match="analysis export"):
        report(OCTOBER, using="duckdb", refresh=False)


def test_unknown_codes_are_named(town: Town) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        scope_of(unit="nowhere")
    with pytest.raises(CommandError, match="nowhere"):
        call_command("analysis", "figures", "--period", "2026-10", "--county", "nowhere")
    with pytest.raises(CommandError, match="2026-W48"):
        call_command("analysis", "figures", "--period", "last month")


def test_the_commands(town: Town, own_directory: Path) -> None:
    out = StringIO()
    call_command("analysis", "export", stdout=out)
    assert (own_directory / "manifest.json").exists()
    call_command("analysis", "figures", "--period", "2026-10", "--unit", stdout=out)
    assert "6/7" in out.getvalue()
    assert "市城管局" in out.getvalue()
    as_json = StringIO()
    call_command("analysis", "figures", "--period", "2026-10", "--json", "--engine", "duckdb", stdout=as_json)
    held = json.loads(as_json.getvalue())
    assert held["figures"]["response"]["numerator"] == 6
    assert held["period"] == {"code": "2026-10", "start": "2026-10-01", "end": "2026-11-01", "kind": "month"}
    call_command("analysis", "verify", "--period", "2026-10", stdout=out)
    assert "一致" in out.getvalue()


def test_verify_ends_with_a_failure_where_something_differs(town: Town) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_clock SET met_at = due_at WHERE case_id = %s AND kind = 'resolve' AND assignment_id IS NULL",
                       [town.cases["late"]])
    out = StringIO()
    with pytest.raises(CommandError, match="1"):
        call_command("analysis", "verify", "--period", "2026-10", stdout=out)
    assert "resolve_ended_at" in out.getvalue()
