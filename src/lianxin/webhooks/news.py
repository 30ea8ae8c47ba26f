"""News are public records that newly stand at a stage: read from the public record by its revisions, told to whoever asked.

Nothing else is known here of a case than what anybody may read; nothing is kept of who read what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.timezone import localtime, make_aware

from lianxin.kernel.clock import now
from lianxin.publishing import queries as public
from lianxin.publishing.models import Record, Standing

from .models import NewsItem, NewsStanding, Pace

KEPT: Final = timedelta(days=60)  # for which items stay; the last of each record stays as long as the record
MOST: Final = 200  # items read for one message
SHOWN: Final = 30  # and told one by one; of the others it is said how many
GROUPED: Final = timedelta(minutes=10)  # "at once" waits so long after a message, and tells what came meanwhile together


@transaction.atomic
def gather() -> int:
    """Make an item of every record that stands at another stage than its last item says. Returns how many. Two at once wait for
    each other. What was public before the first time is no news."""
    NewsStanding.objects.get_or_create(pk=1)
    held = NewsStanding.objects.select_for_update().get(pk=1)
    upto = Standing.objects.filter(pk=1).values_list("revision", flat=True).first() or 0
    made = 0
    if held.begun and upto > held.revision:
        made = _gathered(held.revision, upto)
    if not held.begun or upto != held.revision:
        held.revision, held.begun = upto, True
        held.save()
    return made


def _gathered(after: int, upto: int) -> int:
    last = NewsItem.objects.filter(record=OuterRef("pk")).order_by("-id").values("stage")[:1]
    changed = Record.objects.filter(revision__gt=after, revision__lte=upto).annotate(told=Subquery(last)).order_by("changed_at", "number")
    at = now()
    rows = [NewsItem(record_id=record.pk, stage=record.stage, at=at) for record in changed.only("case", "stage").iterator(2_000)
            if record.told != record.stage]
    NewsItem.objects.bulk_create(rows, batch_size=2_000)
    return len(rows)


def newest() -> int:
    """The number of the last item; 0 before the first."""
    return NewsItem.objects.order_by("-id").values_list("id", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class News:
    """What is told in one message: items by record, each record with its newest; `more` others that are only counted."""

    items: list[NewsItem]
    more: int
    read_to: int

    def __bool__(self) -> bool:
        return bool(self.items)


def news_for(*, area: str, category: str, after: int) -> News:
    """What came after an item, of an area and below, of a category and below; empty codes mean all. Two queries."""
    upto = newest()
    if upto <= after:
        return News([], 0, after)
    narrowed = public.found(area=area, category=category)
    rows = NewsItem.objects.filter(pk__gt=after, pk__lte=upto, record__in=narrowed).select_related(
        "record__category", "record__area", "record__county", "record__unit").order_by("-id")
    by_record = {item.record_id: item for item in reversed(rows[:MOST])}
    listed = sorted(by_record.values(), key=lambda item: -item.pk)
    return News(listed[:SHOWN], max(len(listed) - SHOWN, 0), upto)


def next_time(pace: str, at: datetime) -> datetime:
    """When the next message may go: today's or tomorrow's hour of the daily news, or a few minutes on."""
    if pace == Pace.AT_ONCE:
        return at + GROUPED
    here = localtime(at)
    hour = make_aware(datetime.combine(here.date(), time(min(max(settings.LIANXIN_NEWS_HOUR, 0), 23))), here.tzinfo)
    return hour if hour > at else hour + timedelta(days=1)


def forget(at: datetime) -> int:
    """Items that everybody has been told, but for the last of each record. Returns how many."""
    last = NewsItem.objects.filter(record=OuterRef("record")).order_by("-id").values("id")[:1]
    old = NewsItem.objects.filter(at__lt=at - KEPT).annotate(last=Subquery(last))
    return sum(NewsItem.objects.filter(pk__in=batch).delete()[0]
               for batch in _batches([pk for pk, newest_of in old.values_list("pk", "last") if pk != newest_of]))


def _batches(ids: Sequence[int], size: int = 5_000) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
