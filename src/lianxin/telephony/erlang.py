"""How many operators a half-hour needs: Erlang C, and Erlang A with callers who give up.

The two answer the same question from opposite ends. Erlang C (A. K. Erlang 1917; M/M/n) lets everybody wait for ever: it asks for
too many operators, the more so the busier it gets, and has no answer where the work exceeds the operators. Erlang A (C. Palm 1946;
M/M/n+M) lets callers give up after an exponential patience, as they do. Its formulas are those of S. Zeltyn and A. Mandelbaum,
"Call centers with impatient customers: many-server asymptotics of the M/M/n+G queue", Queueing Systems 51 (2005), section 3, for
exponential patience; its meaning for staffing is in O. Garnett, A. Mandelbaum and M. Reiman, "Designing a call center with
impatient customers", M&SOM 4 (2002).

Everything here is arithmetic on plain numbers: nothing reads a database. Times are seconds, loads are erlangs (calls per second ×
seconds of work per call). Both models suppose arrivals at random at an even rate within the half-hour, and operators who are all alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

MOST: Final = 2000  # operators: beyond any hotline, so that a slip of the keyboard ends
_NODES: Final = 24  # of Gauss and Legendre in one panel
_DEEP: Final = 45.0  # e⁻⁴⁵ of the largest value adds nothing to a double


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in. `calls` a second, `work` seconds of one call with its wrap-up, `patience` mean seconds until a waiting
    caller gives up; None for callers who never do. Raises ValueError for what no hotline has."""

    calls: float
    work: float
    patience: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.calls) and self.calls >= 0 and math.isfinite(self.work) and self.work > 0):
            raise ValueError(f"{self.calls} calls a second of {self.work} s")
        if self.patience is not None and not (math.isfinite(self.patience) and self.patience > 0):
            raise ValueError(f"a patience of {self.patience} s")

    @property
    def erlangs(self) -> float:
        return self.calls * self.work


@dataclass(frozen=True, slots=True)
class Service:
    """What callers meet: the share answered within the seconds asked about (of all who called), the share who have to wait,
    the share who give up, the mean wait in seconds (of all; infinite where the queue grows without end), and the share of
    their time that operators are on calls."""

    answered_within: float
    waits: float
    gives_up: float
    mean_wait: float
    occupied: float


def erlang_b(erlangs: float, operators: int) -> float:
    """The share of calls that find all `operators` busy where nobody waits. By the recursion B(n) = aB(n−1) ÷ (n + aB(n−1)),
    in which nothing overflows."""
    blocked = 1.0
    for n in range(1, operators + 1):
        blocked = erlangs * blocked / (n + erlangs * blocked)
    return blocked


def erlang_c(erlangs: float, operators: int) -> float:
    """The share of calls that have to wait where nobody gives up; 1 where the work exceeds the operators."""
    if operators <= erlangs:
        return 1.0
    blocked = erlang_b(erlangs, operators)
    return blocked / (1 - erlangs / operators * (1 - blocked))


def _patient(load: Load, operators: int, within: float) -> Service:
    if operators <= load.erlangs:
        return Service(0.0, 1.0, 0.0, math.inf, 1.0)
    waits = erlang_c(load.erlangs, operators)
    spare = (operators - load.erlangs) / load.work  # how fast a queue shrinks, calls a second
    return Service(1 - waits * math.exp(-spare * within), waits, 0.0, waits / spare, load.erlangs / operators)


@lru_cache(maxsize=1)
def _nodes() -> Any:
    """Places and weights on −1…1."""
    import numpy

    return numpy.polynomial.legendre.leggauss(_NODES)


def _integral(load: Load, operators: int, until: float | None, *, staying: bool) -> tuple[float, float]:
    """∫ exp(g(v) − top) dv over 0…`until` with g(v) = λ(1 − e^(−θv)) ÷ θ − nμv, and `top`, the largest value of g; with
    `staying`, weighed by e^(−θv), the share still there after v. By Gauss and Legendre in panels about as wide as g bends."""
    import numpy

    theta = 1 / (load.patience or math.inf)
    drain = operators / load.work

    def g(v: float) -> float:
        return -load.calls * math.expm1(-theta * v) / theta - drain * v

    peak = max(0.0, math.log(load.calls / drain) / theta) if load.calls > drain else 0.0
    top = g(peak)
    far = peak + 1 / drain
    while g(far) - top > -_DEEP:  # g bends downwards, so that this ends
        far = peak + 2 * (far - peak)
    end = far if until is None else min(until, far)
    width = min(4 / drain, 1 / math.sqrt(theta * drain))
    panels = max(1, min(4000, math.ceil(end / width)))
    x, weights = _nodes()
    half = end / panels / 2
    at = (numpy.arange(panels)[:, None] * 2 + 1 + x[None, :]) * half
    values = numpy.exp(-load.calls * numpy.expm1(-theta * at) / theta - drain * at - top - (theta * at if staying else 0.0))
    return float((values * weights).sum() * half), top


def _impatient(load: Load, operators: int, within: float) -> Service:
    blocked = erlang_b(load.erlangs, operators - 1)
    if blocked == 0:  # smaller than any double: nobody ever waits
        return Service(1.0, 0.0, 0.0, 0.0, load.erlangs / operators)
    # With E = 1 ÷ B(n−1) and J the integral over all waits: P(no wait) = E ÷ (E + λJ). All are divided by e^top here.
    whole, top = _integral(load, operators, None, staying=False)
    soon, _top = _integral(load, operators, within, staying=True)
    at_once = math.exp(-top) / blocked
    everything = at_once + load.calls * whole
    served = (at_once + operators / load.work * whole - math.exp(-top)) / everything
    gives_up = min(1.0, max(0.0, 1 - served))
    return Service(
        answered_within=min(1.0, (at_once + load.calls * soon) / everything), waits=min(1.0, load.calls * whole / everything),
        gives_up=gives_up, mean_wait=gives_up * (load.patience or 0.0),  # λP(gives up) = θ·E(queue), and Little's law
        occupied=min(1.0, load.erlangs * (1 - gives_up) / operators),
    )


@lru_cache(maxsize=16_384)
def service(load: Load, operators: int, within: float) -> Service:
    """What callers meet with `operators` on the line, by Erlang A where the load has a patience, else by Erlang C. `within`
    is in seconds. Raises ValueError for less than no operator or less than no time."""
    if operators < 0 or within < 0:
        raise ValueError(f"{operators} operators, {within} s")
    if load.calls == 0:
        return Service(1.0, 0.0, 0.0, 0.0, 0.0)
    if operators == 0:
        return Service(0.0, 1.0, 0.0 if load.patience is None else 1.0, load.patience or math.inf, 0.0)
    return (_patient if load.patience is None else _impatient)(load, operators, within)


def operators_for(load: Load, *, share: float, within: float) -> int:
    """The fewest operators with whom at least `share` (0–1, less than 1) of all calls are answered within `within` seconds.
    Raises ValueError where not even MOST of them would do."""
    if not 0 < share < 1:
        raise ValueError(f"a share of {share}")
    if load.calls == 0:
        return 0
    high = max(1, math.ceil(load.erlangs))
    while high <= MOST and service(load, high, within).answered_within < share:
        high = high + max(1, high // 8)
    low = 0
    high = min(high, MOST)
    if service(load, high, within).answered_within < share:
        raise ValueError(f"more than {MOST} operators")
    while high - low > 1:  # more operators never make it worse
        middle = (low + high) // 2
        if service(load, middle, within).answered_within < share:
            low = middle
        else:
            high = middle
    return high


def patience_from(given_up: int, waited: float) -> float | None:
    """Mean patience in seconds: all the time that anybody waited, answered or not, ÷ the number who gave up. It is the
    maximum-likelihood estimate where those who were answered are censored (L. Brown et al., "Statistical analysis of a
    telephone call center", JASA 100 (2005), section 6). None where nobody gave up: the log then says nothing of it."""
    return waited / given_up if given_up > 0 and waited > 0 else None
