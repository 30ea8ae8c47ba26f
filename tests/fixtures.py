"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils import translation

from lianxin.kernel import clock


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """A test that changes the language changes it for itself only."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """What processes hold in memory about the city belongs to one test's database only."""
    from lianxin.cases import reference, search
    from lianxin.cases.actions import intake
    from lianxin.places import gazetteer, locate, maps
    from lianxin.triage import keywords

    for held in (reference, search, locate, gazetteer, maps, keywords):
        held.forget()
    intake.serials.forget()


@pytest.fixture
def monday() -> Iterator[clock.Frozen]:
    """The clock stands at Monday 23 November 2026, 10:00 in Yueyang, until the test moves it."""
    with clock.frozen(datetime(2026, 11, 23, 2, 0, tzinfo=UTC)) as frozen:
        yield frozen


@pytest.fixture
def world(db: None) -> object:
    from tests.world import World

    return World.make()
