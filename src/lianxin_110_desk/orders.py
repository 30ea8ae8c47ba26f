"""What this desk can be ordered to do: to misbehave, and to answer by itself. Values only; nothing here touches the database.

Shares are probabilities from 0 to 1. `slow` seconds before an answer; `silent` takes a message and answers nothing; `lose_answer`
applies it and breaks the connection; `duplicate`, `reorder` and `garbage` concern what is sent; `refuse_all` every offer;
`clock` seconds by which this desk's clock is wrong; `crash` names the place where the process ends at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

SHARES: Final = ("silent", "lose_answer", "duplicate", "reorder", "garbage", "crash_share")
CRASHES: Final = ("", "before_commit", "after_commit", "after_send", "any")
LONGEST_SLOW: Final = 120.0
LONGEST_CLOCK: Final = 10 * 366 * 86_400


class BadOrder(ValueError):
    """An order that makes no sense; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Conduct:
    slow: float = 0.0
    silent: float = 0.0
    lose_answer: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    garbage: float = 0.0
    refuse_all: bool = False
    crash: str = ""
    crash_share: float = 1.0
    crash_once: bool = True
    clock: int = 0

    @property
    def good(self) -> bool:
        return not (self.slow or self.silent or self.lose_answer or self.duplicate or self.reorder or self.garbage
                    or self.refuse_all or self.crash or self.clock)

    def changed(self, order: dict[str, Any]) -> Conduct:
        """With some of it ordered otherwise. Raises `BadOrder`."""
        known = {field.name: field for field in fields(self)}
        unknown = sorted(set(order) - set(known))
        if unknown:
            raise BadOrder(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return replace(self, **{name: _value(name, value) for name, value in order.items()})


def _value(name: str, value: Any) -> Any:
    if name == "crash":
        if value not in CRASHES:
            raise BadOrder(f"crash is one of {', '.join(place or '(empty)' for place in CRASHES)}")
        return value
    if name in ("refuse_all", "crash_once"):
        if str(value).lower() not in ("true", "false", "1", "0", "on", "off", ""):
            raise BadOrder(f"{name} is true or false")
        return str(value).lower() in ("true", "1", "on")
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        raise BadOrder(f"{name} is a number") from None
    low, high = {"slow": (0, LONGEST_SLOW), "clock": (-LONGEST_CLOCK, LONGEST_CLOCK)}.get(name, (0, 1))
    if not low <= number <= high:
        raise BadOrder(f"{name} lies between {low} and {high}")
    return int(number) if name == "clock" else number


def conduct_of(text: str) -> dict[str, Any]:
    """`slow=2,duplicate=0.2,refuse_all,crash=after_commit:0.01` as an order. `crash=PLACE` happens once, with a share again and again."""
    order: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, mark, value = part.partition("=")
        order[name] = value if mark else "true" if name in ("refuse_all", "crash_once") else "1"
        if name == "crash" and ":" in value:
            order["crash"], order["crash_share"] = value.split(":", 1)
            order["crash_once"] = "false"
    Conduct().changed(order)
    return order


@dataclass(frozen=True, slots=True)
class Auto:
    """Shares of 1: what is not accepted, refused or negotiated about is left to people. `pace` seconds between two steps,
    `offers` new incidents a second handed to the other desk."""

    on: bool = False
    accept: float = 0.7
    refuse: float = 0.2
    negotiate: float = 0.1
    outcome: float = 1.0
    follow_up: float = 0.2
    progress: bool = True
    pace: float = 0.0
    offers: float = 0.0

    def changed(self, order: dict[str, Any]) -> Auto:
        """Raises `BadOrder`."""
        known = {field.name for field in fields(self)}
        if set(order) - known:
            raise BadOrder(f"unknown: {', '.join(sorted(set(order) - known))}; known: {', '.join(sorted(known))}")
        values: dict[str, Any] = {}
        for name, value in order.items():
            if name in ("on", "progress"):
                values[name] = str(value).lower() in ("true", "1", "on", "yes")
                continue
            try:
                values[name] = float(value or 0)
            except (TypeError, ValueError):
                raise BadOrder(f"{name} is a number") from None
            if not 0 <= values[name] <= (1 if name not in ("pace", "offers") else 1000):
                raise BadOrder(f"{name} is out of range")
        made = replace(self, **values)
        if made.accept + made.refuse + made.negotiate > 1 + 1e-9:
            raise BadOrder("accept, refuse and negotiate together are more than 1")
        return made


def auto_of(text: str) -> dict[str, Any]:
    """`accept=0.6,refuse=0.3,pace=2` (or `on`) as an order that switches it on; an empty text orders nothing."""
    given = dict(part.strip().partition("=")[::2] for part in text.split(",") if part.strip())
    order = {name: value or "1" for name, value in {"on": "", **given}.items()} if given else {}
    Auto().changed(order)
    return order
