"""What other systems subscribed to, and what was sent to them. No words of a case and nobody's name stands here."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import pgettext_lazy

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7


class SubscriptionState(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("subscription", "在用")
    PAUSED = "paused", pgettext_lazy("subscription", "已暂停")
    DISABLED = "disabled", pgettext_lazy("subscription", "已停用：长时间送不到")
    ENDED = "ended", pgettext_lazy("subscription", "已取消")


class Subscription(models.Model):
    """One system's wish to be told of events, with the rights of one member of staff in one unit.

    Empty `types`, `units` and `areas` mean all of them; `units` are codes of units that have a part in the case, `areas` codes of
    areas that the case lies in or below. `failing_since` is when the receiver last stopped taking what was sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="subscriptions")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="subscriptions")
    url = models.CharField(max_length=500)
    types = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    units = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    areas = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    state = models.CharField(max_length=8, choices=SubscriptionState, default=SubscriptionState.ACTIVE)
    state_at = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    noticed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [one_of("webhook_state_known", "state", SubscriptionState)]

    def __str__(self) -> str:
        return self.name


class SubscriptionSecret(models.Model):
    """One secret of a subscription, sealed. While a key is changed two are valid, and both sign."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="secrets")
    secret = models.BinaryField()
    hint = models.CharField(max_length=8)
    valid_from = models.DateTimeField(default=now)
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(
            name="webhook_secret_ends_after_it_begins",
            condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")))]


class DeliveryKind(models.TextChoices):
    EVENT = "event", pgettext_lazy("delivery", "事件")
    TEST = "test", pgettext_lazy("delivery", "测试")


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("delivery", "待发送")
    SENT = "sent", pgettext_lazy("delivery", "已送达")
    DEAD = "dead", pgettext_lazy("delivery", "送不到")
    WITHHELD = "withheld", pgettext_lazy("delivery", "没有发：已无权查看")


class Delivery(models.Model):
    """One event for one subscription: made once, sent in the order of `id` until it is taken. `event_id` is what the receiver
    knows it by; `body` the JSON that is sent and signed, the same in every try."""

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.UUIDField()
    case_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=6, choices=DeliveryKind, default=DeliveryKind.EVENT)
    type = models.CharField(max_length=60)
    body = models.TextField()
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=now)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            one_of("webhook_delivery_state_known", "state", DeliveryState),
            one_of("webhook_delivery_kind_known", "kind", DeliveryKind),
            models.UniqueConstraint(fields=["subscription", "event_id"], name="webhook_event_once"),
            models.CheckConstraint(name="webhook_sent_has_a_time",
                                   condition=models.Q(state="sent", sent_at__isnull=False)
                                   | (~models.Q(state="sent") & models.Q(sent_at__isnull=True))),
            models.CheckConstraint(name="webhook_event_has_a_case", condition=~models.Q(kind="event") | models.Q(case_id__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["subscription", "id"], condition=models.Q(state="waiting"), name="webhook_waiting"),
            models.Index(fields=["subscription", "-id"], name="webhook_log"),
            models.Index(fields=["made_at"], name="webhook_made"),
        ]


class Attempt(models.Model):
    """One try: the heads of what was asked and of what was answered, without signatures and cookies."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=now)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    request = models.JSONField(default=dict)
    response = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)


class Cursor(models.Model):
    """How far the log of events was read; one row. No event with a lower id than `read_to` can appear any more."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    read_to = models.UUIDField(null=True)
    whole_at = models.DateTimeField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="webhook_cursor_one", condition=models.Q(id=1))]


class Seen(models.Model):
    """An event that was judged: each is judged once, whatever order transactions commit in. Kept while `Cursor.read_to` is near."""

    event_id = models.UUIDField(primary_key=True)
