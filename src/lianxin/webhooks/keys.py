"""The secrets of a subscription, sealed; two at a time while one is changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.kernel.shared_secrets import SharedSecrets

from .models import Subscription, SubscriptionSecret

OVERLAP: Final = timedelta(hours=24)  # for which the old secret signs beside a new one
MOST: Final = 2
SECRETS: Final = SharedSecrets(SubscriptionSecret, "subscription", "subscription_secret")
valid = SECRETS.of


def make(subscription: Subscription) -> str:
    """A new secret, valid from now. Returned once; it is kept sealed."""
    return SECRETS.add(subscription)[1]


def rotate(subscription: Subscription) -> str:
    """A new secret; those before it sign for another 24 hours, so that the receiver can change over. Raises Conflict while one is
    being changed already."""
    at = now()
    held = SECRETS.rows(at=at, subscription=subscription).select_for_update()
    if len(held) >= MOST:
        raise Conflict(_("密钥刚换过，新旧两个都还有效。请过 24 小时再换。"))
    SubscriptionSecret.objects.filter(pk__in=[row.pk for row in held]).update(valid_to=at + OVERLAP)
    return make(subscription)
