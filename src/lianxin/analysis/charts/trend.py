"""A rate over time within its control limits: what lies between them may be chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .svg import WIDTH, Caption, element, path_of, per_cent, picture, text, ticks, width_of

HEIGHT = 168
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 14, 16, 24


@dataclass(frozen=True, slots=True)
class Point:
    """One period. `value` is a share from 0 to 1, None when nothing was counted; `low` and `high` are its control limits;
    `few` says that it counts too few cases to be judged, `outside` that it lies beyond its limits."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    few: bool = False
    outside: bool = False


def _scale(points: Sequence[Point], centre: float | None) -> list[float]:
    """Ticks of a span that holds every value; never outside 0 to 1 and never so narrow that noise looks like a cliff."""
    found = [value for point in points for value in (point.value, point.low, point.high) if value is not None]
    found += [centre] if centre is not None else []
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if high - low < 0.1:
        middle = (high + low) / 2
        low, high = middle - 0.05, middle + 0.05
    return [tick for tick in ticks(max(low, 0.0), min(high, 1.0), 4) if -1e-9 <= tick <= 1 + 1e-9]


def _runs(places: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]


def trend(points: Sequence[Point], *, caption: Caption, centre: float | None = None) -> str:
    """One line with a dot for each period, a band between the limits, a dashed line at the long-run level. A dot beyond
    the limits is a diamond, one that counts too few is hollow. Only the last value is written out, and none for one that counts too few."""
    scale = _scale(points, centre)
    bottom, top = scale[0], scale[-1]
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    step = (right - _LEFT) / max(len(points), 1)

    def x(index: int) -> float:
        return _LEFT + step * (index + 0.5)

    def y(value: float) -> float:
        return floor - (min(max(value, bottom), top) - bottom) / ((top - bottom) or 1) * (floor - _TOP)

    parts: list[str] = []
    for index, point in enumerate(points):
        if point.low is not None and point.high is not None:
            parts.append(element("rect", "c-band", x=x(index) - step / 2, y=y(point.high), width=step,
                                 height=max(y(point.low) - y(point.high), 0.5)))
    for tick in scale:
        parts.append(element("line", "c-grid", x1=_LEFT, x2=right, y1=y(tick), y2=y(tick)))
        parts.append(text(_LEFT - 5, y(tick) + 4, per_cent(tick), look="c-quiet", size=10, anchor="end"))
    if centre is not None:
        parts.append(element("line", "c-centre", x1=_LEFT, x2=right, y1=y(centre), y2=y(centre)))
    places = [None if point.value is None else (x(index), y(point.value)) for index, point in enumerate(points)]
    parts += [element("path", "c-line", d=path_of(run)) for run in _runs(places) if len(run) > 1]
    for point, place in zip(points, places, strict=True):
        if place is not None:
            parts.append(_mark(place, point))
    parts += _below(points, x, floor + 15)
    last = next(((point, place) for point, place in zip(reversed(points), reversed(places), strict=True)
                 if place is not None), None)
    if last is not None and last[0].value is not None and last[1] is not None and not last[0].few:
        said = f"{last[0].value * 100:.1f}%"
        above = last[1][1] + (18 if (_falls(places) and last[1][1] < floor - 20) or last[1][1] < _TOP + 14 else -9)
        parts.append(text(min(last[1][0] + width_of(said, 12) / 2, right + 8), above, said, look="c-halo", size=12,
                          anchor="end", bold=True))
    return picture(caption, HEIGHT, parts)


def _falls(places: Sequence[tuple[float, float] | None]) -> bool:
    """Whether the line comes down to its last point: the value then stands below it."""
    known = [place for place in places if place is not None]
    return len(known) > 1 and known[-1][1] > known[-2][1]


def _mark(place: tuple[float, float], point: Point) -> str:
    cx, cy = place
    if point.outside:
        corners = [(cx, cy - 6), (cx + 6, cy), (cx, cy + 6), (cx - 6, cy)]
        return element("path", "c-out", d=path_of(corners, closed=True))
    return element("circle", "c-few" if point.few else "c-dot", cx=cx, cy=cy, r=3.5)


def _below(points: Sequence[Point], x: Callable[[int], float], y: float) -> list[str]:
    """Labels of as many periods as there is room for, the last one always."""
    if not points:
        return []
    widest = max(width_of(point.label, 10) for point in points) + 8
    step = (WIDTH - _LEFT - _RIGHT) / len(points)
    every = max(1, -(-int(widest) // max(int(step), 1)))
    last = len(points) - 1
    return [text(x(index), y, point.label, look="c-quiet", size=10, anchor="middle")
            for index, point in enumerate(points) if (last - index) % every == 0]
