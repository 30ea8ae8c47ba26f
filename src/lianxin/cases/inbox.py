"""What clocks have told a person: the notices of their units, their posts and their county, and which of them were opened.

A notice is to a post, not to a person: it is seen when the first of those it is for has opened it, and says who that was.
"""

from __future__ import annotations

import heapq
import uuid
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.organisations.actors import Actor, Grant, Kind
from lianxin.organisations.models import Role, UnitKind

from .models import ClockKind, Notice, NoticeTo
from .queries import cursor_of, time_and_id
from .reference import reference

PAGE = 50
MOST = 99  # unseen ones are counted so far; more are "more than that"
# Who has the hotline's own duties in hand; a case that no unit has yet is intake's.
_DESKS: dict[Role, tuple[str, ...]] = {
    Role.OPERATOR: (ClockKind.MISSED_CALL, ClockKind.HANDOVER, ClockKind.RESOLVE, ClockKind.FIRST_CONTACT),
    Role.DISPATCHER: (ClockKind.RULING, ClockKind.EXTENSION, ClockKind.RESOLVE, ClockKind.FIRST_CONTACT),
    Role.CALLBACK: (ClockKind.CALLBACK,),
}


def _of_county(grant: Grant) -> Q:
    """Narrowed to the county a grant is for; the hotline's and the city's see all."""
    county = grant.area_id or grant.county_id
    return Q(case__county_id=county) if county is not None else Q()


def _of(actor: Actor, grant: Grant, hotline: list[int]) -> Q | None:
    if grant.role is Role.CLERK:
        nobodys = Q(officer__isnull=True) | Q(officer__is_active=False)  # whose officer has left is the whole unit's
        return Q(to=NoticeTo.OFFICER, unit_id=grant.unit_id) & (Q(officer_id=actor.staff_id) | nobodys)
    if grant.role is Role.HEAD:
        return Q(to=NoticeTo.UNIT_HEAD, unit_id=grant.unit_id)
    if grant.role is Role.LEADER or (grant.role is Role.SUPERVISOR and (
            grant.unit_kind is UnitKind.HOTLINE or grant.area_id or grant.county_id)):
        to = NoticeTo.LEADER if grant.role is Role.LEADER else NoticeTo.SUPERVISOR
        return Q(to=to) & _of_county(grant)
    if grant.role in _DESKS and grant.unit_kind is UnitKind.HOTLINE:
        return Q(to=NoticeTo.OFFICER, unit_id__in=hotline, kind__in=_DESKS[grant.role]) & _of_county(grant)
    return None


def parts_of(actor: Actor) -> list[Q]:
    """One filter for each post through which a person is told; empty for who is told nothing."""
    if actor.kind is not Kind.STAFF:
        return []
    hotline = [unit.id for unit in reference().units.values() if unit.kind == UnitKind.HOTLINE]
    found = [part for grant in actor.grants if (part := _of(actor, grant, hotline)) is not None]
    return list({str(part): part for part in found}.values())


def is_told(actor: Actor) -> bool:
    """Whether a person has any post that clocks speak to."""
    return bool(parts_of(actor))


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of notices, newest first. `after` opens the next; empty at the end."""

    rows: list[Notice]
    after: str = ""


def inbox(actor: Actor, *, unseen: bool = False, level: str = "", after: str = "", limit: int = PAGE) -> Inbox:
    """What a person has been told. One short query for each of their posts, each from its own index. Raises Invalid for
    a position that is none."""
    chosen = Notice.objects.select_related("case__lead_unit", "case__category", "unit", "officer", "seen_by", "clock")
    if unseen:
        chosen = chosen.filter(seen_at__isnull=True)
    if level:
        chosen = chosen.filter(level=level)
    if after:
        at, pk = position(after)
        chosen = chosen.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)
    heads = [list(chosen.filter(part).order_by("-at", "-id")[: limit + 1]) for part in parts_of(actor)]
    merged: dict[uuid.UUID, Notice] = {}
    for one in heapq.merge(*heads, key=lambda row: (row.at, row.pk), reverse=True):
        merged.setdefault(one.pk, one)
    rows = list(islice(merged.values(), limit + 1))
    return Inbox(rows[:limit], cursor_of(rows[limit - 1].at, rows[limit - 1].pk) if len(rows) > limit else "")


def position(after: str) -> tuple[datetime, uuid.UUID]:
    """The time and id of the last notice that was shown. Raises Invalid for a position that is none."""
    found = time_and_id(after)
    if found is None:
        raise Invalid(_("翻页位置不对，请从第一页看起。"), fields={"after": str(_("位置不对。"))})
    return found


def unseen_count(actor: Actor) -> int:
    """How many wait to be opened, counted up to `MOST` + 1."""
    found: set[uuid.UUID] = set()
    for part in parts_of(actor):
        found.update(Notice.objects.filter(part, seen_at__isnull=True).values_list("id", flat=True)[: MOST + 1])
    return min(len(found), MOST + 1)


def open_notice(actor: Actor, notice_id: uuid.UUID) -> Notice:
    """One notice, marked as seen by this person when nobody has before. Raises NotFound for one that is not to them."""
    for part in parts_of(actor):
        found = Notice.objects.filter(part, pk=notice_id).first()
        if found is not None:
            Notice.objects.filter(pk=notice_id, seen_at__isnull=True).update(seen_at=now(), seen_by_id=actor.staff_id)
            found.refresh_from_db(fields=["seen_at", "seen_by"])
            return found
    raise NotFound(_("没有找到这条提醒。"))


def open_all(actor: Actor) -> int:
    """Mark everything that is shown to a person now as seen by them; returns how many were not before."""
    count, at = 0, now()
    for part in parts_of(actor):
        ids = list(Notice.objects.filter(part, seen_at__isnull=True).values_list("id", flat=True)[:1000])
        count += Notice.objects.filter(pk__in=ids, seen_at__isnull=True).update(seen_at=at, seen_by_id=actor.staff_id)
    return count
