"""Whose subscriptions somebody looks after: their own for a token with the scope `webhooks`, and on the desk those of the accounts
that an administrator looks after. What a subscription is told is bounded by the rights of the account it belongs to."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from lianxin.organisations.accounts import keeper
from lianxin.organisations.actors import Actor, Kind, actor_for
from lianxin.organisations.models import Role, Staff
from lianxin.organisations.scopes import named

from .models import Subscription, SubscriptionState

SCOPE = named("webhooks", _("推送订阅"))


def keeps(actor: Actor) -> bool:
    """Whether somebody has subscriptions and channels to look after on the desk."""
    return actor.kind is Kind.STAFF and actor.has(Role.ADMINISTRATOR)


def listed(actor: Actor) -> QuerySet[Subscription]:
    """The subscriptions an actor looks after, those that ended left out."""
    rows = Subscription.objects.exclude(state=SubscriptionState.ENDED)
    if actor.kind is Kind.SYSTEM:
        return rows
    if actor.scopes is not None and actor.staff_id is not None and actor.unit_id is not None:  # a token: its own account's, in its unit
        return rows.filter(staff_id=actor.staff_id, unit_id=actor.unit_id)
    if actor.scopes is not None or not keeps(actor):
        return rows.none()
    return rows.filter(staff__in=Staff.objects.filter(keeper(actor).listed()))


def may_act_for(actor: Actor, person: Staff) -> bool:
    """Whether a subscription may be made with the rights of this account."""
    if actor.kind is Kind.SYSTEM:
        return True
    if actor.scopes is not None:
        return person.pk == actor.staff_id
    return keeps(actor) and keeper(actor).holds(person)


def holder(subscription: Subscription) -> Actor | None:
    """With whose rights a subscription sees cases now; None when the account has been closed."""
    if not subscription.staff.is_active:
        return None
    return actor_for(subscription.staff, via="webhook", unit=subscription.unit)
