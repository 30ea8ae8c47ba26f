"""What is said of dates that were computed again: why one is another now, or is one at last."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from ..models import Event


def _dates(event: Event) -> dict[str, str] | None:
    """The promised date before and after; None when it was not that one that moved."""
    from ..narrative import day_and_time

    before, after = event.data.get("before"), event.data.get("after")
    if not isinstance(before, str) or not isinstance(after, str):
        return None
    return {"before": day_and_time(datetime.fromisoformat(before)), "after": day_and_time(datetime.fromisoformat(after))}


def _inside(event: Event, _by: str) -> str:
    dates = _dates(event)
    if dates is None:
        return _("按现在的工作日历重算了签收等期限，答复期限不变。")
    if event.data.get("provisional"):
        return _("按现在的工作日历重算期限：原定 %(before)s，现为 %(after)s（仍为暂定）。") % dates
    return _("按现在的工作日历重算期限：原定 %(before)s，现为 %(after)s。") % dates


def _outside(event: Event, _by: str) -> str:
    dates = _dates(event)
    if dates is None:
        return _("工作日历有更新，答复您的日期不变。")
    if event.data.get("provisional"):
        return _("放假安排有变，答复您的日期由 %(before)s改为 %(after)s（仍是暂定）。") % dates
    if not event.data.get("published"):
        return _("放假安排有变，答复您的日期由 %(before)s改为 %(after)s。") % dates
    if event.data["before"] == event.data["after"]:
        return _("那一年的放假安排公布了，日期定下来了：最迟 %(after)s前答复您。") % dates
    return _("那一年的放假安排公布了，日期定下来了：由 %(before)s改为最迟 %(after)s前答复您。") % dates


INSIDE = {"recompute_due": _inside}
OUTSIDE = {"recompute_due": _outside}
