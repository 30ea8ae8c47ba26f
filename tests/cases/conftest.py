"""The cases by themselves: another desk stands in for those that linkage knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cases.desks import offered, other_desk, withdrawn, written


@pytest.fixture(autouse=True)
def _other_desk() -> Iterator[None]:
    for kept in (offered, withdrawn, written):
        kept.clear()
    with other_desk():
        yield
