"""Telling everybody who asked: each subscription in a transaction of its own, so that one that fails holds up nobody."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import ngettext, override

from lianxin.kernel.clock import now

from . import channels, following, mails, news, push, wording
from .models import Channel, Follow, FollowBy, FollowState

log = logging.getLogger(__name__)
FIRST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=12)


def tell_due(*, limit: int = 5_000) -> int:
    """Tell what is due now. Returns how many messages went out. Safe beside another: a row that is held is passed over."""
    sent, upto = 0, news.newest()
    for model in (Follow, Channel):
        for pk in list(_due(model, upto).values_list("pk", flat=True)[:limit]):
            with transaction.atomic():
                row = _due(model, upto).select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
                if row is not None:
                    sent += _told(row, now())
    return sent


def _due(model: type[Follow] | type[Channel], upto: int) -> QuerySet[Any]:
    wanted = Q(state=FollowState.ACTIVE) if model is Follow else Q(active=True)
    return model._default_manager.filter(wanted, next_at__lte=now(), read_to__lt=upto).order_by("next_at")


def _told(row: Follow | Channel, at: datetime) -> int:
    """1 when a message went out. What is told is written down with it."""
    codes = following.Topic(row.area, row.category).codes
    what = news.news_for(area=codes[0], category=codes[1], after=row.read_to)
    mine = type(row)._default_manager.filter(pk=row.pk)
    if not what:
        mine.update(read_to=what.read_to, next_at=news.next_time(row.pace, at) if row.pace == "daily" else at)
        return 0
    try:
        _send(row, what)
    except push.Unsent as error:
        if error.gone:
            mine.delete()
        else:
            _put_off(row, at, str(error))
        return 0
    except channels.Unsent as error:
        _put_off(row, at, str(error))
        return 0
    except DatabaseError:
        raise  # nothing can be written down in this transaction any more
    except Exception as error:  # a mail server's refusal, an address that no server can be asked about, a key that is missing
        _put_off(row, at, type(error).__name__)
        return 0
    mine.update(read_to=what.read_to, told_at=at, failures=0, next_at=news.next_time(row.pace, at))
    if isinstance(row, Channel):
        Channel.objects.filter(pk=row.pk).update(last_error="")
    return 1


def _put_off(row: Follow | Channel, at: datetime, why: str) -> None:
    """Later, and later each time; what cannot be reached for weeks is given up: an address is not kept for nothing."""
    log.warning("news not sent: %s %s", type(row).__name__, why)
    wait = min(FIRST * 2 ** min(row.failures, 10), LONGEST)
    if isinstance(row, Channel):
        Channel.objects.filter(pk=row.pk).update(failures=F("failures") + 1, next_at=at + wait, last_error=why[:300])
    elif row.failures + 1 >= following.MOST_FAILURES:
        Follow.objects.filter(pk=row.pk).delete()
    else:
        Follow.objects.filter(pk=row.pk).update(failures=F("failures") + 1, next_at=at + wait)


def _send(row: Follow | Channel, what: news.News) -> None:
    if isinstance(row, Channel):
        with override(settings.LANGUAGE_CODE):
            return channels.tell(row, what)
    address = following.address_of(row)
    if row.by == FollowBy.EMAIL:
        return mails.tell(address, row, what, token=following.ending(row))
    with override(row.language):
        return push.send(address, _notification(row, what))


def _notification(row: Follow, what: news.News) -> dict[str, str]:
    """What a browser shows, and where a tap leads."""
    count, first = len(what.items) + what.more, what.items[0]
    if count == 1:
        return {"title": wording.headline(first.record), "body": wording.stage(first.record, first.stage),
                "url": wording.link(first.record), "tag": str(row.pk)}
    codes = following.Topic(row.area, row.category).codes
    query = "&".join(f"{name}={code}" for name, code in zip(("area", "category"), codes, strict=True) if code)
    return {"title": ngettext("%d 件事有新进展", "%d 件事有新进展", count) % count, "body": following.scope(row),
            "url": f"{wording.base()}/public/" + (f"?{query}" if query else ""), "tag": str(row.pk)}
