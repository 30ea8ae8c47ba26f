"""Making the next version, and going back to an earlier one: a new version with the old content, in the open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import connection, transaction
from django.utils.functional import Promise
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Unit
from lianxin.places.models import Area

from .. import reference
from ..models import CatalogueRule, CatalogueSource, CatalogueVersion, Category
from . import rights
from .content import Line, content_of, digest, newest

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_LOCK = 430_600_012_346  # any number nobody else locks
REASON = 1000  # characters


def hold() -> None:
    """Let nobody else make a version until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def reason_given(value: str, name: str = "reason") -> str:
    """Why something is done, made safe. Raises Invalid for nothing and for what does not fit."""
    said = clean_text(value or "", max_length=REASON + 1, multiline=True)
    if not said:
        raise Invalid(_("还差几项，补上再提交。已填的内容都在。"), fields={name: str(_("请填写这一项。"))})
    if len(said) > REASON:
        raise Invalid(_("请写短一些，最多 %d 个字。") % REASON, fields={name: str(_("太长了。"))})
    return said


def starting(on: date | None, *, at: datetime, after: CatalogueVersion) -> datetime:
    """When a version made at `at` comes into force: at once, or with a day to come. Never earlier, and never before the
    version it follows. Raises Invalid."""
    start = make_aware(datetime.combine(on, datetime.min.time())) if on is not None and on > localtime(at).date() else at
    if on is not None and on < localtime(at).date():
        raise Invalid(_("派单目录不能改到过去：新版最早从现在起生效。"), fields={"on": str(_("请选今天或以后的日期。"))})
    if start < after.in_force_from:
        day = localtime(after.in_force_from).date().isoformat()
        raise Invalid(
            _("第 %(number)d 版定于 %(day)s 起生效，新版不能比它早。") % {"number": after.number, "day": day},
            fields={"on": str(_("请选 %s 或以后的日期。") % day)})
    return start


def make(lines: Iterable[Line], *, at: datetime, in_force_from: datetime, source: CatalogueSource, note: str | Promise = "",
         by: int | None = None, restores: CatalogueVersion | None = None) -> CatalogueVersion:
    """The next version, whole. Call `hold` first; the memory of this process is renewed after the commit."""
    wanted, before = tuple(lines), newest()
    categories = dict(Category.objects.values_list("code", "id"))
    areas = dict(Area.objects.filter(code__in={line.area for line in wanted if line.area}).values_list("code", "id"))
    units = dict(Unit.objects.values_list("code", "id"))
    version = CatalogueVersion.objects.create(
        # Nothing was in force before the first version: it also answers for the days before it was loaded.
        number=before.number + 1 if before else 1, in_force_from=in_force_from if before else BEGINNING, created_at=at,
        created_by_id=by, source=source, restores=restores, note=str(note), content_hash=digest(wanted),
    )
    CatalogueRule.objects.bulk_create(
        [
            CatalogueRule(
                version=version, category_id=categories[line.category] if line.category else None,
                area_id=areas[line.area] if line.area else None, lead_unit_id=units[line.lead],
                assisting_units=list(line.assisting), valid_from=line.valid_from, valid_to=line.valid_to, basis=line.basis,
            )
            for line in wanted
        ],
        batch_size=1000,
    )
    transaction.on_commit(reference.forget)
    return version


def newest_as_seen(seen: int | None) -> CatalogueVersion:
    """The newest version, which must be the one the person has looked at. Raises Conflict."""
    found = newest()
    if found is None:
        raise NotFound(_("还没有派单目录，请先装入城市资料。"))
    if seen is not None and seen != found.number:
        raise Conflict(
            _("您看的是第 %(seen)d 版，现在已有第 %(now)d 版。请看过变化再决定。") % {"seen": seen, "now": found.number},
            code="moved_on", current={"version": found.number, "seen": seen})
    return found


def restore(number: int, *, by: Actor, reason: str, on: date | None = None, seen: int | None = None) -> CatalogueVersion:
    """Go back to what version `number` said: by a new version with its content, from now or a day to come.

    Raises NotAllowed, NotFound, Invalid (nothing would change, a day that is past), and Conflict when another version was
    made since `seen`.
    """
    decision = rights.can_restore(by)
    if not decision:
        raise NotAllowed(decision.reason)
    said, at = reason_given(reason), now()
    with transaction.atomic():
        hold()
        last = newest_as_seen(None)
        old = CatalogueVersion.objects.filter(number=number).first()
        if old is None:
            raise NotFound(_("没有这一版派单目录。"))
        if (last.restores_id, last.created_by_id, last.note) == (old.pk, by.staff_id, said):
            return last  # the same, sent again
        newest_as_seen(seen)
        lines = content_of(old)
        if digest(lines) == digest(content_of(last)):
            raise Invalid(_("第 %(old)d 版与最新的第 %(new)d 版内容相同，不用恢复。") % {"old": number, "new": last.number})
        return make(lines, at=at, in_force_from=starting(on, at=at, after=last), source=CatalogueSource.RESTORED,
                    note=said, by=by.staff_id, restores=old)
