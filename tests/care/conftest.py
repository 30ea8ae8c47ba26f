"""The register every test here begins with."""

from __future__ import annotations

import pytest

from lianxin.kernel.clock import Frozen
from tests.care.made import Register
from tests.world import World


@pytest.fixture
def register(world: World, monday: Frozen) -> Register:
    return Register.make(world)
