"""Matters that happen at known times, and a folder of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lianxin.kernel import clock
from lianxin.kernel.clock import Frozen


@pytest.fixture
def october() -> Iterator[Frozen]:
    """Monday 12 October 2026, 10:00 in the city."""
    with clock.frozen(datetime(2026, 10, 12, 2, 0, tzinfo=UTC)) as frozen:
        yield frozen


@pytest.fixture(autouse=True)
def open_data(tmp_path: Path, settings: Any) -> Path:
    settings.LIANXIN_OPEN_DATA_DIR = str(tmp_path / "open")
    return tmp_path / "open"
