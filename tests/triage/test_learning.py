"""Two ways to the same weights."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from lianxin.triage.classify import learning
from lianxin.triage.classify.learning import MANY, solve, targets


def test_one_factorisation_gives_what_the_steps_give(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    dice = np.random.default_rng(3)
    features = sparse.random(120, 400, density=0.05, format="csr", random_state=3)
    wanted = targets(dice.integers(0, MANY, 120), np.eye(MANY))
    weight = dice.uniform(0.5, 2.0, 120)
    for given in (None, weight):
        at_once = solve(features, wanted, 0.4, given)
        monkeypatch.setattr(learning, "AT_ONCE", 0)
        monkeypatch.setattr(learning, "TOLERANCE", 1e-9)
        steps = solve(features, wanted, 0.4, None if given is None else given)
        monkeypatch.undo()
        assert np.allclose(at_once.features, steps.features, atol=1e-6)
        assert np.allclose(at_once.bias, steps.bias, atol=1e-6)
