"""移交: a case is offered to the desk of another service, goes there, and comes back or ends there.

Until the other desk has accepted, the hotline holds the case: its units go on with it, and nothing final is done
(`policy.held_by_an_offer`). From then on the hotline owes the answer by the clock of the handover, until the outcome is told or
the case is taken back. `offer_handover` and `withdraw_handover` are people's; the others are steps of the link between the
desks and are called by it alone.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict, Invalid
from lianxin.kernel.text import clean_text

from ..engine import ENDINGS, Step, action
from ..handing_over import OFFERS, STEPS, WITHDRAWALS, Basis, Mode, Offer, Wish, latest, named, partners
from ..models import ClockKind, Linkage, Outcome, State
from .dispatching import set_elements, words

REASON = 200  # characters
OPEN = "handover_open"


def _one_of(value: str, choices: list[str], name: str) -> str:
    if value not in choices:
        raise Invalid(_("请从列表中选择。"), fields={name: str(_("请从列表中选择。"))})
    return value


def _reason(value: str) -> str:
    said = clean_text(value or "", max_length=REASON + 1, multiline=True)
    if not said:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={"reason": str(_("请填写这一项。"))})
    if len(said) > REASON:
        raise Invalid(_("原因最多写 %d 个字。") % REASON, fields={"reason": str(_("请写短一些，别的写在说明里。"))})
    return said


def _partner(code: str) -> str:
    known = dict(partners())
    if not OFFERS or not known:
        raise Invalid(_("还没有接入可以移交的单位，请打电话联系对方。"), fields={"partner": str(_("没有可选的单位。"))})
    if code not in known:
        raise Invalid(_("没有这个单位，请从列表中选择。"), fields={"partner": str(_("请从列表中选择。"))})
    return code


@action("offer_handover")
def offer_handover(step: Step, *, partner: str, reason: str, basis: str = "clear", emergency: bool = False,
                   mode: str = "transfer", wish: str = "not_asked", note: str = "") -> None:
    """移交: offer the case to the desk of another service, or (`mode` joint) ask it to take its own part beside this hotline's.

    The hotline holds the case until the other desk accepts. One offer at a time; what its reporter does not want handed over stays,
    unless there is danger.
    """
    step.require(partner=partner.strip() if partner else "", reason=reason.strip() if reason else "")
    code = _partner(clean_text(partner, max_length=60, multiline=False))
    said = _reason(reason)
    _one_of(basis, Basis.values, "basis")
    _one_of(mode, Mode.values, "mode")
    _one_of(wish, Wish.values, "wish")
    emergency = emergency or basis == Basis.EMERGENCY
    if wish == Wish.AGAINST and not emergency:
        raise Invalid(_("诉求人不愿意转，又不紧急：尊重诉求人的意愿，由热线继续办理。"),
                      fields={"wish": str(_("不愿意转的，只有紧急情况才移交。"))})
    if mode == Mode.TRANSFER and step.case.linkage == Linkage.OFFERED:
        raise Conflict(_("已经在移交，对方还没有答复：先撤回移交，再移交给别的单位。"), code=OPEN)
    more = words(note, "note", required=False)
    step.data.update(named(code), basis=Basis.EMERGENCY.value if emergency else basis, emergency=emergency, mode=mode, wish=wish)
    step.say("reason", said, public=False)
    step.say("note", more, public=False)
    step.set(linked=True)
    if mode == Mode.TRANSFER:
        step.set(linkage=Linkage.OFFERED.value)
    offer = Offer(partner=code, reason=said, basis=step.data["basis"], emergency=emergency, mode=mode, note=more,
                  wish=Wish.NOT_ASKED.value if wish == Wish.AGAINST else wish)
    for told in OFFERS:
        told(step, offer)


@action("withdraw_handover")
def withdraw_handover(step: Step, *, reason: str) -> None:
    """撤回移交: ask the other desk to give the offer back undecided. It stands until that desk confirms – or says that it has
    accepted already."""
    step.require(reason=reason.strip() if reason else "")
    said = _reason(reason)
    if step.case.linkage != Linkage.OFFERED:
        raise Conflict(_("没有在等答复的移交，不用撤回。"), code="no_offer")
    step.data.update(latest(step.case.pk), step="withdrawing")
    step.say("reason", said, public=False)
    for told in WITHDRAWALS:
        told(step, said)


def _about(step: Step, data: dict[str, Any]) -> None:
    """What an event about a handover keeps: the desk by its names, and what the link says of the step. No words."""
    code = str(data.get("partner", "") or "")
    step.data.update(named(code) if code else latest(step.case.pk))
    step.data.update({name: value for name, value in data.items() if name != "partner"})


def _stand(step: Step, linkage: str | None) -> None:
    """Where the case stands from now on: no longer offered, or offered again. Being there is the state's to say."""
    step.set(linked=True)
    if linkage is not None and linkage != step.case.linkage:
        if linkage not in ("", Linkage.OFFERED.value) or step.case.state == State.HANDED_OVER:
            raise AssertionError("a note moves no case to another service, and none back")
        step.set(linkage=linkage)


def _told(step: Step, said: str) -> str:
    if said not in STEPS:
        raise AssertionError(f"{said} is no step of a handover")
    return said


# Named so that the action's own argument may be called `step`, as everywhere else in linkage.
@action("note_handover")
def note_handover(on: Step, *, step: str, data: dict[str, Any], words: str = "", linkage: str | None = None) -> None:
    """移交记录: what passed between the two desks, for staff only. A refusal or a confirmed withdrawal sets `linkage` to empty:
    the case is the hotline's alone again."""
    _about(on, data | {"step": _told(on, step)})
    _stand(on, linkage)
    on.say("words", _clean(words), public=False)


@action("tell_handover")
def tell_handover(on: Step, *, step: str, data: dict[str, Any], words: str = "", linkage: str | None = None) -> None:
    """联动进展: what the reporter reads of it – acknowledged, on the way, on the scene. The words are the other desk's; the
    reporter reads a plain sentence instead."""
    _about(on, data | {"step": _told(on, step)})
    _stand(on, linkage)
    on.say("words", _clean(words), public=False)


def _clean(value: str) -> str:
    return words(value, "words", required=False)


@action("release_handover")
def release_handover(step: Step, *, data: dict[str, Any], words: str = "") -> None:
    """对方接收: the other desk holds the matter from here on. Every unit's part ends, nothing runs but the clock of the handover."""
    _about(step, data)
    step.end_all()
    for ended in ENDINGS:  # nobody of ours owes anything about it any more
        ended(step)
    if step.case.accepted_at is None:
        step.set(accepted_at=step.at)
    step.set(linked=True, linkage=Linkage.THERE.value, lead_unit_id=None, for_supervisor=False)
    step.to(State.HANDED_OVER)
    go_there(step)
    step.say("words", _clean(words), public=False)


@action("take_back_handover")
def take_back_handover(step: Step, *, data: dict[str, Any], words: str = "", category: str | None = None,
                       urgency: str | None = None) -> None:
    """接回办理: what is left to do is the hotline's, under new clocks. To be dispatched; to be accepted first where nobody has yet
    said what it is about."""
    _about(step, data)
    set_elements(step, category=category, area=None, kind=None, urgency=urgency)
    step.set(linkage="")
    come_back(step)
    if step.case.category_id is None:
        step.set(accepted_at=None)
        step.to(State.REGISTERED)
    else:
        step.to(State.ACCEPTED)
    step.say("words", _clean(words), public=False)


def go_there(step: Step) -> None:
    """From here on nothing is owed to the reporter but what comes of it there. An answer that review never passed is none."""
    if step.clocks_of(ClockKind.HANDOVER):
        return
    step.unmeet(ClockKind.RESOLVE)
    step.stop(everything=True)
    step.owe(ClockKind.HANDOVER)


def come_back(step: Step) -> bool:
    """The other desk has answered for it: new promises to the reporter, from now, under the limits of the case's round. Returns
    whether it had been there."""
    if not step.clocks_of(ClockKind.HANDOVER):
        return False
    step.meet(ClockKind.HANDOVER)
    limits = step.limits()
    step.start(ClockKind.FIRST_CONTACT, minutes=limits.first_contact, calendar=limits.calendar)
    step.start(ClockKind.RESOLVE, minutes=limits.resolve, calendar=limits.calendar)
    return True


@action("close_handover")
def close_handover(step: Step, *, data: dict[str, Any], words: str = "", public_words: str = "") -> None:
    """联动办结: the other desk's outcome is the answer. `public_words` are what the reporter reads of it."""
    _about(step, data)
    step.say("public_answer", clean_text(public_words or "", max_length=10_000, multiline=True), public=True)
    step.say("words", _clean(words), public=False)
    step.meet(ClockKind.HANDOVER)
    step.set(linkage="", outcome=Outcome.HANDED_OVER.value)
    step.data.update(outcome=Outcome.HANDED_OVER.value)
    step.to(State.CLOSED)
    step.finish()
