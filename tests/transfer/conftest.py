"""A city with cases in every state, committed, so that another connection sees it; files of their own for each test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests import clearing


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    """Storage, models and keyring lie in a directory of this test."""
    folder = tmp_path / "files"
    folder.mkdir()
    settings.MEDIA_ROOT = folder
    settings.DATA = tmp_path
    return folder


def clear() -> None:
    """Empty every table, as after a test that commits."""
    if clearing.ours():
        with connection.cursor() as cursor:
            cursor.execute(clearing._CLEAR)
    else:
        from django.core.management import call_command

        call_command("flush", verbosity=0, interactive=False)
