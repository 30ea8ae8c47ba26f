"""Where built area tables are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lianxin.places.loading import _kept_in


@pytest.mark.parametrize("writable", [True, False])
def test_beside_the_program_or_with_the_data_where_that_is_read_only(
        tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, writable: bool) -> None:
    settings.VAR, settings.DATA = tmp_path / "var", tmp_path / "data"
    settings.VAR.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: (writable or path != settings.VAR) and real(path, mode))
    assert _kept_in() == (settings.VAR if writable else settings.DATA) / "build"
