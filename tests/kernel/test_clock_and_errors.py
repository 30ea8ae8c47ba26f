"""The stopped clock of tests, and errors that say what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import clock, errors

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))


def test_the_clock_runs_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().tzinfo is UTC


def test_a_stopped_clock_stands_until_moved_and_runs_again() -> None:
    with clock.frozen(NOON) as frozen:
        assert clock.now() == clock.now() == NOON
        assert clock.now().tzinfo is UTC
        assert frozen.move(minutes=5) == clock.now() == NOON + timedelta(minutes=5)
        with clock.frozen(NOON - timedelta(days=1)):
            assert clock.now() < NOON
        frozen.set(NOON)
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_it_runs_again_after_an_error_and_refuses_naive_instants() -> None:
    with pytest.raises(RuntimeError), clock.frozen(NOON):
        raise RuntimeError
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(ValueError, match="zone"), clock.frozen(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (errors.Invalid, 422, "invalid"), (errors.NotAllowed, 403, "not_allowed"), (errors.NotFound, 404, "not_found"),
        (errors.Conflict, 409, "conflict"), (errors.TooLarge, 413, "too_large"), (errors.TooMany, 429, "too_many"),
    ],
)
def test_each_error_has_a_status_a_code_and_words(kind: type[errors.DomainError], status: int, code: str) -> None:
    plain = kind()
    assert (plain.status, plain.code, plain.fields, plain.current) == (status, code, {}, {})
    assert str(plain).endswith("。")
    told = kind(_("路灯"), code="lamp", fields={"words": "太长"}, current={"state": "closed"})
    assert (str(told), told.code) == ("路灯", "lamp")
    assert (told.fields, told.current) == ({"words": "太长"}, {"state": "closed"})


def test_every_error_is_in_the_list() -> None:
    assert {kind.__name__ for kind in errors.DomainError.__subclasses__()} >= {
        "Invalid", "NotAllowed", "NotFound", "Conflict", "TooLarge", "TooMany"
    }
