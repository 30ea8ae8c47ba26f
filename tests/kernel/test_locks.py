"""One at a time across connections."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from lianxin.kernel.locks import alone


def _elsewhere(name: str) -> bool:
    """Whether another connection would have it."""
    told: list[bool] = []

    def ask() -> None:
        try:
            with alone(name) as mine:
                told.append(mine)
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return told[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", [False, True])
def test_who_holds_a_name_holds_it_alone_and_gives_it_back(wait: bool) -> None:
    with alone("one", wait=wait) as mine:
        assert mine
        assert not _elsewhere("one")
        assert _elsewhere("another")
    assert _elsewhere("one")
    with pytest.raises(RuntimeError), alone("one", wait=wait):
        raise RuntimeError
    assert _elsewhere("one")
