"""移交: what the cases have to know of the desks of other services. Who they are and what is said to them is `linkage`'s.

`linkage` hangs its functions into the lists below; without any there is nobody to hand a case to.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from .models import Case, Event, Linkage, State

if TYPE_CHECKING:
    from .engine import Step


# What a person may choose here, and how it is put to them. What travels between desks is the wire's own (`linkage.wire`): it knows reasons
# that only a machine gives, and nothing of a caller who is against it. A test holds the two together.
class Basis(models.TextChoices):
    """Why a case is offered: clearly theirs; unclear, to be settled between the desks; danger, now."""

    CLEAR = "clear", _("明确属对方职责")
    UNCLEAR = "unclear", _("职责不明确，请对方一起看")
    EMERGENCY = "emergency", _("紧急情况")


class Mode(models.TextChoices):
    """`transfer` hands the case over; `joint` asks for the other service's own part, and the case stays."""

    TRANSFER = "transfer", _("移交：由对方接过去办")
    JOINT = "joint", _("协同：请对方来办他们那一部分，工单仍由热线负责")


class Wish(models.TextChoices):
    """What whoever raised it said to it."""

    NOT_ASKED = "not_asked", _("没有问")
    AGREES = "agrees", _("同意转")
    ASKED = "asked", _("要求转")
    AGAINST = "against", _("不愿意转")


class Stage(models.TextChoices):
    """What a note or a public word about a handover is about."""

    ACKNOWLEDGED = "acknowledged", _("对方已看到")
    ACCEPTED = "accepted", _("对方已接收")
    REFUSED = "refused", _("对方不接收")
    NEGOTIATING = "negotiating", _("协商中")
    NEGOTIATED = "negotiated", _("已商定")
    WITHDRAWING = "withdrawing", _("撤回中")
    WITHDRAWN = "withdrawn", _("已撤回")
    PHONED = "phoned", _("电话联系")
    LATE = "late", _("对方没有按时答复")
    DEFAULTED = "defaulted", _("先接的单位办")
    SUPPLEMENTED = "supplemented", _("补充已发给对方")
    LINKED = "linked", _("由对方转来")
    DISPATCHED = "dispatched", _("已派人")
    ON_SCENE = "on_scene", _("已到现场")
    WORKING = "working", _("正在处置")
    OTHER = "other", _("有新情况")
    OUTCOME = "outcome", _("对方反馈结果")
    CLOSED = "closed", _("已告知对方")


STEPS: Final = tuple(Stage.values)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered. `wish` is `agrees`, `asked` or `not_asked`: what the caller is against is offered in danger only, and
    without a word of it. `note` is for the other desk's people."""

    partner: str
    reason: str
    basis: str
    emergency: bool
    mode: str
    wish: str
    note: str


OFFERS: list[Callable[[Step, Offer], None]] = []
WITHDRAWALS: list[Callable[[Step, str], None]] = []
# Called when anything was written to a case that has, or had, to do with another service; `step.row.action` says what.
MOVES: list[Callable[[Step], None]] = []
# The desks a case may be offered to: code and name, in the language that is active.
PARTNERS: list[Callable[[], list[tuple[str, str]]]] = []


def partners() -> list[tuple[str, str]]:
    return [one for told in PARTNERS for one in told()]


def not_now(case: Case) -> frozenset[str]:
    """Steps of handing over that have nothing to act on as the case stands. No query."""
    closed = set() if case.linkage == Linkage.OFFERED else {"withdraw_handover"}
    return frozenset(closed if PARTNERS else {*closed, "offer_handover"})


def named(code: str) -> dict[str, str]:
    """A desk as an event keeps it: its code, and its name in Chinese and in English as it is now."""
    found = {"partner": code}
    for name, language in (("partner_name", "zh-hans"), ("partner_name_en", "en")):
        with override(language):
            found[name] = str(dict(partners()).get(code, ""))
    return found


def latest(case_id: uuid.UUID) -> dict[str, Any]:
    """The desk that the last word about a handover of this case named; empty when there was none. One query."""
    found = Event.objects.filter(case_id=case_id, data__has_key="partner").order_by("-id").values_list("data", flat=True).first()
    return {name: (found or {}).get(name, "") for name in ("partner", "partner_name", "partner_name_en")} if found else {}


def matter_of(step: Step) -> uuid.UUID:
    """The case that the other desk knows: this one, or the master it was merged under, whose matter it is."""
    case = step.case
    return case.master_id if case.state == State.MERGED and case.master_id is not None else case.pk


def _shared(step: Step) -> bool:
    case: Case = step.case
    if case.linked:
        return True
    master = case.master if case.state == State.MERGED else None
    return master is not None and master.linked


def moved(step: Step) -> None:
    """Tell those who listen that something was written. A case merged under one that is shared counts as that one (`matter_of`)."""
    if MOVES and _shared(step):
        for told in MOVES:
            told(step)
