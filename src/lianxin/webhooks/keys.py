"""The secrets of a subscription, sealed; two at a time while one is changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Conflict
from lianxin.kernel.ids import uuid7
from lianxin.linkage import signing

from .models import Subscription, SubscriptionSecret

OVERLAP = timedelta(hours=24)  # for which the old secret signs beside a new one
MOST = 2


def _context(pk: object) -> str:
    return f"subscription_secret:{pk}:secret"


def _valid(at: datetime) -> Q:
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def valid(subscription: Subscription) -> list[str]:
    """The secrets that sign now, newest first."""
    rows = SubscriptionSecret.objects.filter(_valid(now()), subscription=subscription).order_by("-valid_from", "-id")
    return [decrypt(bytes(row.secret), context=_context(row.pk)) for row in rows]


def make(subscription: Subscription) -> str:
    """A new secret, valid from now. Returned once; it is kept sealed."""
    said, pk = signing.fresh(), uuid7()
    SubscriptionSecret.objects.create(
        id=pk, subscription=subscription, secret=encrypt(said, context=_context(pk)), hint=said[-4:], valid_from=now())
    return said


def rotate(subscription: Subscription) -> str:
    """A new secret; those before it sign for another 24 hours, so that the receiver can change over. Raises Conflict while one is
    being changed already."""
    at = now()
    held = SubscriptionSecret.objects.select_for_update().filter(_valid(at), subscription=subscription)
    if len(held) >= MOST:
        raise Conflict(_("密钥刚换过，新旧两个都还有效。请过 24 小时再换。"))
    SubscriptionSecret.objects.filter(pk__in=[row.pk for row in held]).update(valid_to=at + OVERLAP)
    return make(subscription)
