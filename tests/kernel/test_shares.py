"""Of nothing a share says nothing; the published values are tested where reports use them."""

from __future__ import annotations

from lianxin.kernel.shares import wilson


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(0, 10)
    assert low == 0.0
    assert 0.27 < high < 0.28
