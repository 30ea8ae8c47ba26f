"""未接来电: the hotline owes whoever was not answered a call back.

The telephone system reports a missed call, operators call back by what is due, and the entry ends: reached, called again,
or unreached after the city's number of tries. The number is sealed, found again by a keyed hash while the entry waits, read
under the same rule as a reporter's identity, and emptied some days after the entry ended.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt, lookup_hash
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.ids import uuid7
from lianxin.kernel.locks import in_turn
from lianxin.kernel.text import clean_text, phone_normalise
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role
from lianxin.organisations.scopes import named

from . import clocks, notices, policy
from .engine import KEY_REUSED, told_when_held
from .models import (
    Case,
    Clock,
    ClockKind,
    IdentityReading,
    MissedCall,
    MissedCallOutcome,
    MissedCallTry,
    MissedCallTryOutcome,
    Urgency,
)
from .reference import reference

REPORT = named("report_missed_call", _("话务系统报告未接来电"))
CALL_BACK = named("call_back", _("回拨未接来电"))
PURPOSE = "missed_call"
SHORTEST, LONGEST = 3, 20  # digits of a number


@dataclass(frozen=True, slots=True)
class Reported:
    """What was made of a report: the entry, and whether it was there before."""

    id: uuid.UUID
    due_at: datetime
    joined: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry of the operators' list: no number, only when, how often it rang, what was tried, by when."""

    id: uuid.UUID
    first_at: datetime
    last_at: datetime
    rings: int
    line: str
    due_at: datetime
    tried: tuple[datetime, ...]
    opened_at: datetime | None
    opened_by: str


def can_report(by: Actor) -> bool:
    """Whether a token may report missed calls: one of the hotline's, with the scope. The system does it for calls it was told of."""
    return by.kind is Kind.SYSTEM or (by.scopes is not None and by.scoped(REPORT) and by.holds_in_hotline(
        Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.SWITCHBOARD, Role.ADMINISTRATOR))


def can_call_back(by: Actor) -> bool:
    """Whether somebody calls back: the hotline's operators."""
    return by.holds_in_hotline(Role.OPERATOR) and by.scoped(CALL_BACK)


def _phone(said: str) -> str:
    number = phone_normalise(said[:60])
    if not SHORTEST <= len(number.removeprefix("+")) <= LONGEST:
        raise Invalid(_("电话号码不对。"), fields={"phone": str(_("请填 3 到 20 位数字的号码。"))})
    return number


def _hash(number: str) -> bytes:
    return lookup_hash(number, purpose=PURPOSE)


def report(*, by: Actor, phone: str, at: datetime | None = None, line: str = "", key: bytes | None = None) -> Reported:
    """Write down a call that nobody took. Several from one number are one entry while it waits, and its time runs from the
    first. Raises NotAllowed and Invalid. `key` names the report: sent again, it changes nothing."""
    if not can_report(by):
        raise NotAllowed(_("这个接口令牌不能登记未接来电。"))
    number, recorded = _phone(phone), now()
    moment = at or recorded
    if moment.tzinfo is None:
        raise Invalid(_("时间须带时区。"), fields={"at": str(_("须带时区。"))})
    if moment > recorded + timedelta(minutes=5):
        raise Invalid(_("来电时间在将来，请核对。"), fields={"at": str(_("时间在将来。"))})
    moment = min(moment, recorded)
    digest = _hash(number)
    with told_when_held(), transaction.atomic():
        in_turn(digest)  # the same report sent twice in one moment: the later finds what the earlier wrote
        if key is not None and (seen := MissedCall.objects.filter(last_key=key).first()) is not None:
            if seen.phone_hash is not None and bytes(seen.phone_hash) != digest:
                raise Conflict(KEY_REUSED, code="key_reused")
            return Reported(seen.pk, _clock_of(seen).due_at, joined=seen.rings > 1, replayed=True)
        fresh = uuid7()
        # Where the number waits already, the index lets no second entry be made, and the one that is there is found.
        MissedCall.objects.bulk_create([MissedCall(
            pk=fresh, phone=encrypt(number, context=f"missed_call:{fresh}:phone"), phone_hash=digest, first_at=moment,
            last_at=moment, line=clean_text(line, max_length=20, multiline=False), last_key=key,
        )], ignore_conflicts=True)
        entry = MissedCall.objects.select_for_update().filter(phone_hash=digest, ended_at__isnull=True).first()
        if entry is None:
            raise Conflict()
        if entry.pk == fresh:
            return Reported(entry.pk, _start(entry, recorded).due_at)
        entry.rings = min(entry.rings + 1, 999)
        entry.first_at, entry.last_at = min(entry.first_at, moment), max(entry.last_at, moment)
        entry.last_key = key
        entry.save(update_fields=["rings", "first_at", "last_at", "last_key"])
        clock = _clock_of(entry)
        if clock.started_at > entry.first_at:  # an earlier ring was reported later: the time runs from that one
            clock.started_at = entry.first_at
            made = clocks.promise(start=clock.started_at, minutes=clock.total_minutes, calendar=clock.calendar)
            clock.due_at, clock.provisional = made.due_at, made.provisional
            clock.next_at = notices.next_of(reference(), clock, urgency=Urgency.NORMAL, after=recorded)
            clock.save(update_fields=["started_at", "due_at", "provisional", "next_at"])
        return Reported(entry.pk, clock.due_at, joined=True)


def _start(entry: MissedCall, recorded: datetime) -> Clock:
    """The duty's clock, from the first ring: a report that comes late gains no time."""
    duty = reference().duty_limit(ClockKind.MISSED_CALL, urgency=Urgency.NORMAL, unit_id=None, at=recorded)
    made = clocks.promise(start=entry.first_at, minutes=duty.minutes, calendar=duty.calendar)
    clock = Clock(
        missed_call=entry, kind=ClockKind.MISSED_CALL.value, calendar=made.calendar, limit_minutes=made.limit_minutes,
        started_at=made.started_at, due_at=made.due_at, provisional=made.provisional,
    )
    clock.next_at = notices.next_of(reference(), clock, urgency=Urgency.NORMAL, after=recorded)
    clock.save()
    return clock


def _clock_of(entry: MissedCall) -> Clock:
    return Clock.objects.filter(missed_call=entry).order_by("-started_at", "-id")[0]


def waiting(by: Actor, *, limit: int = 200) -> list[Waiting]:
    """The entries to call back, what is due first. Three queries. Raises NotAllowed."""
    if not can_call_back(by):
        raise NotAllowed(_("未接来电由话务员回拨。"))
    running = list(
        Clock.objects.filter(missed_call__isnull=False, met_at__isnull=True, stopped_at__isnull=True)
        .select_related("missed_call").order_by("due_at", "id")[:limit]
    )
    ids = [clock.missed_call_id for clock in running]
    tried: dict[uuid.UUID, list[datetime]] = {}
    for pk, at in MissedCallTry.objects.filter(missed_call__in=ids).order_by("at").values_list("missed_call_id", "at"):
        tried.setdefault(pk, []).append(at)
    opened: dict[uuid.UUID | None, tuple[datetime, str]] = {
        pk: (at, name) for pk, at, name in IdentityReading.objects.filter(missed_call__in=ids).order_by("at")
        .values_list("missed_call_id", "at", "staff__name")
    }
    found = []
    for clock in running:
        entry = clock.missed_call
        assert entry is not None
        seen = opened.get(entry.pk)
        found.append(Waiting(
            entry.pk, entry.first_at, entry.last_at, entry.rings, entry.line, clock.due_at, tuple(tried.get(entry.pk, ())),
            seen[0] if seen else None, seen[1] if seen else "",
        ))
    return found


def _entry(by: Actor, pk: uuid.UUID) -> MissedCall:
    if not can_call_back(by):
        raise NotAllowed(_("未接来电由话务员回拨。"))
    entry = MissedCall.objects.select_for_update().filter(pk=pk).first()
    if entry is None:
        raise NotFound(_("没有找到这个未接来电。"))
    if entry.ended_at is not None:
        raise Conflict(_("这个来电已经处理过了：%(outcome)s。") % {"outcome": entry.get_outcome_display()}, code="ended")
    return entry


def read_number(by: Actor, pk: uuid.UUID) -> str:
    """The number to call, once it is written down who looked. Raises NotAllowed, NotFound and Conflict."""
    with told_when_held(), transaction.atomic():
        entry = _entry(by, pk)
        if by.staff_id is None or entry.phone is None:
            raise NotAllowed()
        IdentityReading.objects.create(
            missed_call=entry, staff_id=by.staff_id, unit_id=by.unit_id, why=str(_("回拨未接来电")), fields=["phone"])
        return decrypt(bytes(entry.phone), context=f"missed_call:{entry.pk}:phone")


def record_try(by: Actor, pk: uuid.UUID, *, outcome: str, key: bytes | None = None) -> MissedCall:
    """Write down one try. Reached meets the clock and ends the entry; after the city's number of tries it ends as unreached,
    and so it does for a wrong number. The same `key` sent again changes nothing. Raises NotAllowed, NotFound, Conflict and
    Invalid."""
    if outcome not in MissedCallTryOutcome.values:
        raise Invalid(_("请选择回拨结果。"), fields={"outcome": str(_("请从列表中选择。"))})
    if not can_call_back(by):
        raise NotAllowed(_("未接来电由话务员回拨。"))
    with told_when_held(), transaction.atomic():
        if key is not None:
            MissedCall.objects.select_for_update().filter(pk=pk).first()  # two sent at one moment: one waits here
            if (earlier := MissedCallTry.objects.filter(key=key).select_related("missed_call").first()) is not None:
                if (earlier.missed_call_id, earlier.outcome) != (pk, outcome):
                    raise Conflict(KEY_REUSED, code="key_reused")
                return earlier.missed_call
        entry = _entry(by, pk)
        if by.staff_id is None:
            raise NotAllowed()
        at = now()
        MissedCallTry.objects.create(missed_call=entry, at=at, by_id=by.staff_id, outcome=outcome, key=key)
        if outcome == MissedCallTryOutcome.REACHED:
            _end(entry, MissedCallOutcome.REACHED, at)
        elif (outcome == MissedCallTryOutcome.WRONG_NUMBER
              or MissedCallTry.objects.filter(missed_call=entry).count() >= settings.LIANXIN_MISSED_CALL_ATTEMPTS):
            _end(entry, MissedCallOutcome.UNREACHED, at)
    return entry


def _end(entry: MissedCall, outcome: MissedCallOutcome, at: datetime) -> None:
    entry.ended_at, entry.outcome = at, outcome.value
    entry.save(update_fields=["ended_at", "outcome"])
    over = {"stopped_at": at} if outcome is MissedCallOutcome.UNREACHED else {"met_at": at}
    Clock.objects.filter(missed_call=entry, met_at__isnull=True, stopped_at__isnull=True).update(**over, next_at=None)


def join(by: Actor, *, case_id: uuid.UUID, phone: str = "", entry_id: uuid.UUID | None = None) -> None:
    """A case was registered in a call: the missed call that led to it (`entry_id`, which this person has just called back)
    belongs to it, and one from the same number that still waits is over, for the caller has been heard."""
    if not can_call_back(by) or not policy.can_see(by, Case.objects.get(pk=case_id)):
        return
    with told_when_held(), transaction.atomic():
        if entry_id is not None:
            MissedCall.objects.filter(
                pk=entry_id, case__isnull=True, outcome=MissedCallOutcome.REACHED, tries__by_id=by.staff_id,
            ).update(case_id=case_id)
        number = phone_normalise(phone[:60]) if phone else ""
        if not number:
            return
        again = MissedCall.objects.select_for_update().filter(phone_hash=_hash(number), ended_at__isnull=True).first()
        if again is not None:
            again.case_id = case_id
            again.save(update_fields=["case"])
            _end(again, MissedCallOutcome.CALLED_AGAIN, now())


def called_again(phone: str, *, at: datetime) -> bool:
    """The caller of `phone` was answered at `at`: an entry of theirs that waits and is not newer is over. Returns whether there was one."""
    again = MissedCall.objects.select_for_update().filter(phone_hash=_hash(phone), ended_at__isnull=True, last_at__lte=at).first()
    if again is None:
        return False
    _end(again, MissedCallOutcome.CALLED_AGAIN, now())
    return True


def forget_numbers(at: datetime) -> int:
    """Empty the numbers of entries that ended `LIANXIN_MISSED_CALL_DAYS` days ago. Returns how many."""
    before = at - timedelta(days=settings.LIANXIN_MISSED_CALL_DAYS)
    return MissedCall.objects.filter(ended_at__lt=before, anonymised_at__isnull=True).update(
        phone=None, phone_hash=None, last_key=None, anonymised_at=at)
