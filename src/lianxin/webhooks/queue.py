"""The outbox of events: to each subscription one at a time, in the order in which they were made, until it takes them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Min, Q

from lianxin.kernel import sending
from lianxin.kernel.clock import now
from lianxin.kernel.queues import Standing

from . import feeding, keys, policy
from .models import Attempt, Delivery, DeliveryState, Subscription, SubscriptionState
from .posting import Answer, post

CHANNEL: Final = "lianxin_webhooks"
FIRST: Final = 5.0  # seconds before the second try
LONGEST: Final = 3_600.0  # seconds between two tries
REFUSED_FOR: Final = timedelta(hours=24)  # a message that is answered 4xx for so long is given up on, and the next one goes

# The first that waits of each subscription, if it is due and nobody else has it.
_CLAIM: Final = """
SELECT d.* FROM webhooks_delivery d
 WHERE d.state = 'waiting' AND d.next_at <= %(at)s AND d.id IN (
   SELECT (SELECT h.id FROM webhooks_delivery h WHERE h.subscription_id = s.id AND h.state = 'waiting' ORDER BY h.id LIMIT 1)
     FROM webhooks_subscription s WHERE s.state = 'active' AND NOT s.id = ANY(%(closed)s) AND (%(only)s::uuid IS NULL OR s.id = %(only)s))
 ORDER BY d.next_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
"""
_DUE: Final = """
SELECT 1 FROM webhooks_subscription s WHERE s.state = 'active' AND (
  SELECT h.next_at FROM webhooks_delivery h WHERE h.subscription_id = s.id AND h.state = 'waiting' ORDER BY h.id LIMIT 1) <= %s LIMIT 1
"""


class Events(sending.Queue[Delivery]):
    """Deliveries, for the general sender."""

    name = "webhooks"
    channel = CHANNEL
    due = _DUE

    def first(self) -> float:
        return FIRST

    def claim(self, *, urgent: bool, closed: list[int], after: Any) -> Delivery | None:
        values = {"at": now(), "closed": [uuid.UUID(int=one) for one in closed], "only": after}
        return next(iter(Delivery.objects.raw(_CLAIM, values)), None)

    def destination(self, row: Delivery) -> int:
        return row.subscription_id.int

    def prepare(self, row: Delivery) -> tuple[str, list[str]]:
        subscription = row.subscription
        if row.case_id is not None:
            holder = policy.holder(subscription)
            if holder is None or not feeding.visible(holder, [row.case_id]):
                return "", []
        return subscription.url, keys.valid(subscription)

    def send(self, row: Delivery, prepared: tuple[str, list[str]]) -> Answer:
        url, secrets = prepared
        if not url:
            return Answer(sending.Fate.DEAD)
        return post(url, str(row.event_id), row.body, secrets)

    def write_down(self, row: Delivery, result: Any) -> None:
        record(row, result)

    def order(self, row: Delivery) -> uuid.UUID:
        return row.subscription_id

    def standing(self, line: sending.Line, destination: int, result: Any, silent: int) -> None:
        if result.status is not None or result.fate is not sending.Fate.DEAD:
            note(uuid.UUID(int=destination), result)


def record(row: Delivery, result: Answer | None, *, once: bool = False) -> None:
    """Write down a try, and what becomes of the delivery; `once` gives up on what was not taken (a test)."""
    at = now()
    if result is None or (result.fate is sending.Fate.DEAD and result.status is None):
        if result is not None:  # the account may not see the case any more
            Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.WITHHELD)
            return
        result = Answer(sending.Fate.LATER, "")
    Attempt.objects.create(delivery=row, at=at, status=result.status, milliseconds=result.milliseconds, request=result.request,
                           response=result.response, error=result.why)
    first, attempts = row.first_tried_at or at, row.attempts + 1
    values: dict[str, Any] = {"attempts": attempts, "first_tried_at": first, "status": result.status, "last_error": result.why}
    if result.fate is sending.Fate.SENT:
        values |= {"state": DeliveryState.SENT, "sent_at": at}
    elif once or (result.refused and not result.gone and at - first >= REFUSED_FOR):
        values |= {"state": DeliveryState.DEAD}
    else:
        wait = max(sending.pause(attempts, first=FIRST, longest=LONGEST), result.wait or 0.0)
        values |= {"next_at": at + timedelta(seconds=wait)}
    Delivery.objects.filter(pk=row.pk).update(**values)


def note(subscription_id: uuid.UUID, result: Answer) -> None:
    """How a receiver answers, for people; one that has not taken anything for days, or says that it is gone, is disabled."""
    at = now()
    row = Subscription.objects.filter(pk=subscription_id)
    if result.fate is sending.Fate.SENT:
        row.update(answered_at=at, failing_since=None, last_error="")
        return
    row.filter(failing_since__isnull=True).update(failing_since=at)
    row.update(last_error=result.why)
    too_long = at - timedelta(days=settings.LIANXIN_WEBHOOK_FAILING_DAYS)
    lasting = Q() if result.gone else Q(failing_since__lte=too_long)
    row.filter(lasting, state=SubscriptionState.ACTIVE).update(state=SubscriptionState.DISABLED, state_at=at, noticed_at=None)


QUEUE: Final = Events()


def sender() -> sending.Sender[Delivery]:
    """The threads, with one that reads the log of events each second."""
    return sending.Sender(QUEUE, threads=settings.LIANXIN_WEBHOOK_THREADS, sweep=feeding.feed)


def once(at: datetime) -> int:
    """Read the log and send what is due, in this thread. Returns how many tries were made."""
    feeding.feed()
    return sending.drain(QUEUE)


def standings(at: datetime) -> Iterator[Standing]:
    """Every active subscription's outbox: for /metrics and the doctor."""
    waiting = Q(deliveries__state=DeliveryState.WAITING)
    rows = Subscription.objects.filter(state=SubscriptionState.ACTIVE).annotate(
        waiting=Count("deliveries", filter=waiting), dead=Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD)),
        oldest=Min("deliveries__made_at", filter=waiting)).order_by("id")
    for row in rows:
        age = (at - row.oldest).total_seconds() if row.oldest else 0.0
        yield Standing("webhooks", row.name, row.waiting, row.dead, age)
