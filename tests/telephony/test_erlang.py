"""Erlang C and A against published figures, against the chain they come from, and against calls played one by one."""

from __future__ import annotations

import heapq
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.telephony.erlang import MOST, Load, Service, erlang_b, operators_for, patience_from, service


def test_published_figures_of_erlang_b_and_c() -> None:
    # Mathematica's documentation and every Erlang B table: 30 lines, 25 erlangs, 0.0526.
    assert erlang_b(25, 30) == pytest.approx(0.0526, abs=5e-5)
    # Call Centre Helper's worked example: 100 calls in half an hour of 180 s each, 14 operators: 17.41 % wait, 88.8 % within
    # 20 s, 7.8 s on average.
    load = Load(100 / 1800, 180)
    found = service(load, 14, 20)
    assert found.waits == pytest.approx(0.1741, abs=5e-5)
    assert found.answered_within == pytest.approx(0.888, abs=5e-4)
    assert found.mean_wait == pytest.approx(7.8, abs=0.05)
    assert operators_for(load, share=0.8, within=20) == 14
    # jonesthenet.com: 250 calls an hour of 330 s, 80 % within 30 s: 28.
    assert operators_for(Load(250 / 3600, 330), share=0.8, within=30) == 28


def test_published_figures_of_erlang_a() -> None:
    # Gans, Koole and Mandelbaum, "Telephone call centers", M&SOM 5 (2003): 48 calls a minute of one minute, 50 operators.
    # Patient callers wait 20.8 s; with a mean patience of two minutes 3.1 % give up and the mean wait is 3.7 s, at 93 %.
    assert service(Load(0.8, 60), 50, 0).mean_wait == pytest.approx(20.8, abs=0.05)
    found = service(Load(0.8, 60, 120), 50, 15)
    assert found.gives_up == pytest.approx(0.031, abs=5e-4)
    assert found.mean_wait == pytest.approx(3.7, abs=0.05)
    assert found.occupied == pytest.approx(0.93, abs=5e-3)


def chain(load: Load, operators: int) -> tuple[float, float]:
    """P(wait) and P(give up) by summing the birth-death chain itself: none of the formulas under test."""
    assert load.patience is not None
    weight = total = 1.0
    waiting = queue = 0.0
    for k in range(1, 20_000):
        weight *= load.calls / (min(k, operators) / load.work + max(0, k - operators) / load.patience)
        total += weight
        waiting += weight if k >= operators else 0
        queue += weight * max(0, k - operators)
        if total > 1e200:
            weight, total, waiting, queue = (value / 1e200 for value in (weight, total, waiting, queue))
    return waiting / total, queue / load.patience / total / load.calls


@pytest.mark.parametrize(("calls", "work", "patience", "operators"), [
    (0.8, 60, 120, 50), (0.8, 60, 120, 45), (0.01, 300, 60, 2), (2.0, 180, 90, 200), (1.0, 180, 90, 220), (0.0005, 180, 90, 1),
    (1.1, 180, 40, 200), (0.3, 240, 600, 80), (0.02, 60, 3600, 1),
])
def test_erlang_a_is_its_chain(calls: float, work: float, patience: float, operators: int) -> None:
    load = Load(calls, work, patience)
    found = service(load, operators, 15)
    waits, gives_up = chain(load, operators)
    assert found.waits == pytest.approx(waits, rel=1e-9, abs=1e-12)
    assert found.gives_up == pytest.approx(gives_up, rel=1e-7, abs=1e-11)


def played(load: Load, operators: int, within: float, calls: int, seed: int) -> Service:
    """The same calls one by one: who comes first is answered first, who has had enough is gone."""
    dice = random.Random(seed)
    free = [0.0] * operators  # when each operator is free again
    now = soon = waited = gone = busy = 0.0
    delayed = 0
    for _call in range(calls):
        now += dice.expovariate(load.calls)
        patience = dice.expovariate(1 / load.patience) if load.patience else math.inf
        wait = max(0.0, free[0] - now)
        delayed += wait > 0
        if wait > patience:
            gone += 1
            waited += patience
            continue
        waited += wait
        soon += wait <= within
        work = dice.expovariate(1 / load.work)
        busy += work
        heapq.heapreplace(free, now + wait + work)
    return Service(soon / calls, delayed / calls, gone / calls, waited / calls, busy / now / operators)


@pytest.mark.parametrize(("load", "operators"), [
    (Load(100 / 1800, 180), 12), (Load(100 / 1800, 180, 90), 9), (Load(20 / 1800, 240, 60), 3), (Load(1.1, 180, 120), 200),
])
def test_calls_played_one_by_one_agree(load: Load, operators: int) -> None:
    told = service(load, operators, 15)
    seen = played(load, operators, 15, 120_000, 7)
    # 120,000 calls that depend on one another: three standard errors of a share are below 0.02.
    for name in ("answered_within", "waits", "gives_up", "occupied"):
        assert getattr(seen, name) == pytest.approx(getattr(told, name), abs=0.02), name
    assert seen.mean_wait == pytest.approx(told.mean_wait, rel=0.08, abs=0.3)


def test_two_hundred_operators_and_extreme_loads_stay_numbers() -> None:
    for load in (Load(200 / 180, 180, 60), Load(4, 180, 6000), Load(4, 180, 600_000), Load(1e-6, 30, 20), Load(4, 180)):
        for operators in (1, 150, 199, 200, 201, 400):
            found = service(load, operators, 15)
            assert all(0 <= share <= 1 for share in (found.answered_within, found.waits, found.gives_up, found.occupied)), (load, operators)
            assert found.mean_wait >= 0
    # Where half of what comes is too much, half gives up; as patience grows without end, A becomes C.
    assert service(Load(400 / 180, 180, 6000), 200, 15).gives_up == pytest.approx(0.5, abs=1e-9)
    patient, endless = service(Load(1, 180), 200, 15), service(Load(1, 180, 1e9), 200, 15)
    assert endless.answered_within == pytest.approx(patient.answered_within, abs=1e-6)
    assert endless.mean_wait == pytest.approx(patient.mean_wait, rel=1e-4)


loads = st.builds(Load, st.floats(0.0001, 1.2), st.floats(20, 600), st.none() | st.floats(5, 3600))


@given(loads, st.floats(0.05, 0.99), st.floats(0, 120))
def test_the_fewest_operators_are_the_fewest(load: Load, share: float, within: float) -> None:
    found = operators_for(load, share=share, within=within)
    assert service(load, found, within).answered_within >= share
    if found > 1:
        assert service(load, found - 1, within).answered_within < share


@given(loads, st.integers(1, 300), st.floats(0, 120))
def test_one_more_operator_never_makes_it_worse(load: Load, operators: int, within: float) -> None:
    fewer, more = service(load, operators, within), service(load, operators + 1, within)
    assert more.answered_within >= fewer.answered_within - 1e-9
    assert more.waits <= fewer.waits + 1e-9
    assert more.gives_up <= fewer.gives_up + 1e-9


def test_what_cannot_be_is_refused() -> None:
    for calls, work, patience in ((-1.0, 60, None), (math.nan, 60, None), (1, 0, None), (1, 60, 0.0), (1, math.inf, None)):
        with pytest.raises(ValueError):
            Load(calls, work, patience)
    with pytest.raises(ValueError):
        service(Load(1, 60), -1, 15)
    with pytest.raises(ValueError):
        operators_for(Load(1, 60), share=1, within=15)
    with pytest.raises(ValueError, match=str(MOST)):
        operators_for(Load(100, 3600), share=0.8, within=15)


def test_nobody_calls_or_nobody_is_there() -> None:
    assert operators_for(Load(0, 180), share=0.8, within=15) == 0
    assert service(Load(0, 180), 0, 15).answered_within == 1
    assert service(Load(0.1, 180, 60), 0, 15).gives_up == 1
    assert service(Load(0.1, 180), 10, 15).mean_wait == math.inf


def test_patience_from_what_was_waited() -> None:
    assert patience_from(4, 600.0) == 150
    assert patience_from(0, 600.0) is None
    dice = random.Random(3)
    true, offered = 80.0, [dice.expovariate(1 / 60) for _ in range(20_000)]
    waits = [(min(wait, limit), limit < wait) for wait in offered for limit in [dice.expovariate(1 / true)]]
    assert patience_from(sum(gone for _wait, gone in waits), sum(wait for wait, _gone in waits)) == pytest.approx(true, rel=0.05)
