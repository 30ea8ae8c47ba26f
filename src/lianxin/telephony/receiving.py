"""Taking in what the telephone system tells: each event once, in any order, in one transaction with what follows from it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.cases import missed_calls
from lianxin.cases.engine import KEY_REUSED, told_when_held
from lianxin.kernel import live
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt, lookup_hash
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.kernel.ids import uuid7
from lianxin.kernel.text import clean_text, phone_normalise
from lianxin.organisations.actors import SYSTEM, Actor, Kind
from lianxin.organisations.models import Role
from lianxin.organisations.scopes import named

from . import agents
from .calls import Happened, Picture, picture
from .models import LIVE, Agent, Call, CallEvent, CallState, EventKind, Line

TELL = named("tell_call", _("话务系统报告来电和通话"))
SKEW = timedelta(minutes=5)  # how far the telephone system's clock may run ahead of ours
PATIENCE = 5.0  # seconds after which an unanswered call is owed a call back: what was told out of order has come by then
DIGITS = re.compile(r"\+?[0-9]{3,20}")
SHORT = re.compile(r"[0-9A-Za-z_*#-]{1,6}")  # an extension or a service; longer numbers may be people's


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it was told. `id` and `call` are the telephone system's own names. `agent` is a user name, `extension` and
    `to` are numbers to dial; `number` is the caller's, empty when withheld. `at` is aware."""

    id: str
    call: str
    kind: str
    at: datetime
    line: str = ""
    number: str = ""
    agent: str = ""
    extension: str = ""
    to: str = ""
    recording: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was made of it: the call as it stands, whether the agent is known, and whether the event had come before."""

    call_id: uuid.UUID
    state: CallState
    agent_known: bool
    replayed: bool = False


def can_tell(by: Actor) -> bool:
    """Whether somebody tells of calls: the account of the telephone system, by a token with the scope, or the system itself."""
    if by.kind is Kind.SYSTEM:
        return True
    return by.scopes is not None and by.scoped(TELL) and by.holds_in_hotline(Role.SWITCHBOARD)


def _checked(said: Said) -> Said:
    """The event as it is kept. Raises Invalid, naming every field that is wrong."""
    faults: dict[str, str] = {}
    moment = now()
    if said.kind not in EventKind.values:
        faults["kind"] = str(_("没有这种事件。"))
    if said.at.tzinfo is None:
        faults["at"] = str(_("须带时区。"))
    elif said.at > moment + SKEW:
        faults["at"] = str(_("时间在将来，请校对电话系统的时钟。"))
    elif said.at < moment - timedelta(days=settings.LIANXIN_CALL_DAYS):
        faults["at"] = str(_("时间太早，通话记录已按期删除。"))
    for name in ("id", "call"):
        if not getattr(said, name).isprintable() or not 1 <= len(getattr(said, name)) <= 64:
            faults[name] = str(_("须为 1 到 64 个字符。"))
    number = phone_normalise(said.number[:60]) if said.number else ""
    if number and not DIGITS.fullmatch(number):
        faults["number"] = str(_("请填 3 到 20 位数字的号码；号码未显示时留空。"))
    if faults:
        raise Invalid(_("有内容需要更正，这条事件没有记下。"), fields=faults)
    return Said(
        said.id, said.call, said.kind, min(said.at, moment), clean_text(said.line, max_length=20, multiline=False), number,
        said.agent[:60], said.extension.strip()[:20], said.to.strip()[:20], clean_text(said.recording, max_length=300, multiline=False))


def receive(said: Said, *, by: Actor) -> Taken:
    """Take in one event. Told again, it changes nothing and is answered the same; told with other content under the same id it
    is a Conflict.

    Raises NotAllowed, Invalid and Conflict.
    """
    if not can_tell(by):
        raise NotAllowed(_("登记话务事件须用话务系统的账号和令牌。"))
    digest = lookup_hash(repr((said.call, said.kind, said.at.isoformat(), said.line, said.number, said.agent, said.extension, said.to,
                               said.recording)), purpose="call_event")
    said = _checked(said)
    with told_when_held(), transaction.atomic():
        call, fresh = _held(said)
        seen = CallEvent.objects.filter(system_id=said.id).first()
        if seen is not None:
            if bytes(seen.digest) != digest:
                raise Conflict(KEY_REUSED, code="key_reused")
            return Taken(call.pk, CallState(call.state), seen.agent_id is not None, replayed=True)
        agent, to_agent = _agent(said.agent, said.extension), _agent("", said.to)
        event = CallEvent.objects.create(
            system_id=said.id, call=call, kind=said.kind, at=said.at, told_at=now(), line=said.line,
            extension=said.extension if SHORT.fullmatch(said.extension) or agent else "", agent=agent,
            to=said.to if SHORT.fullmatch(said.to) or to_agent else "", to_agent=to_agent, with_number=bool(said.number),
            recording=said.recording, digest=digest,
        )
        before = None if fresh else _as_it_stands(call)
        _keep_number(call, event, said.number)
        after = _redraw(call)
        _follow(call, before, after, touched={one for one in (event.agent_id, event.to_agent_id) if one is not None})
    return Taken(call.pk, after.state, agent is not None)


def _held(said: Said) -> tuple[Call, bool]:
    """The call's row, held; made at its first event. Two first events at one moment: one of them makes it."""
    made = uuid7()
    Call.objects.bulk_create(
        [Call(pk=made, system_id=said.call, state=CallState.QUEUED, began_at=said.at, line=said.line)], ignore_conflicts=True)
    call = Call.objects.select_for_update().get(system_id=said.call)
    if call.emptied_at is not None:
        raise Conflict(_("这次通话的记录已按期删除，不再补记。"), code="call_emptied")
    return call, call.pk == made


def _agent(username: str, extension: str) -> Agent | None:
    """Who is meant: by user name, else by the extension they sit at. An unknown one is nobody, and the call is kept all the same."""
    found = Agent.objects.filter(staff__username=username).first() if username else None
    if found is None and extension:
        found = Agent.objects.filter(extension=extension).first()
    return found


def _keep_number(call: Call, event: CallEvent, number: str) -> None:
    """The number that was told first, by the time of its event, is the caller's."""
    if not number:
        return
    earlier = CallEvent.objects.filter(call=call, with_number=True).exclude(pk=event.pk).order_by("at", "system_id").first()
    if earlier is None or (event.at, event.system_id) < (earlier.at, earlier.system_id):
        call.number = encrypt(number, context=f"call:{call.pk}:number")
        call.save(update_fields=["number"])


def _happened(call: Call) -> list[Happened]:
    return [
        Happened(event.system_id, EventKind(event.kind), event.at, event.line, event.agent_id, event.to_agent_id, event.recording)
        for event in CallEvent.objects.filter(call=call)
    ]


def _as_it_stands(call: Call) -> Picture:
    return Picture(CallState(call.state), call.began_at, call.line, call.agent_id, call.ringing_at, call.answered_at, call.ended_at,
                   call.recording)


def _redraw(call: Call) -> Picture:
    """Make the call's columns again from all its events."""
    seen = picture(_happened(call))
    call.state, call.line, call.agent_id, call.began_at = seen.state, seen.line, seen.agent_id, seen.began_at
    call.ringing_at, call.answered_at, call.ended_at = seen.ringing_at, seen.answered_at, seen.ended_at
    call.recording = seen.recording
    call.save(update_fields=["state", "line", "agent", "began_at", "ringing_at", "answered_at", "ended_at", "recording"])
    return seen


def _follow(call: Call, before: Picture | None, after: Picture, *, touched: set[int]) -> None:
    """What comes of the change: agents' states, the pages of those whose telephone it is, and the call back that is owed or no
    longer is."""
    if after.line and (before is None or before.line != after.line):
        Line.objects.bulk_create([Line(code=after.line, name=after.line)], ignore_conflicts=True)
    involved = set(touched)
    if before is not None and before.agent_id is not None:
        involved.add(before.agent_id)
    if after.agent_id is not None:
        involved.add(after.agent_id)
    involved |= after.rings_at
    for agent_id in sorted(involved):  # always in one order, so that two calls do not wait for each other
        agents.follow(agent_id)
    rung = set(CallEvent.objects.filter(call=call, agent__isnull=False).values_list("agent_id", flat=True))
    _tell(involved | {one for one in rung if one is not None}, call)
    if after.answered_at is not None and (before is None or before.answered_at is None):
        _heard(call, after.answered_at)
    if after.unanswered and (before is None or not before.unanswered) and call.number is not None:
        from .tasks import owe_call_back

        owe_call_back.configure(schedule_in={"seconds": int(PATIENCE)}).defer(call=str(call.pk))


def _tell(agent_ids: Iterable[int], call: Call) -> None:
    for staff_id in Agent.objects.filter(pk__in=list(agent_ids)).order_by("staff_id").values_list("staff_id", flat=True):
        live.tell(live.agent_topic(staff_id), call=call.pk)
    live.tell("queue")


def number_of(call: Call) -> str:
    """The caller's number in clear, empty when it was withheld or is emptied. Who reads it is written down by the caller of this."""
    return decrypt(bytes(call.number), context=f"call:{call.pk}:number") if call.number is not None else ""


def _heard(call: Call, at: datetime) -> None:
    """The caller has an agent on the telephone: a missed call of theirs that waits has been answered."""
    if call.number is not None:
        missed_calls.called_again(number_of(call), at=at)


def owe_call_back(call_id: uuid.UUID) -> bool:
    """Write the call back that an unanswered call is owed into the list of missed calls, once. Returns whether it is there."""
    with told_when_held(), transaction.atomic():
        call = Call.objects.select_for_update().filter(pk=call_id).first()
        if call is None or call.state not in (CallState.MISSED, CallState.ABANDONED) or call.number is None:
            return False
        if call.missed_call_id is not None:
            return True
        number = number_of(call)
        if _answered_since(number, call):
            return False
        made = missed_calls.report(by=SYSTEM, phone=number, at=call.began_at, line=call.line,
                                   key=lookup_hash(str(call.pk), purpose="call_owed"))
        call.missed_call_id = made.id
        call.save(update_fields=["missed_call"])
    return True


def _answered_since(number: str, call: Call) -> bool:
    """Whether the same caller has been answered by now: of the calls that are on at this moment only, for no number is kept to
    look others up by."""
    others = Call.objects.filter(state__in=LIVE, answered_at__gte=call.began_at, number__isnull=False).exclude(pk=call.pk)
    return any(number_of(other) == number for other in others)
