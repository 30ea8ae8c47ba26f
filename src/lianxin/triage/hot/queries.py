"""Reads of hot issues: those somebody sees, the cases of one as far as they see them, and surges where they oversee."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from lianxin.cases import policy as case_policy
from lianxin.cases.models import Case
from lianxin.cases.queries import cursor_of, read_cursor, rows
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotFound
from lianxin.organisations.actors import Actor

from .models import HotCase, HotIssue, HotRun, HotSurge, Trend
from .policy import can_see, reads, visible_to
from .surges import FALSE_PER_DAY

PAGE: Final = 50
CASES: Final = 200  # cases of an issue on one page: as many as a master may have
ACTIVE: Final = (Trend.NEW, Trend.RISING, Trend.STEADY, Trend.FALLING)
FORTNIGHT: Final = timedelta(days=round(1 / FALSE_PER_DAY))


@dataclass(frozen=True, slots=True)
class IssuePage:
    """Issues, those that most people raised first; `after` opens the next page."""

    rows: Sequence[HotIssue]
    after: str = ""


def place_in(cursor: str) -> tuple[int, UUID] | None:
    """Where a page goes on. Raises Invalid for what `issues_for` did not give."""
    if not cursor:
        return None
    position = read_cursor(cursor)
    try:
        if position is None or len(position) != 2 or not 0 <= int(position[0]) < 2**31:
            raise ValueError
        return int(position[0]), UUID(position[1])
    except ValueError:
        raise Invalid(_("页码标记不对：请用上一页给出的 next。"), fields={"after": str(_("格式不对。"))}) from None


def issues_for(actor: Actor, *, trends: Sequence[str] = ACTIVE, county: int | None = None, after: str = "",
               limit: int = PAGE) -> IssuePage:
    """The issues somebody sees with one of these trends, in a county where one is named."""
    found = HotIssue.objects.filter(visible_to(actor), trend__in=trends)
    if county is not None:
        found = found.filter(Q(area_id=county) | Q(area__county_id=county))
    if position := place_in(after):
        voices, key = position
        found = found.filter(Q(voices__lt=voices) | Q(voices=voices, pk__lt=key))
    listed = list(found.select_related("area", "category", "unit").order_by("-voices", "-id")[:limit + 1])
    more = len(listed) > limit
    listed = listed[:limit]
    return IssuePage(listed, cursor_of(listed[-1].voices, listed[-1].pk) if more else "")


def access_issue(actor: Actor, issue_id: uuid.UUID) -> HotIssue:
    """Fetch and authorise in one step. Raises NotFound for an issue that is not the actor's to see, as for one that is gone."""
    issue = HotIssue.objects.select_related("area", "category", "unit").filter(pk=issue_id).first()
    if issue is None or not can_see(actor, Case.objects.filter(pk__in=HotCase.objects.filter(issue=issue).values("case"))):
        raise NotFound(_("没有找到这个热点：它可能已经平息，或并入了别的热点。"))
    return issue


def cases_of(actor: Actor, issue: HotIssue, *, after: str = "", limit: int = CASES) -> tuple[list[Case], str]:
    """The cases of an issue that somebody may see, oldest first, and where the next page begins."""
    own = Case.objects.filter(case_policy.visible_to(actor), pk__in=HotCase.objects.filter(issue=issue).values("case"))
    position = read_cursor(after) if after else None
    try:
        if position:
            own = own.filter(pk__gt=UUID(position[0]))
    except (ValueError, IndexError):
        raise Invalid(_("页码标记不对：请用上一页给出的 next。"), fields={"after": str(_("格式不对。"))}) from None
    listed = list(rows(own).order_by("id")[:limit + 1])
    return listed[:limit], cursor_of(listed[limit - 1].pk) if len(listed) > limit else ""


def last_run() -> HotRun | None:
    return HotRun.objects.first()


def surges_for(actor: Actor, *, county: int | None = None) -> list[HotSurge]:
    """Surges of the last fourteen days, newest and least likely first: in the whole city for whom sees it, else in the counties they
    oversee. A unit, which sees its own cases only, sees none: what is usual is counted over all."""
    scope = case_policy.scope_of(actor)
    if not reads(actor):
        return []
    since: date = localdate(now()) - FORTNIGHT
    found = HotSurge.objects.filter(day__gt=since)
    if not scope.everything:
        found = found.filter(county__in=sorted(scope.county_ids))
    if county is not None:
        found = found.filter(county=county)
    return list(found.select_related("county", "category").order_by("-day", "chance", "id")[:PAGE])
