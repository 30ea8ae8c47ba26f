"""A subscription to look at: paused, since nobody listens at its address. What happens while the demo is tried waits there in order."""

from __future__ import annotations

from typing import Final

from lianxin.organisations.actors import SYSTEM
from lianxin.organisations.models import Role, Staff
from lianxin.webhooks import actions
from lianxin.webhooks.models import Subscription, SubscriptionState

URL: Final = "https://data.example.cn/hooks/12345"
TYPES: Final = ("case.register", "case.dispatch", "case.reply", "case.close")


def subscribe() -> None:
    """Once, with the rights of the first supervisor of the hotline."""
    held = Staff.objects.filter(grants__role=Role.SUPERVISOR, grants__ended_at=None, unit__kind="hotline", is_active=True)
    person = held.order_by("pk").first()
    if person is None or Subscription.objects.exists():
        return
    made, _secret = actions.create(actions.Wish(name="市数据平台（演示）", url=URL, types=TYPES), by=SYSTEM, person=person)
    actions.turn(made.pk, SubscriptionState.PAUSED, by=SYSTEM)
