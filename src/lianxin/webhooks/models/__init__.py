"""Subscriptions of other systems to events (`events`), and of residents and offices to public news (`news`)."""

from .events import (
    Attempt,
    Cursor,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Seen,
    Subscription,
    SubscriptionSecret,
    SubscriptionState,
)
from .news import Channel, Follow, FollowBy, FollowState, NewsItem, NewsStanding, Pace, PushKey

__all__ = [
    "Attempt", "Channel", "Cursor", "Delivery", "DeliveryKind", "DeliveryState", "Follow", "FollowBy", "FollowState", "NewsItem",
    "NewsStanding", "Pace", "PushKey", "Seen", "Subscription", "SubscriptionSecret", "SubscriptionState",
]
