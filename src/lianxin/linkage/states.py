"""The life of one handover as a table: message → (from whose side, states it is taken in, state it leads to).

Offered, acknowledged, negotiated about, accepted or refused; then in progress there, its outcome returned, closed. The same
table is read on both sides: `who` says whether the desk that offered or the one that was asked sends it. A message that
crossed another on the way and finds a state not listed here changes nothing: the word of the desk that was asked decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from .wire import Kind


class HandoverState(models.TextChoices):
    OFFERED = "offered", _("已提出，待对方确认")
    ACKNOWLEDGED = "acknowledged", _("对方已看到，待答复")
    NEGOTIATING = "negotiating", _("协商中")
    WITHDRAWING = "withdrawing", _("撤回中，待对方确认")
    ACCEPTED = "accepted", _("已接收")
    IN_PROGRESS = "in_progress", _("处置中")
    OUTCOME_RETURNED = "outcome_returned", _("已反馈结果")
    CLOSED = "closed", _("已办结")
    REFUSED = "refused", _("不接收")
    DEFAULTED = "defaulted", _("归先接单位")
    WITHDRAWN = "withdrawn", _("已撤回")


S = HandoverState
# Not decided yet: one offer of a matter at a time.
UNDECIDED: Final = (S.OFFERED, S.ACKNOWLEDGED, S.NEGOTIATING, S.WITHDRAWING)
TAKEN: Final = (S.ACCEPTED, S.IN_PROGRESS, S.OUTCOME_RETURNED, S.CLOSED)
NOT_TAKEN: Final = (S.REFUSED, S.DEFAULTED, S.WITHDRAWN)
OVER: Final = (S.CLOSED, *NOT_TAKEN)
# Something is still awaited from one of the two.
OPEN: Final = tuple(state for state in S if state not in OVER)
_ASKED: Final = (S.OFFERED, S.ACKNOWLEDGED, S.NEGOTIATING)
_UNDER_WAY: Final = (S.ACCEPTED, S.IN_PROGRESS)


class Who(models.TextChoices):
    """Which of the two desks: the one that offered, the one that was asked, or either."""

    OFFEROR = "offeror", _("移交方")
    RECEIVER = "receiver", _("接收方")
    EITHER = "either", _("双方")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `target` None leaves the state as it is."""

    kind: Kind
    who: Who
    sources: tuple[HandoverState, ...]
    target: HandoverState | None


TABLE: Final[tuple[Row, ...]] = (
    Row(Kind.ACKNOWLEDGE, Who.RECEIVER, (S.OFFERED,), S.ACKNOWLEDGED),
    Row(Kind.ACCEPT, Who.RECEIVER, UNDECIDED, S.ACCEPTED),
    Row(Kind.REFUSE, Who.RECEIVER, UNDECIDED, S.REFUSED),
    Row(Kind.NEGOTIATE, Who.EITHER, _ASKED, S.NEGOTIATING),
    Row(Kind.WITHDRAW, Who.OFFEROR, _ASKED, S.WITHDRAWING),
    Row(Kind.WITHDRAWN, Who.RECEIVER, (S.WITHDRAWING,), S.WITHDRAWN),
    Row(Kind.PHONE, Who.OFFEROR, UNDECIDED, None),
    Row(Kind.SUPPLEMENT, Who.EITHER, tuple(S), None),
    Row(Kind.PROGRESS, Who.RECEIVER, _UNDER_WAY, S.IN_PROGRESS),
    Row(Kind.OUTCOME, Who.RECEIVER, _UNDER_WAY, S.OUTCOME_RETURNED),
    Row(Kind.CLOSE, Who.OFFEROR, (S.OUTCOME_RETURNED,), S.CLOSED),
)
BY_KIND: Final = {row.kind: row for row in TABLE}


def after(kind: Kind, state: HandoverState | str, *, by: Who, defaulted: bool = False) -> HandoverState | None:
    """The state a handover is in after a message of one side; None when the message changes nothing in this state."""
    row = BY_KIND[kind]
    now = HandoverState(state)
    if now not in row.sources or row.who not in (by, Who.EITHER):
        return None
    if kind is Kind.REFUSE and defaulted:
        return S.DEFAULTED
    return row.target or now
