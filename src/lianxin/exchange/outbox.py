"""The outbox: what goes to another system is written in the transaction of what it tells, and lies there until it was answered."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Min, Q, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.kernel import queues as queue_standings
from lianxin.kernel import sending
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.ids import uuid7

from .models import Letter, LetterState, Link, Sort, System

CHANNEL: Final = "lianxin_exchange"
LONGEST_WHY: Final = 300


def _context(pk: uuid.UUID) -> str:
    return f"exchange_letter:{pk}:body"


def put(link: Link, sort: Sort, fields: dict[str, str]) -> Letter:
    """The next letter of a link, in the caller's transaction."""
    pk, at = uuid7(), now()
    row = Letter(id=pk, system_id=link.system_id, link=link, sort=sort.value, made_at=at, next_at=at,
                 body=encrypt(json.dumps(fields, ensure_ascii=False), context=_context(pk)))
    row.save(force_insert=True)
    sending.wake(CHANNEL)
    return row


def body_of(row: Letter) -> dict[str, str]:
    """The fields of a letter, opened. Raises ValueError once it has been emptied."""
    if row.body is None:
        raise ValueError("the letter has been emptied")
    found = json.loads(decrypt(bytes(row.body), context=_context(row.pk)))
    return {str(name): str(value) for name, value in found.items()}


def sent(row: Letter, at: datetime) -> None:
    Letter.objects.filter(pk=row.pk).update(state=LetterState.SENT, sent_at=at, attempts=row.attempts + 1, last_error="")


def put_off(row: Letter, why: str, until: datetime, *, armed: bool) -> None:
    """Not taken: later. `armed` stays where it may have been taken all the same."""
    Letter.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, last_error=why[:LONGEST_WHY], next_at=until,
                                            **({} if armed else {"armed_at": None}))


def give_up(row: Letter, why: str) -> None:
    """For people to look at; those of its link behind it wait."""
    Letter.objects.filter(pk=row.pk).update(state=LetterState.DEAD, attempts=row.attempts + 1, last_error=why[:LONGEST_WHY])


def resend(letter: uuid.UUID) -> int:
    """A dead letter goes again at once, with all of its link behind it. Returns how many wait then; 0 when it is none."""
    at = now()
    with transaction.atomic():
        row = Letter.objects.select_for_update().filter(pk=letter, state=LetterState.DEAD).first()
        if row is None:
            return 0
        count = Letter.objects.filter(link_id=row.link_id, pk__gte=row.pk).exclude(state=LetterState.SENT).update(
            state=LetterState.WAITING, next_at=at, made_at=at, attempts=0)
        sending.wake(CHANNEL)
    return count


def drop(link: Link) -> bool:
    """Take back what was never sent: nothing of it has to reach the other side. False when the request may have arrived."""
    unsent = Letter.objects.filter(link=link).exclude(state=LetterState.SENT)
    rows = list(unsent.select_for_update(skip_locked=True))  # one that is held is on its way just now
    on_its_way = len(rows) < unsent.count() or any(one.sort == Sort.REQUEST and one.armed_at is not None for one in rows)
    if on_its_way or link.theirs or link.token:
        return False
    Letter.objects.filter(pk__in=[one.pk for one in rows]).delete()
    return True


def hurry(system_id: uuid.UUID, at: datetime) -> int:
    """A system answers again: what was put off for its silence goes now."""
    return Letter.objects.filter(system_id=system_id, state=LetterState.WAITING, next_at__gt=at).update(next_at=at)


def queues(at: datetime) -> list[queue_standings.Standing]:
    """How every active system's outbox stands, for `/metrics` and `lianxin doctor`."""
    return [queue_standings.Standing("exchange", one.system.code, one.waiting, one.dead,
                                     (at - one.oldest).total_seconds() if one.oldest else 0.0)
            for one in standings(Q(active=True))]


class Connection(TextChoices):
    """How it stands with a system."""

    OFF = "off", pgettext_lazy("state", "停用")
    DEAD = "dead", _("有送不出去的")
    BROKEN = "broken", _("联不通")
    NEW = "new", _("还没有联系过")
    GOOD = "good", _("正常")


@dataclass(frozen=True, slots=True)
class Standing:
    """One system: letters waiting and dead, when the oldest that waits was written; cases that both have, replies that wait."""

    system: System
    waiting: int
    dead: int
    oldest: datetime | None
    open: int
    proposed: int

    @property
    def connection(self) -> Connection:
        if not self.system.active:
            return Connection.OFF
        if self.dead:
            return Connection.DEAD
        if self.system.failing_since or self.system.last_error:
            return Connection.BROKEN
        return Connection.GOOD if self.system.answered_at else Connection.NEW


def standings(which: Q | None = None) -> list[Standing]:
    """Every system with what waits, active ones first. Three queries."""
    systems = list(System.objects.filter(which or Q()).select_related("unit", "agent").order_by("-active", "kind", "code"))
    unsent = Letter.objects.filter(system__in=systems).exclude(state=LetterState.SENT).values("system").annotate(
        waiting=Count("pk", filter=Q(state=LetterState.WAITING)), dead=Count("pk", filter=Q(state=LetterState.DEAD)),
        oldest=Min("made_at", filter=Q(state=LetterState.WAITING)))
    letters: dict[uuid.UUID, dict[str, Any]] = {row["system"]: dict(row) for row in unsent}
    shared = Link.objects.filter(system__in=systems, ended_at__isnull=True).values("system").annotate(
        n=Count("pk"), proposed=Count("pk", filter=Q(proposal__isnull=False, settled="")))
    links: dict[uuid.UUID, dict[str, Any]] = {row["system"]: dict(row) for row in shared}
    return [Standing(one, letters.get(one.pk, {}).get("waiting", 0), letters.get(one.pk, {}).get("dead", 0),
                     letters.get(one.pk, {}).get("oldest"), links.get(one.pk, {}).get("n", 0), links.get(one.pk, {}).get("proposed", 0))
            for one in systems]
