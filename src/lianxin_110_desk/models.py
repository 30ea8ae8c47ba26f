"""What this desk keeps: matters, handovers, the ledger, what goes out and what came in. Times are aware, positions WGS-84."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from . import states

US, THEM = "us", "them"
SIDES = (US, THEM)


def _one_of(field: str, values: tuple[str, ...], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=name)


class Matter(models.Model):
    """One matter that two desks share. Exactly one of them holds it; `term` counts how often it changed hands, from 1."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    holder = models.CharField(max_length=4)
    term = models.PositiveIntegerField(default=1)
    first_receiver = models.CharField(max_length=4)
    sent_seq = models.PositiveIntegerField(default=0)
    received_seq = models.PositiveIntegerField(default=0)
    number = models.CharField(max_length=40, unique=True)
    their_number = models.CharField(max_length=60, blank=True)
    emergency = models.BooleanField(default=False)
    words = models.TextField()
    category = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=300, blank=True)
    area = models.CharField(max_length=12, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    caller_shared = models.CharField(max_length=6, default="none")
    caller_name = models.CharField(max_length=60, blank=True)
    caller_phone = models.CharField(max_length=40, blank=True)
    occurred_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("holder", SIDES, "matter_holder"), _one_of("first_receiver", SIDES, "matter_first_receiver"),
            _one_of("caller_shared", ("full", "masked", "none"), "matter_caller_shared"),
            models.CheckConstraint(condition=Q(term__gte=1), name="matter_term"),
        ]

    @property
    def held_by_us(self) -> bool:
        return self.holder == US


class Handover(models.Model):
    """One offer of a matter and what became of it. `direction` in: offered to this desk."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    matter = models.ForeignKey(Matter, models.PROTECT, related_name="handovers")
    direction = models.CharField(max_length=3)
    state = models.CharField(max_length=20, default=states.OFFERED)
    mode = models.CharField(max_length=8, default="transfer")
    basis = models.CharField(max_length=10, default="clear")
    emergency = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    words = models.TextField()
    wish = models.CharField(max_length=10, default="not_asked")
    follows = models.UUIDField(null=True)
    offered_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)
    visible_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=60, blank=True)
    result = models.CharField(max_length=60, blank=True)
    auto_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _one_of("direction", ("in", "out"), "handover_direction"), _one_of("state", states.STATES, "handover_state"),
            _one_of("mode", ("transfer", "joint"), "handover_mode"),
            _one_of("basis", ("clear", "unclear", "emergency", "returned", "followup"), "handover_basis"),
            _one_of("wish", ("agrees", "asked", "not_asked"), "handover_wish"),
            models.UniqueConstraint(fields=["matter"], condition=Q(state__in=states.UNDECIDED), name="handover_one_undecided"),
            models.CheckConstraint(condition=~Q(state__in=(states.REFUSED, states.DEFAULTED)) | ~Q(refusal=""), name="handover_refusal"),
        ]
        indexes = [
            models.Index(fields=["auto_at"], condition=Q(auto_at__isnull=False), name="handover_auto"),
            models.Index(fields=["state", "direction"], name="handover_board"),
        ]

    @property
    def incoming(self) -> bool:
        return self.direction == "in"

    @property
    def undecided(self) -> bool:
        return self.state in states.UNDECIDED


class Entry(models.Model):
    """One line of a matter's ledger: what either desk said. Append-only, by triggers."""

    matter = models.ForeignKey(Matter, models.PROTECT, related_name="entries")
    handover = models.ForeignKey(Handover, models.PROTECT, null=True, related_name="entries")
    message = models.UUIDField(unique=True)
    at = models.DateTimeField(default=timezone.now)
    desk = models.CharField(max_length=4)
    kind = models.CharField(max_length=20)
    operator = models.CharField(max_length=40, blank=True)
    body = models.JSONField(default=dict)
    status = models.CharField(max_length=10, default="applied")

    class Meta:
        constraints = [_one_of("desk", SIDES, "entry_desk"), _one_of("status", ("applied", "noted"), "entry_status")]
        ordering = ["id"]


class Outgoing(models.Model):
    """The outbox: one message, kept as it travels. Those of a matter go in the order of `seq`, each when the one before is answered."""

    message = models.UUIDField(unique=True)
    matter = models.ForeignKey(Matter, models.PROTECT, null=True, related_name="outgoing")
    seq = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=20)
    content = models.TextField()
    state = models.CharField(max_length=8, default="waiting")
    made_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            _one_of("state", ("waiting", "sent", "dead"), "outgoing_state"),
            models.UniqueConstraint(fields=["matter", "seq"], name="outgoing_order"),
            models.CheckConstraint(condition=Q(matter__isnull=True, seq__isnull=True) | Q(matter__isnull=False, seq__gte=1),
                                   name="outgoing_seq"),
        ]
        # whole, not partial: SQLite cannot tell from a bound value that a partial index would do
        indexes = [models.Index(fields=["state", "next_at"], name="outgoing_state_next")]


class Received(models.Model):
    """A message that was taken in, and the answer it got: whoever sends it again gets the same."""

    message = models.UUIDField(primary_key=True)
    matter = models.ForeignKey(Matter, models.PROTECT, null=True, related_name="received")
    seq = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)
    answer = models.JSONField(null=True)
    status = models.CharField(max_length=10, default="applied")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["matter", "seq"], name="received_order")]


class JointRule(models.Model):
    """Who takes matters of a category, as proposed by one desk; in force once both have approved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    category = models.CharField(max_length=200)
    code = models.CharField(max_length=60, blank=True)
    takes = models.CharField(max_length=4)
    words = models.TextField(blank=True)
    proposed_by = models.CharField(max_length=4)
    ours = models.CharField(max_length=8, default="")
    theirs = models.CharField(max_length=8, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            _one_of("takes", SIDES, "rule_takes"), _one_of("proposed_by", SIDES, "rule_proposed_by"),
            _one_of("ours", ("", "approve", "reject"), "rule_ours"), _one_of("theirs", ("", "approve", "reject"), "rule_theirs"),
        ]

    @property
    def in_force(self) -> bool:
        return self.ours == self.theirs == "approve"


class Keep(models.Model):
    """Small things that outlive a crash: counters, and how the desk misbehaves."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.JSONField()
