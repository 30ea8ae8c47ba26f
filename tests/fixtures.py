"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

from lianxin.kernel import clock
from tests import clearing

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Yueyang


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """A test that changes the language changes it for itself only."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _jobs_go_with_their_test(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """Tests that commit are cleaned up table by table, but for the job queue's: Django does not manage those (tests/clearing.py
    does, on a server of our own)."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if not clearing.ours() and ((marker and marker.kwargs.get("transaction")) or "transactional_db" in request.fixturenames):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")


def forget() -> None:
    """What processes hold in memory about the city belongs to one test's database only."""
    from lianxin.cases import reference, search
    from lianxin.cases.actions import intake
    from lianxin.fieldwork import grid_sections
    from lianxin.places import gazetteer, locate, maps
    from lianxin.triage import keywords, store

    for held in (reference, search, locate, gazetteer, maps, keywords, store, grid_sections):
        held.forget()
    intake.serials.forget()


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    forget()


@pytest.fixture
def monday() -> Iterator[clock.Frozen]:
    """The clock stands at Monday 23 November 2026, 10:00 in Yueyang, until the test moves it."""
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture
def world(db: None) -> object:
    from tests.world import World

    return World.make()
