"""Making the checks, one after the other, and telling what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatch

from . import life_checks, message_checks, sending_checks
from .findings import CHECKS, GUIDE, Check, Failed, Finding, Untried, Verdict
from .session import Session

PARTS = [part.__name__ for part in (message_checks, life_checks, sending_checks)]  # in this order; `send.signed` looks at what came


def chosen(patterns: Iterable[str]) -> list[Check]:
    """The checks whose name fits one of the patterns (`sign.*`); all when there are none. Raises LookupError for a pattern that
    fits nothing."""
    wanted = list(patterns)
    for pattern in wanted:
        if not any(fnmatch(check.name, pattern) for check in CHECKS):
            raise LookupError(pattern)
    found = [check for check in CHECKS if not wanted or any(fnmatch(check.name, pattern) for pattern in wanted)]
    return sorted(found, key=lambda check: PARTS.index(check.run.__module__))


def run(session: Session, checks: Iterable[Check], told: Callable[[Finding], None] = lambda finding: None) -> list[Finding]:
    """Make the checks; `told` hears each result at once."""
    found = []
    for check in checks:
        began, verdict, why = time.monotonic(), Verdict.PASSED, ""
        session.listener.planned.clear()
        try:
            check.run(session)
        except Untried as reason:
            verdict, why = Verdict.UNTRIED, str(reason)
        except Failed as reason:
            verdict, why = Verdict.FAILED, str(reason)
        except (LookupError, TypeError, ValueError, AttributeError) as error:  # what came is not at all what a desk sends
            verdict, why = Verdict.FAILED, f"what came cannot be read: {type(error).__name__}: {error}"
        finding = Finding(check, verdict, why, time.monotonic() - began)
        found.append(finding)
        told(finding)
    return found


def line(finding: Finding) -> str:
    """One result as text."""
    text = f"{finding.verdict.value:<10} {finding.check.name:<20} {finding.check.title}"
    if finding.why:
        text += f"\n           {finding.why}"
    if finding.verdict is Verdict.FAILED:
        text += f"\n           read: {GUIDE}#{finding.check.read}"
    return text


def summary(found: Iterable[Finding]) -> dict[Verdict, int]:
    counts = dict.fromkeys(Verdict, 0)
    for finding in found:
        counts[finding.verdict] += 1
    return counts
