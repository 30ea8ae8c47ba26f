"""From the log of events to the subscriptions, by a cursor: registering and handling cases pays nothing for it.

Events get their ids before their transactions commit, so a lower id may appear after a higher one. How far the log is settled the
oldest open transaction says; behind that point a margin is read again for machines' clocks that differ. Each event is judged once
(`Seen`), in the transaction that makes its deliveries: killed at any point, nothing is lost and nothing comes twice. Within a case ids
grow with every commit, and whoever reads one event reads all of its case that were not judged: their order is kept.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction

from lianxin.analysis.facts_sql import OLDEST_OPEN
from lianxin.cases import policy as cases
from lianxin.cases.models import Case, Event
from lianxin.cases.reference import Reference, reference
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7_floor, uuid7_time
from lianxin.organisations.actors import Actor

from . import payloads, policy
from .models import Cursor, Delivery, Seen, Subscription, SubscriptionState
from .types import type_of

log = logging.getLogger(__name__)
BATCH: Final = 500
NEAR: Final = timedelta(minutes=1)  # read again each time
FAR: Final = timedelta(hours=1)  # read again each minute: clocks that are far off, or were set back
WHOLE_EVERY: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(1970, 1, 2, tzinfo=UTC)

# What was not judged yet, and what else was not judged of the same cases.
_FRESH: Final = """
WITH fresh AS (
  SELECT e.id, e.case_id FROM cases_event e
   WHERE e.id >= %(near)s AND NOT EXISTS (SELECT 1 FROM webhooks_seen s WHERE s.event_id = e.id)
   ORDER BY e.id LIMIT %(limit)s)
SELECT id FROM fresh
UNION
SELECT e.id FROM cases_event e
 WHERE e.case_id IN (SELECT case_id FROM fresh) AND e.id >= %(far)s AND e.id <= (SELECT id FROM fresh ORDER BY id DESC LIMIT 1)
   AND NOT EXISTS (SELECT 1 FROM webhooks_seen s WHERE s.event_id = e.id)
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Fed:
    """What one pass did: events judged, deliveries made."""

    events: int = 0
    deliveries: int = 0


def _floor(at: datetime, margin: timedelta) -> uuid.UUID:
    return uuid7_floor(max(at - margin, _EPOCH))


def settled() -> datetime:
    """The moment before which no event can appear any more, as far as clocks agree: nothing open is older. Asked before the log is
    read."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_OPEN)
        found: datetime = cursor.fetchone()[0]
    return found


def feed(*, batch: int = BATCH) -> Fed:
    """Judge every event that has come since, and make its deliveries. Two at once wait for each other; run twice it does nothing."""
    events = deliveries = 0
    while True:
        done, more = _pass(batch)
        events, deliveries = events + done.events, deliveries + done.deliveries
        if not more:
            return Fed(events, deliveries)


@transaction.atomic
def _pass(batch: int) -> tuple[Fed, bool]:
    """One batch, and whether more is left."""
    Cursor.objects.get_or_create(pk=1)
    cursor = Cursor.objects.select_for_update().get(pk=1)
    bound, at = settled(), now()
    if cursor.read_to is None or not Subscription.objects.exclude(state=SubscriptionState.ENDED).exists():
        return _moved(cursor, bound, at), False  # who subscribes later is told of what happens later
    read_to = uuid7_time(cursor.read_to)
    whole = cursor.whole_at is None or abs(at - cursor.whole_at) >= WHOLE_EVERY
    far = _floor(read_to, FAR)
    found = _fresh(far if whole else _floor(read_to, NEAR), far, batch)
    fed = Fed(len(found), _judged(found) if found else 0)
    if len(found) >= batch:
        return fed, True
    if whole:
        cursor.whole_at = at
        Seen.objects.filter(event_id__lt=_floor(min(bound, read_to), 2 * FAR)).delete()
    _moved(cursor, max(bound, read_to), at)
    return fed, False


def _moved(cursor: Cursor, bound: datetime, at: datetime) -> Fed:
    cursor.read_to, cursor.at = uuid7_floor(bound), at
    cursor.save()
    return Fed()


def _fresh(near: uuid.UUID, far: uuid.UUID, limit: int) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, {"near": near, "far": far, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _judged(ids: Sequence[uuid.UUID]) -> int:
    """Make the deliveries of these events and remember that they were judged. Returns how many deliveries."""
    Seen.objects.bulk_create([Seen(event_id=pk) for pk in ids], ignore_conflicts=True)
    subscriptions = list(Subscription.objects.exclude(state=SubscriptionState.ENDED).select_related("staff", "unit"))
    events = list(Event.objects.filter(pk__in=ids).select_related("case").order_by("id"))
    return make(subscriptions, events)


def wanted(subscription: Subscription, events: Sequence[Event], *, before_too: bool = False) -> list[Event]:
    """Those of these events that a subscription asks for and may see; with `before_too` those from before it was made as well."""
    known = reference()
    return _seen_by(subscription, [event for event in events if wants(subscription, event, known, before_too=before_too)])


def make(subscriptions: Iterable[Subscription], events: Sequence[Event], *, before_too: bool = False) -> int:
    """Deliveries of these events, oldest first, to the subscriptions that ask for them and may see their cases. Those that are there
    already stay as they are. Returns how many there are then."""
    known, at = reference(), now()
    bodies: dict[uuid.UUID, str] = {}
    rows: list[Delivery] = []
    to: dict[uuid.UUID, list[Subscription]] = defaultdict(list)
    for one in subscriptions:
        for event in wanted(one, events, before_too=before_too):
            to[event.pk].append(one)
    for event in events:
        for one in to.get(event.pk, ()):
            if event.pk not in bodies:
                bodies[event.pk] = payloads.of_event(event, known)
            rows.append(Delivery(subscription=one, event_id=event.pk, case_id=event.case_id, type=type_of(event.action),
                                 body=bodies[event.pk], made_at=at, next_at=at))
    Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)
    return len(rows)


def wants(subscription: Subscription, event: Event, known: Reference, *, before_too: bool = False) -> bool:
    """Whether a subscription asks for an event: by type, by the units that have a part in its case, by where the case lies."""
    if not before_too and event.at < subscription.created_at:
        return False
    if subscription.types and type_of(event.action) not in subscription.types:
        return False
    return _in_units(subscription, event, known) and _in_areas(subscription, event.case, known)


def _in_units(subscription: Subscription, event: Event, known: Reference) -> bool:
    if not subscription.units:
        return True
    parts = {*event.case.unit_ids, event.unit_id}
    return any((body := known.units_by_code.get(code)) is not None and body.id in parts for code in subscription.units)


def _in_areas(subscription: Subscription, case: Case, known: Reference) -> bool:
    if not subscription.areas:
        return True
    place = known.places.get(case.area_id or 0)
    around = {known.places[pk].code for pk in place.lineage} if place else set()
    return not around.isdisjoint(subscription.areas)


def _seen_by(subscription: Subscription, events: list[Event]) -> list[Event]:
    """Those whose cases the account of the subscription may see."""
    holder = policy.holder(subscription)
    if holder is None or not events:
        return []
    seen = visible(holder, {event.case_id for event in events})
    return [event for event in events if event.case_id in seen]


def visible(holder: Actor, case_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these cases an actor may see."""
    return set(Case.objects.filter(cases.visible_to(holder), pk__in=list(case_ids)).values_list("pk", flat=True))
