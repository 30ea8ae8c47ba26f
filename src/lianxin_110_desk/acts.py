"""What the people of this desk do. Each is one transaction: judged, changed, written down, put into the outbox – or nothing of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from . import conduct, states
from .live import tell
from .models import THEM, US, Handover, JointRule, Matter
from .moving import accepted, closes, code_of, set_state
from .options import options
from .protocol import new_number
from .saying import say, say_apart
from .store import afterwards, find, insert, next_number, update, writing
from .words import Said


class NotNow(Said):
    """This cannot be done now; the sentence is for the person at the desk."""


class Unfit(Said):
    """What was typed cannot be taken; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits at the desk, by badge."""

    badge: str


def _key(key: uuid.UUID | str) -> uuid.UUID:
    return key if isinstance(key, uuid.UUID) else uuid.UUID(key)


def _matter_of(handover: Handover) -> Matter:
    matter = find(Matter, id=handover.matter_id)
    assert matter is not None  # a foreign key says so
    return matter


@contextmanager
def _of(key: uuid.UUID | str, kind: str) -> Iterator[tuple[Matter, Handover]]:
    """The handover and its matter, locked, when this desk may send such a message now. Raises `NotNow`."""
    with writing():
        handover = find(Handover, id=_key(key))
        if handover is None:
            raise NotNow("没有这次移交")
        by = states.RECEIVER if handover.incoming else states.OFFEROR
        if not states.counts(kind, handover.state, by):
            raise NotNow("这次移交现在不能这样做，页面上是最新情况")
        handover.matter = matter = _matter_of(handover)
        yield matter, handover
        update(handover)


def _needed(text: str, fault: str, longest: int = 2000) -> str:
    text = text.strip()
    if not text:
        raise Unfit(fault)
    if len(text) > longest:
        raise Unfit("文字太长，最多 {n} 字", n=longest)
    return text


def _one_of(value: str, values: tuple[str, ...], fault: str) -> str:
    if value not in values:
        raise Unfit(fault)
    return value


def acknowledge(key: uuid.UUID | str, *, by: Person) -> bool:
    """It lies before a person. Whether anything changed: opened twice it is acknowledged once."""
    with writing():
        handover = find(Handover, id=_key(key))
        if handover is None or not handover.incoming or handover.state != states.OFFERED:
            return False
        handover.matter = matter = _matter_of(handover)
        set_state(handover, states.ACKNOWLEDGED)
        update(handover)
        say("acknowledge", matter, handover, {"operator": by.badge}, operator=by.badge)
        return True


def accept(key: uuid.UUID | str, *, by: Person, note: str = "", how: str = "person") -> None:
    with _of(key, "accept") as (matter, handover):
        accepted(matter, handover, US)
        say("accept", matter, handover,
            {"operator": by.badge, "reference": matter.number, "note": note.strip()[:2000], "by": how}, operator=by.badge)


def refuse(key: uuid.UUID | str, *, by: Person, reason: str, words: str = "", defaulted: bool = False) -> None:
    _one_of(reason, states.REASONS, "请选择不接收的理由")
    if reason == "other" and not defaulted:
        words = _needed(words, "理由选“其他”时，请写明原因")
    with _of(key, "refuse") as (matter, handover):
        handover.refusal = reason
        set_state(handover, states.after("refuse", handover.state, defaulted=defaulted))
        say("refuse", matter, handover,
            {"reason": reason, "words": words.strip()[:2000], "operator": by.badge, "defaulted": defaulted}, operator=by.badge)


def default(key: uuid.UUID | str, *, by: Person) -> None:
    """Still unclear: the first receiver has it."""
    handover = Handover.objects.select_related("matter").filter(id=key).first()
    if handover is None or handover.state != states.NEGOTIATING:
        raise NotNow("只有协商中的移交才能按首接负责处理")
    if handover.matter.first_receiver == US:
        accept(key, by=by, how="default")
    else:
        refuse(key, by=by, reason="defaulted", words="", defaulted=True)


def negotiate(key: uuid.UUID | str, *, by: Person, words: str, spoke_with: str = "", three_way: bool = False,
              agreed: str = "unclear") -> None:
    words = _needed(words, "请写下协商的内容")
    _one_of(agreed, ("ours", "theirs", "unclear"), "请选择协商的结果")
    with _of(key, "negotiate") as (matter, handover):
        set_state(handover, states.NEGOTIATING)
        say("negotiate", matter, handover,
            {"words": words, "operator": by.badge, "spoke_with": spoke_with.strip()[:40], "three_way": three_way, "agreed": agreed},
            operator=by.badge)


def withdraw(key: uuid.UUID | str, *, by: Person, reason: str) -> None:
    reason = _needed(reason, "请写明撤回的原因", 200)
    with _of(key, "withdraw") as (matter, handover):
        set_state(handover, states.WITHDRAWING)
        say("withdraw", matter, handover, {"reason": reason}, operator=by.badge)


def supplement(key: uuid.UUID | str, *, by: Person, words: str) -> None:
    words = _needed(words, "请写下要补充的情况")
    with _of(key, "supplement") as (matter, handover):
        say("supplement", matter, handover, {"words": words, "operator": by.badge}, operator=by.badge)


def phone(key: uuid.UUID | str, *, by: Person, spoke_with: str, agreed: str, words: str = "") -> None:
    spoke_with = _needed(spoke_with, "请写明和对方哪位通的话", 40)
    _one_of(agreed, ("accepted", "refused", "unclear"), "请选择电话里说定的结果")
    with _of(key, "phone") as (matter, handover):
        say("phone", matter, handover,
            {"spoke_with": spoke_with, "at": conduct.now().isoformat(), "agreed": agreed, "words": words.strip()[:2000],
             "operator": by.badge}, operator=by.badge)


def progress(key: uuid.UUID | str, *, by: Person, step: str, words: str = "") -> None:
    _one_of(step, states.STEPS, "请选择进展")
    with _of(key, "progress") as (matter, handover):
        set_state(handover, states.IN_PROGRESS)
        day = timezone.localtime().strftime("%Y%m%d")
        reference = f"PD-{day}-{next_number('dispatch ' + day):04d}" if step == "dispatched" else ""
        say("progress", matter, handover,
            {"step": step, "reference": reference, "words": words.strip()[:2000], "at": conduct.now().isoformat()}, operator=by.badge)


def outcome(key: uuid.UUID | str, *, by: Person, result: str, words: str, public_words: str = "", follow_up: bool = False,
            follow_up_words: str = "") -> None:
    """How it ended. With something left to do, the matter is offered back behind it."""
    _one_of(result, states.RESULTS, "请选择处置结果")
    words = _needed(words, "请写明处置情况")
    if follow_up:
        follow_up_words = _needed(follow_up_words, "请写明要对方继续办什么")
    with _of(key, "outcome") as (matter, handover):
        handover.result = result
        set_state(handover, states.OUTCOME_RETURNED)
        say("outcome", matter, handover,
            {"result": result, "words": words, "public_words": public_words.strip()[:2000], "follow_up": follow_up,
             "follow_up_words": follow_up_words if follow_up else "", "at": conduct.now().isoformat()}, operator=by.badge)
        update(handover)
        if follow_up and handover.mode == "transfer":
            _offer(matter, by=by, basis="followup", words=follow_up_words, reason="需后续处理", follows=handover.id)


def close(key: uuid.UUID | str, *, by: Person, told: bool) -> None:
    with _of(key, "close") as (matter, handover):
        closes(matter, handover)
        say("close", matter, handover, {"told": told}, operator=by.badge)


def _offer(matter: Matter, *, by: Person, basis: str, words: str, reason: str, mode: str = "transfer", emergency: bool = False,
           wish: str = "not_asked", follows: uuid.UUID | None = None, key: uuid.UUID | None = None, category: str = "") -> Handover:
    seconds = options().emergency_seconds if emergency else options().answer_seconds
    handover = Handover(
        id=key or uuid.uuid4(), matter=matter, direction="out", mode=mode, basis=basis, emergency=emergency, reason=reason, words=words,
        wish=wish, follows=follows, offered_at=timezone.now(), due_at=timezone.now() + timedelta(seconds=seconds))
    insert(handover)
    matter.emergency = matter.emergency or emergency
    place = {"text": matter.place, "area": matter.area, "lon": matter.lon, "lat": matter.lat} if matter.place or matter.lon else None
    caller = {"shared": matter.caller_shared, "name": matter.caller_name, "phone": matter.caller_phone}
    named = category or matter.category
    say("offer", matter, handover, {
        "emergency": emergency, "mode": mode, "basis": basis, "reason": reason, "words": words,
        "category": {"code": CODES.get(named, "other"), "name": named, "theirs": ""} if named else None,
        "place": place, "occurred_at": (matter.occurred_at or matter.made_at).isoformat(), "wish": wish,
        "caller": caller if matter.caller_shared != "none" else None, "first_receiver": code_of(matter.first_receiver),
        "reference": matter.number, "operator": by.badge, "call": None, "answer_within": seconds,
        "follows": str(follows) if follows else None,
    }, operator=by.badge)
    return handover


# This desk's own categories, as a receiver's mapping table knows them.
CODES = {
    "噪声扰民": "noise", "邻里纠纷": "neighbours", "消费纠纷": "consumer", "供水供电": "utilities", "道路设施": "road",
    "流浪犬只": "dogs", "家庭纠纷": "family", "劳资纠纷": "wages", "其他非警务": "other",
}


def new(*, by: Person, words: str, place: str = "", category: str = "", basis: str = "clear", reason: str = "", mode: str = "transfer",
        emergency: bool = False, wish: str = "not_asked", caller_name: str = "", caller_phone: str = "", shared: str = "full",
        first: str = US, key: uuid.UUID | None = None, handover: uuid.UUID | None = None, lon: float | None = None,
        lat: float | None = None) -> Matter:
    """An incident typed here and offered to the other desk. With a `key` that is known already nothing happens a second time."""
    words = _needed(words, "请写下是什么事", 12_000)
    _one_of(basis, ("clear", "unclear", "emergency"), "请选择移交的依据")
    _one_of(mode, ("transfer", "joint"), "请选择移交还是联动")
    _one_of(wish, ("agrees", "asked", "not_asked"), "请选择来电人的意愿")
    if first not in (US, THEM):
        raise Unfit("请选择首接单位")
    if shared not in ("full", "masked", "none"):
        raise Unfit("请选择来电人信息给到哪一步")
    if len(place) > 300 or len(caller_name) > 60 or len(caller_phone) > 40 or len(reason) > 200 or len(category) > 200:
        raise Unfit("地点、姓名、电话、事由或类别太长")
    shown = shared if caller_name.strip() or caller_phone.strip() else "none"
    with writing():
        known = Matter.objects.filter(id=key).first() if key else None
        if known is not None:
            return known
        matter = Matter(
            id=key or uuid.uuid4(), holder=US, first_receiver=first, number=new_number(), words=words, place=place.strip(),
            category=category.strip(), caller_shared=shown, emergency=emergency, lon=lon, lat=lat,
            caller_name=_masked_name(caller_name.strip(), shown), caller_phone=_masked_phone(caller_phone.strip(), shown))
        insert(matter)
        _offer(matter, by=by, basis="emergency" if emergency else basis, words=words, reason=reason.strip(), mode=mode, emergency=emergency,
               wish=wish, key=handover)
        return matter


def _masked_name(name: str, shared: str) -> str:
    return name if shared == "full" else name[:1] + "某" if shared == "masked" and name else ""


def _masked_phone(phone: str, shared: str) -> str:
    return phone if shared == "full" else "*" * max(len(phone) - 4, 0) + phone[-4:] if shared == "masked" else ""


def offer_again(key: uuid.UUID | str, *, by: Person, words: str, basis: str = "clear", reason: str = "",
                mode: str = "transfer") -> Handover:
    """Offer a matter that this desk holds; one that it had taken over goes back on that handover (`returned`)."""
    words = _needed(words, "请写明为什么交给对方", 12_000)
    _one_of(basis, ("clear", "unclear", "returned"), "请选择移交的依据")
    _one_of(mode, ("transfer", "joint"), "请选择移交还是联动")
    with writing():
        matter = Matter.objects.filter(id=key).first()
        if matter is None or not matter.held_by_us:
            raise NotNow("这件事不在我方手里，不能移交")
        if matter.handovers.filter(state__in=states.UNDECIDED).exists():
            raise NotNow("这件事已有一次移交在等答复")
        taken = matter.handovers.filter(direction="in", mode="transfer", state__in=states.TAKEN).order_by("-received_at").first()
        follows = taken.id if basis == "returned" and taken is not None else None
        return _offer(matter, by=by, basis=basis if follows or basis != "returned" else "clear", words=words, reason=reason.strip()[:200],
                      mode=mode, follows=follows)


def propose(*, by: Person, category: str, takes: str, words: str) -> JointRule:
    """A rule both desks would agree on."""
    category = _needed(category, "请写明哪一类事", 200)
    if takes not in (US, THEM):
        raise Unfit("请选择由哪一方接")
    with writing():
        code = CODES.get(category, "other")
        rule = JointRule.objects.create(category=category, code=code, takes=takes, words=words.strip()[:2000], proposed_by=US,
                                        ours="approve")
        say_apart("rule", {"rule": str(rule.id), "action": "propose", "category": {"code": code, "name": category, "theirs": ""},
                           "takes": "sender" if takes == US else "receiver", "words": rule.words})
        return rule


def judge(key: uuid.UUID | str, *, by: Person, approve: bool) -> None:
    """Say yes or no to a rule."""
    with writing():
        rule = JointRule.objects.filter(id=key).first()
        if rule is None:
            raise NotNow("没有这条规则")
        rule.ours = "approve" if approve else "reject"
        rule.save()
        say_apart("rule", {"rule": str(rule.id), "action": "approve" if approve else "reject"})


def seen(key: uuid.UUID | str, *, visible_ms: float | None) -> None:
    """When the offer was drawn, and when it became visible in a browser (milliseconds of its clock)."""
    with writing():
        rows = Handover.objects.filter(id=key, direction="in")
        if visible_ms is not None:
            moment = datetime.fromtimestamp(visible_ms / 1000, tz=UTC)
            rows.filter(visible_at=None).update(visible_at=moment)
        rows.filter(shown_at=None).update(shown_at=timezone.now())


def ping() -> None:
    """Ask whether the other desk is there."""
    with writing():
        say_apart("ping", {})
        afterwards(lambda: tell("line"))

