"""The life of a handover as this desk reads the published interface: message → (who sends it, states it counts in, state after)."""

from __future__ import annotations

from typing import Final

OFFERED, ACKNOWLEDGED, NEGOTIATING, WITHDRAWING = "offered", "acknowledged", "negotiating", "withdrawing"
ACCEPTED, IN_PROGRESS, OUTCOME_RETURNED, CLOSED = "accepted", "in_progress", "outcome_returned", "closed"
REFUSED, DEFAULTED, WITHDRAWN = "refused", "defaulted", "withdrawn"

UNDECIDED: Final = (OFFERED, ACKNOWLEDGED, NEGOTIATING, WITHDRAWING)
ASKED: Final = (OFFERED, ACKNOWLEDGED, NEGOTIATING)
UNDER_WAY: Final = (ACCEPTED, IN_PROGRESS)
TAKEN: Final = (ACCEPTED, IN_PROGRESS, OUTCOME_RETURNED, CLOSED)
STATES: Final = (*UNDECIDED, *TAKEN, REFUSED, DEFAULTED, WITHDRAWN)

OFFEROR, RECEIVER = "offeror", "receiver"
BOTH: Final = (OFFEROR, RECEIVER)

# kind → who may send it, in which states it changes something, and the state it leads to (None: none)
TABLE: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], str | None]]] = {
    "acknowledge": ((RECEIVER,), (OFFERED,), ACKNOWLEDGED),
    "accept": ((RECEIVER,), UNDECIDED, ACCEPTED),
    "refuse": ((RECEIVER,), UNDECIDED, REFUSED),
    "negotiate": (BOTH, ASKED, NEGOTIATING),
    "withdraw": ((OFFEROR,), ASKED, WITHDRAWING),
    "withdrawn": ((RECEIVER,), (WITHDRAWING,), WITHDRAWN),
    "phone": ((OFFEROR,), UNDECIDED, None),
    "supplement": (BOTH, STATES, None),
    "progress": ((RECEIVER,), UNDER_WAY, IN_PROGRESS),
    "outcome": ((RECEIVER,), UNDER_WAY, OUTCOME_RETURNED),
    "close": ((OFFEROR,), (OUTCOME_RETURNED,), CLOSED),
}

REASONS: Final = ("not_police", "duplicate", "elsewhere", "insufficient", "stale_term", "defaulted", "other")
RESULTS: Final = ("settled", "mediated", "case_filed", "not_found", "handed_on", "no_action", "other")
STEPS: Final = ("dispatched", "on_scene", "working", "other")


def counts(kind: str, state: str, by: str) -> bool:
    """Whether a message of this kind, sent by the offering or the receiving desk, changes a handover in this state."""
    who, sources, _target = TABLE[kind]
    return by in who and state in sources


def after(kind: str, state: str, *, defaulted: bool = False) -> str:
    """The state behind a message that counts."""
    if kind == "refuse" and defaulted:
        return DEFAULTED
    return TABLE[kind][2] or state

# Where a message may find its handover when another crossed it on the way: noted there, and nothing changes.
_OVER: Final = (*TAKEN, REFUSED, DEFAULTED, WITHDRAWN)
CROSSED: Final[dict[str, tuple[str, ...]]] = {
    "acknowledge": STATES, "negotiate": STATES, "phone": STATES, "withdraw": _OVER,
    "progress": (OUTCOME_RETURNED, CLOSED), "outcome": (OUTCOME_RETURNED, CLOSED), "close": (CLOSED,),
}
