"""A city with a system of the department's beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lianxin.exchange import systems
from lianxin.exchange.models import Mapping, System
from tests.exchange.double import OtherSystem, serving
from tests.world import World


@pytest.fixture
def other(settings: Any) -> Iterator[OtherSystem]:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    settings.LIANXIN_EXCHANGE_RETRY_MILLISECONDS = 0
    with serving() as system:
        yield system


@pytest.fixture
def joined(world: World, other: OtherSystem) -> System:
    """The system of the urban management bureau, with one service mapped."""
    made = systems.save(None, "urban.system", name="城管系统", url=other.url, unit="urban", key="secret-key-1")
    Mapping.objects.create(system=made, inbound=False, ours="010102", theirs="NOISE")
    return made
