"""The outbox, and what came in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

from .matters import Handover, Matter
from .partners import Partner


class OutgoingState(models.TextChoices):
    WAITING = "waiting", _("待发送")
    SENT = "sent", _("已送达")
    DEAD = "dead", _("送不出去")


class Outgoing(models.Model):
    """A message to a partner, written in the transaction of what it tells: the outbox. Those of a matter go in the order of `seq`,
    the next when the one before has been answered. `id` is the message's own and the same in every try."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="outgoing", db_index=False)
    matter = models.ForeignKey(Matter, models.PROTECT, null=True, blank=True, related_name="outgoing", db_index=False)
    handover = models.ForeignKey(Handover, models.PROTECT, null=True, blank=True, related_name="outgoing")
    seq = models.PositiveIntegerField(null=True, blank=True)
    term = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=12)
    body = models.BinaryField(null=True, blank=True)
    urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=OutgoingState, default=OutgoingState.WAITING)
    made_at = models.DateTimeField(default=now)
    next_at = models.DateTimeField(default=now)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("outgoing_state_known", "state", OutgoingState),
            models.UniqueConstraint(fields=["matter", "seq"], condition=models.Q(matter__isnull=False), name="outgoing_seq_once"),
            models.CheckConstraint(
                name="outgoing_of_a_matter_is_numbered",
                condition=models.Q(matter__isnull=True, seq__isnull=True) | models.Q(matter__isnull=False, seq__isnull=False)),
            models.CheckConstraint(
                name="outgoing_sent_has_a_time",
                condition=models.Q(state="sent", sent_at__isnull=False) | (~models.Q(state="sent") & models.Q(sent_at__isnull=True))),
            # What has arrived may be emptied by retention; what has not is kept whole.
            models.CheckConstraint(
                name="outgoing_unsent_has_a_body", condition=models.Q(state="sent") | models.Q(body__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["-urgent", "next_at", "id"], condition=models.Q(state="waiting"), name="outgoing_waiting"),
            models.Index(fields=["partner", "state"], condition=~models.Q(state="sent"), name="outgoing_of_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Received(models.Model):
    """A message of a partner that was taken, and what was answered: the same message sent again is answered the same."""

    id = models.UUIDField(primary_key=True)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    matter = models.ForeignKey(Matter, models.PROTECT, null=True, blank=True, related_name="received", db_index=False)
    seq = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32)
    status = models.CharField(max_length=10)
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["matter", "seq"], condition=models.Q(matter__isnull=False), name="received_seq_once"),
        ]
        indexes = [models.Index(fields=["at"], name="received_at")]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
