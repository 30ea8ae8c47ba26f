"""Attempts at different hours: which part of the day a try fell into, and when enough was tried."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class DayPart(models.TextChoices):
    """Parts of the day in the city's own time: before noon, until six, after six."""

    MORNING = "morning", _("上午")
    AFTERNOON = "afternoon", _("下午")
    EVENING = "evening", _("晚上")


def part_of(at: datetime) -> DayPart:
    hour = localtime(at).hour
    return DayPart.MORNING if hour < 12 else DayPart.AFTERNOON if hour < 18 else DayPart.EVENING


def spread(times: Iterable[datetime]) -> int:
    """In how many different parts of days the tries fell: two tries in one morning count once."""
    return len({(localtime(at).date(), part_of(at)) for at in times})


def enough(times: Iterable[datetime]) -> bool:
    """Whether the city's number of tries was made, in enough different parts of the day or on enough days."""
    tried = list(times)
    return len(tried) >= settings.LIANXIN_CALLBACK_ATTEMPTS and spread(tried) >= min(
        settings.LIANXIN_CALLBACK_SPREAD, settings.LIANXIN_CALLBACK_ATTEMPTS)


def contest_until(closed_at: datetime) -> datetime:
    """Until when a closing may be contested."""
    return closed_at + timedelta(days=settings.LIANXIN_CONTEST_DAYS)


__all__ = ["DayPart", "contest_until", "enough", "part_of", "spread"]
