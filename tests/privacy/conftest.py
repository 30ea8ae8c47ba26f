"""A keyring and a file store of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lianxin.kernel import crypto
from lianxin.kernel.crypto import Keyring


@pytest.fixture
def keyfile(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The keyring in use."""
    path = tmp_path / "keys" / "keyring.json"
    Keyring.fresh().write(path)
    settings.LIANXIN_KEYRING = str(path)
    crypto.reload()
    yield path
    crypto.reload()


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Path:
    """Where files lie."""
    folder = tmp_path / "files"
    folder.mkdir()
    settings.MEDIA_ROOT = folder
    return folder
