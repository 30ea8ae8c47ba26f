from collections.abc import Iterator
from typing import Any

import pytest

from tests.webhooks.receiver import Receiver, receiver


@pytest.fixture(autouse=True)
def _own_network(settings: Any) -> None:
    """The receiver listens on this machine, which no subscription may reach by default."""
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.1/32"]


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as held:
        yield held
