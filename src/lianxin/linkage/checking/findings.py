"""What one check is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

GUIDE = "docs/reference/linkage.md"


class Failed(Exception):
    """The other side breaks a rule; the message says what it did and what it should have done."""


class Untried(Exception):
    """The check could not be made; the message says what is missing."""


class Verdict(StrEnum):
    PASSED = "pass"
    FAILED = "FAIL"
    UNTRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `read` is the section of the guide that states it."""

    name: str
    title: str
    read: str
    run: Callable[[Session], None]
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result; `why` is empty where it passed."""

    check: Check
    verdict: Verdict
    why: str
    seconds: float

    def as_dict(self) -> dict[str, str | float]:
        return {"check": self.check.name, "title": self.check.title, "verdict": self.verdict.name.lower(), "why": self.why,
                "read": f"{GUIDE}#{self.check.read}", "seconds": round(self.seconds, 3)}


CHECKS: list[Check] = []


def check(name: str, title: str, *, read: str, by_hand: bool = False) -> Callable[[Callable[[Session], None]], Callable[[Session], None]]:
    """Put a function among the checks; they run in the order in which they are written. `by_hand` needs somebody at the other desk."""

    def put(run: Callable[[Session], None]) -> Callable[[Session], None]:
        CHECKS.append(Check(name, title, read, run, by_hand))
        return run

    return put


def wanted(fact: object, words: str) -> None:
    """Raises Failed with `words` unless `fact`."""
    if not fact:
        raise Failed(words)
