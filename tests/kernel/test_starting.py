"""What a process makes while it starts is not looked through for garbage, then or later."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from lianxin.kernel.starting import kept


class Loop:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    collects, frozen = gc.isenabled(), gc.get_freeze_count()
    yield
    if not frozen:
        gc.unfreeze()
    (gc.enable if collects else gc.disable)()


def test_what_is_made_while_starting_is_left_alone() -> None:
    gc.enable()
    before = gc.get_freeze_count()
    with kept():
        assert not gc.isenabled()
        loop = Loop()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is not None, "it was walked"
    later = Loop()
    gone = weakref.ref(later)
    del later
    gc.collect()
    assert gone() is None, "nothing is collected any more"


@pytest.mark.parametrize("collects", [True, False])
def test_it_collects_afterwards_as_before_also_when_a_start_fails(collects: bool) -> None:
    (gc.enable if collects else gc.disable)()
    with pytest.raises(ImportError), kept():
        raise ImportError
    assert gc.isenabled() is collects
