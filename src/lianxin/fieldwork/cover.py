"""代班: who has whose grids while somebody is away, from one day to another."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from lianxin.cases.reference import today_of
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Staff, Unit

from .leads import access_unit, access_worker, need
from .models import Cover

LONGEST = timedelta(days=366)


def standing() -> QuerySet[Cover]:
    """Covers that were not called off."""
    return Cover.objects.filter(ended_at__isnull=True)


def away(on: date) -> QuerySet[Cover]:
    """Covers that hold on a civil day."""
    return standing().filter(starts_on__lte=on, ends_on__gte=on)


def covers_for(unit: Unit, *, since: date, limit: int = 200) -> list[Cover]:
    """A unit's covers that end on `since` or later, called off or not, those that start last first."""
    return list(Cover.objects.filter(unit=unit, ends_on__gte=since)
                .select_related("absent", "stand_in", "arranged_by", "ended_by").order_by("-starts_on", "-id")[:limit])


def _overlapping(starts_on: date, ends_on: date) -> Q:
    return Q(starts_on__lte=ends_on, ends_on__gte=starts_on)


def _check(absent: Staff, stand_in: Staff | None, starts_on: date, ends_on: date) -> None:
    faults: dict[str, str] = {}
    if absent == stand_in:
        faults["stand_in"] = _("不能自己替自己。")
    if ends_on < starts_on:
        faults["ends_on"] = _("最后一天要在第一天之后，或者是同一天。")
    elif ends_on < today_of(now()):
        faults["ends_on"] = _("这几天已经过去了。")
    elif ends_on - starts_on > LONGEST:
        faults["ends_on"] = _("一次最多安排一年。")
    if faults:
        raise Invalid(fields=faults)


def _taken(absent: Staff, stand_in: Staff | None, starts_on: date, ends_on: date) -> DomainError | None:
    """Why the days are taken already, if they are."""
    clash = standing().filter(_overlapping(starts_on, ends_on)).select_related("absent", "stand_in")
    mine = clash.filter(absent=absent).first()
    if mine is not None:
        said = {"who": absent.name, "first": mine.starts_on, "last": mine.ends_on, "other": mine.stand_in.name if mine.stand_in else ""}
        words = (_("%(who)s从 %(first)s 到 %(last)s 已由%(other)s代班。请先取消，或者换日期。") if mine.stand_in else
                 _("%(who)s从 %(first)s 到 %(last)s 已记为不在。请先取消，或者换日期。")) % said
        return Conflict(words, code="covered", fields={"starts_on": words}, current={
            "cover": str(mine.pk), "starts_on": mine.starts_on.isoformat(), "ends_on": mine.ends_on.isoformat()})
    gone = clash.filter(absent=stand_in).first() if stand_in is not None else None
    if gone is not None and stand_in is not None:
        words = _("%(who)s从 %(first)s 到 %(last)s 自己也不在。") % {
            "who": stand_in.name, "first": gone.starts_on, "last": gone.ends_on}
        return Conflict(words, code="stand_in_away", fields={"stand_in": words})
    other = clash.filter(stand_in=absent).first()
    if other is not None:
        words = _("%(who)s从 %(first)s 到 %(last)s 要替%(other)s的班，请先换人。") % {
            "who": absent.name, "first": other.starts_on, "last": other.ends_on, "other": other.absent.name}
        return Conflict(words, code="stands_in", fields={"absent": words})
    return None


def arrange(*, unit: Unit, absent: str, starts_on: date, ends_on: date, by: Actor, stand_in: str = "", key: bytes | None = None) -> Cover:
    """安排代班 within one unit; without `stand_in` it says only that somebody is away. Sent again with the same `key` it gives
    what it made.

    Raises NotFound and NotAllowed for a unit or worker that is not the actor's, Invalid for days that cannot be, and Conflict
    where the absent worker is covered already or the stand-in is away, too."""
    held = access_unit(by, unit.code)
    if by.staff_id is None:
        raise AssertionError("a cover is arranged by a person")
    if key is not None and (made := Cover.objects.filter(key=key).first()) is not None:
        return made
    one, other = _worker(by, held, absent, "absent"), _worker(by, held, stand_in, "stand_in") if stand_in else None
    _check(one, other, starts_on, ends_on)
    with transaction.atomic():
        # Both people's rows, in one order: two leads who arrange the two for each other do it one after the other.
        list(Staff.objects.select_for_update(of=("self",)).filter(pk__in=[one.pk, *([other.pk] if other else [])]).order_by("pk"))
        if (fault := _taken(one, other, starts_on, ends_on)) is not None:
            raise fault
        try:
            with transaction.atomic():
                return Cover.objects.create(unit=held, absent=one, stand_in=other, starts_on=starts_on, ends_on=ends_on,
                                            arranged_by_id=by.staff_id, arranged_at=now(), key=key)
        except IntegrityError:  # the same submission at the same moment
            made = Cover.objects.filter(key=key).first() if key is not None else None
            if made is None:
                raise Conflict(code="covered") from None
            return made


def _worker(by: Actor, unit: Unit, username: str, field: str) -> Staff:
    try:
        return access_worker(by, unit, username)
    except NotFound:
        words = _("请从本单位的网格员中选择。")
        raise Invalid(words, fields={field: words}) from None


def call_off(*, cover_id: uuid.UUID, by: Actor) -> Cover:
    """取消代班, at once. Raises NotFound for one of another unit, and Conflict for one that is over or called off."""
    found = need(by)
    with transaction.atomic():
        cover = Cover.objects.select_for_update(of=("self",)).filter(pk=cover_id).select_related("unit").first()
        if cover is None or not (found.everything or cover.unit_id in found.unit_ids):
            raise NotFound()
        if cover.ended_at is not None or cover.ends_on < today_of(now()):
            raise Conflict(_("这次代班已经结束或取消了。"), code="wrong_state")
        cover.ended_at, cover.ended_by_id = now(), by.staff_id
        cover.save(update_fields=["ended_at", "ended_by"])
    return cover
