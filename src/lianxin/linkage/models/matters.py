"""Matters shared with a partner, each handover of them, its ledger and its limits. Words are ciphertext bound to their row."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

from ..states import OVER, UNDECIDED, HandoverState
from ..wire import Basis, Mode, Wish
from .partners import Partner


class Holder(models.TextChoices):
    US = "us", _("本热线")
    THEM = "them", _("对方")


class Matter(models.Model):
    """One matter shared with one partner; `id` is the same on both sides. `holder` and `term` say who has it: the term goes up by
    one with each transfer that is accepted. `sent_seq` and `received_seq` count the messages of either direction. There is no
    `case` while what they offered waits for an answer, or was refused. `joint`: the case is this side's own part in a matter that the
    partner goes on holding."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="matters")
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="matters", db_index=False)
    holder = models.CharField(max_length=4, choices=Holder)
    term = models.PositiveIntegerField(default=1)
    first_receiver = models.CharField(max_length=4, choices=Holder)
    sent_seq = models.PositiveIntegerField(default=0)
    received_seq = models.PositiveIntegerField(default=0)
    their_reference = models.CharField(max_length=60, blank=True)
    opened_at = models.DateTimeField(default=now)
    closed_at = models.DateTimeField(null=True, blank=True)
    joint = models.BooleanField(default=False)

    class Meta:
        constraints = [
            one_of("matter_holder_known", "holder", Holder),
            one_of("matter_first_receiver_known", "first_receiver", Holder),
            models.CheckConstraint(name="matter_term_positive", condition=models.Q(term__gte=1)),
            models.UniqueConstraint(
                fields=["case", "partner"], condition=models.Q(case__isnull=False, closed_at__isnull=True), name="matter_of_a_case_once"),
            # A case is with one partner at a time.
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(case__isnull=False, closed_at__isnull=True, holder="them", joint=False),
                name="matter_held_by_one_partner"),
        ]
        indexes = [models.Index(fields=["partner"], condition=models.Q(closed_at__isnull=True), name="matter_open")]

    def __str__(self) -> str:
        return str(self.id)


class Direction(models.TextChoices):
    OUT = "out", _("移交出去")
    IN = "in", _("移交过来")


# The values are the wire's own; what they are called at a desk stands here.
MODES = [(Mode.TRANSFER.value, _("移交")), (Mode.JOINT.value, _("联合处置"))]
BASES = [
    (Basis.CLEAR.value, _("明确属对方职责")), (Basis.UNCLEAR.value, _("职责不清")), (Basis.EMERGENCY.value, _("紧急")),
    (Basis.RETURNED.value, _("交回")), (Basis.FOLLOWUP.value, _("后续事项")),
]
WISHES = [(Wish.AGREES.value, _("来电人同意")), (Wish.ASKED.value, _("来电人要求")), (Wish.NOT_ASKED.value, _("未询问"))]


class Handover(models.Model):
    """One offer of a matter, one way, and what became of it; `id` is the same on both sides. `state` follows `states.TABLE`;
    `due_at` is when the present state has lasted too long and `alarmed_at` when the desk was told. `payload` holds sealed what a
    partner's offer said (words, caller, place), for the person who decides; it is emptied with the case's words."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    matter = models.ForeignKey(Matter, models.PROTECT, related_name="handovers")
    direction = models.CharField(max_length=3, choices=Direction)
    mode = models.CharField(max_length=8, choices=MODES, default=Mode.TRANSFER.value)
    basis = models.CharField(max_length=9, choices=BASES)
    emergency = models.BooleanField(default=False)
    wish = models.CharField(max_length=9, choices=WISHES, default=Wish.NOT_ASKED.value)
    state = models.CharField(max_length=16, choices=HandoverState, default=HandoverState.OFFERED)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    category_theirs = models.CharField(max_length=200, blank=True)
    follows = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="followed_by")
    payload = models.BinaryField(null=True, blank=True)
    refusal = models.CharField(max_length=60, blank=True)
    result = models.CharField(max_length=60, blank=True)
    reference = models.CharField(max_length=60, blank=True)
    offered_at = models.DateTimeField(default=now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    phoned_at = models.DateTimeField(null=True, blank=True)
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("handover_direction_known", "direction", Direction),
            one_of("handover_mode_known", "mode", Mode),
            one_of("handover_basis_known", "basis", Basis),
            one_of("handover_wish_known", "wish", Wish),
            one_of("handover_state_known", "state", HandoverState),
            models.UniqueConstraint(
                fields=["matter"], condition=models.Q(state__in=[state.value for state in UNDECIDED]),
                name="handover_one_undecided_of_a_matter"),
            models.CheckConstraint(
                name="handover_decided_has_a_time",
                condition=models.Q(state__in=[state.value for state in UNDECIDED], decided_at__isnull=True)
                | (~models.Q(state__in=[state.value for state in UNDECIDED]) & models.Q(decided_at__isnull=False))),
            models.CheckConstraint(
                name="handover_over_has_a_time",
                condition=models.Q(state__in=[state.value for state in OVER], ended_at__isnull=False, due_at__isnull=True)
                | (~models.Q(state__in=[state.value for state in OVER]) & models.Q(ended_at__isnull=True))),
            models.CheckConstraint(
                name="handover_refused_has_a_reason",
                condition=~models.Q(state__in=[HandoverState.REFUSED.value, HandoverState.DEFAULTED.value]) | ~models.Q(refusal="")),
            models.CheckConstraint(
                name="handover_outcome_has_a_result",
                condition=~models.Q(state=HandoverState.OUTCOME_RETURNED.value) | ~models.Q(result="")),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False, alarmed_at__isnull=True), name="handover_due"),
            models.Index(fields=["direction", "state", "-offered_at"], condition=models.Q(ended_at__isnull=True), name="handover_open"),
            models.Index(fields=["-offered_at"], name="handover_recent"),
        ]

    @property
    def undecided(self) -> bool:
        return self.state in UNDECIDED

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class StepBy(models.TextChoices):
    US = "us", _("本热线")
    THEM = "them", _("对方")
    CLOCK = "clock", _("时限")


class HandoverStep(models.Model):
    """One thing that happened to one handover, on either side: the ledger. `kind` is a message's, or `late` when a clock was
    missed. `words` are sealed; `badge` is how the other side names its person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, models.PROTECT, related_name="steps")
    at = models.DateTimeField(default=now)
    kind = models.CharField(max_length=16)
    by = models.CharField(max_length=5, choices=StepBy)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    badge = models.CharField(max_length=40, blank=True)
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16)
    data = models.JSONField(default=dict)
    words = models.BinaryField(null=True, blank=True)
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [one_of("handover_step_by_known", "by", StepBy)]

    def __str__(self) -> str:
        return self.kind


class Disclosure(models.Model):
    """Personal data that went to a partner: which fields, how much of them, why. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    handover = models.ForeignKey(Handover, models.PROTECT, related_name="disclosures")
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="disclosures")
    at = models.DateTimeField(default=now)
    fields = models.JSONField(default=list)
    shared = models.CharField(max_length=6)
    why = models.CharField(max_length=200)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.CheckConstraint(name="disclosure_says_why", condition=~models.Q(why=""))]

    def __str__(self) -> str:
        return self.shared


class HandoverLimit(models.Model):
    """How many seconds a handover may stay in a state before the desk hears an alarm; a partner's own row wins."""

    partner = models.ForeignKey(Partner, models.CASCADE, null=True, blank=True, related_name="limits")
    state = models.CharField(max_length=16, choices=HandoverState)
    emergency = models.BooleanField(default=False)
    seconds = models.PositiveIntegerField()
    basis = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            one_of("handover_limit_state_known", "state", HandoverState),
            models.CheckConstraint(name="handover_limit_positive", condition=models.Q(seconds__gt=0)),
            models.UniqueConstraint(fields=["partner", "state", "emergency"], nulls_distinct=False, name="handover_limit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.seconds} s"
