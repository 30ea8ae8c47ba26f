"""A desk and a peer for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.desk110.world import Desk, Peer, both


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Peer]]:
    with both(tmp_path_factory.mktemp("desk")) as pair:
        yield pair


@pytest.fixture
def desk(running: tuple[Desk, Peer]) -> Iterator[Desk]:
    """Well-behaved before and after."""
    running[0].good()
    yield running[0]
    running[0].good()


@pytest.fixture
def peer(running: tuple[Desk, Peer]) -> Iterator[Peer]:
    peer = running[1]
    yield peer
    peer.answer = lambda message: None
    peer.refused.clear()
    if peer.server is None:
        peer.open()
