"""What pages and the API show of subscriptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from lianxin.kernel.clock import now
from lianxin.organisations.actors import Actor

from . import keys, policy
from .models import Delivery, DeliveryKind, DeliveryState, Subscription, SubscriptionSecret, SubscriptionState

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription with what waits for it and what was given up on."""

    subscription: Subscription
    waiting: int
    dead: int
    oldest: datetime | None

    @property
    def mood(self) -> str:
        """The badge's colour."""
        if self.subscription.state == SubscriptionState.DISABLED or self.dead:
            return "vermilion"
        return "amber" if self.subscription.state == SubscriptionState.PAUSED or self.subscription.failing_since else "green"


def standing(row: Subscription) -> Standing:
    """One subscription with its counts."""
    of = Delivery.objects.filter(subscription=row)
    waiting = of.filter(state=DeliveryState.WAITING).aggregate(n=Count("pk"), oldest=Min("made_at"))
    dead = of.filter(state=DeliveryState.DEAD, kind=DeliveryKind.EVENT).count()
    return Standing(row, waiting["n"], dead, waiting["oldest"])


def body(row: Delivery) -> dict[str, Any]:
    """What was sent, as JSON says it."""
    found: dict[str, Any] = json.loads(row.body)
    return found


def standings(actor: Actor) -> list[Standing]:
    """Every subscription somebody looks after, newest first. One query."""
    waiting = Q(deliveries__state=DeliveryState.WAITING)
    dead = Q(deliveries__state=DeliveryState.DEAD, deliveries__kind=DeliveryKind.EVENT)
    rows = policy.listed(actor).select_related("staff", "unit").annotate(
        n_waiting=Count("deliveries", filter=waiting), n_dead=Count("deliveries", filter=dead),
        oldest=Min("deliveries__made_at", filter=waiting)).order_by("-created_at", "-id")
    return [Standing(row, row.n_waiting, row.n_dead, row.oldest) for row in rows]


@dataclass(frozen=True, slots=True)
class Page:
    """Deliveries, newest first, and the key of the next page (0 when there is none)."""

    rows: list[Delivery]
    after: int


def log(subscription: Subscription, *, state: str = "", after: int = 0, limit: int = SHOWN) -> Page:
    """What was and will be sent to a subscription, with every try."""
    rows = Delivery.objects.filter(subscription=subscription).prefetch_related("tries").order_by("-id")
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    if after:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: limit + 1])
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else 0)


def secrets(subscription: Subscription) -> list[SubscriptionSecret]:
    """The secrets that sign now, newest first."""
    return list(keys.SECRETS.rows(subscription=subscription))


def disabled(actor: Actor) -> list[Subscription]:
    """Those that were disabled and that nobody has looked at since: what their keepers are told."""
    if not policy.keeps(actor):
        return []
    return list(policy.listed(actor).filter(state=SubscriptionState.DISABLED, noticed_at__isnull=True).order_by("state_at"))


def looked_at(subscription: Subscription) -> None:
    """A keeper has opened it: the notice is seen."""
    if subscription.state == SubscriptionState.DISABLED and subscription.noticed_at is None:
        Subscription.objects.filter(pk=subscription.pk).update(noticed_at=now())
