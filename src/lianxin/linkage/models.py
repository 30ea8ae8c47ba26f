"""Desks of other services, the matters shared with them, each handover, and the messages that carry it.

Words, callers and secrets are ciphertext bound to their row. The ledger of steps is append-only.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named

from .states import DEFAULT, NOT_TAKEN, OVER, TAKEN, UNDECIDED, HandoverState, Who

__all__ = [
    "DEFAULT", "NOT_TAKEN", "OVER", "TAKEN", "UNDECIDED", "Direction", "Disclosure", "Handover", "HandoverLimit", "HandoverState",
    "HandoverStep", "Holder", "JointRule", "Mapping", "MappingChange", "Matter", "Outgoing", "OutgoingState", "Partner",
    "PartnerSecret", "Received", "Term", "TermList", "Unmapped", "Who",
]


class PartnerKind(models.TextChoices):
    POLICE = "police", _("公安")
    FIRE = "fire", _("消防")
    AMBULANCE = "ambulance", _("急救")
    UTILITY = "utility", _("公用事业")
    HOTLINE = "hotline", _("外地热线")


class Identity(models.TextChoices):
    """When the caller travels whole with a matter; else masked. Where the caller asked for confidence, only in an emergency."""

    ALWAYS = "always", _("总是")
    EMERGENCY = "emergency", _("紧急时")
    AGREED = "agreed", _("来电人同意时")
    NEVER = "never", _("从不")


class Partner(models.Model):
    """The desk of another service. `code` is the name it has in messages (`110.city`), `service` the number people dial,
    `fallback_phone` the line of its desk for when the link is down. `takes_followups`: what it hands back to the first receiver
    behind an outcome is taken without a person having to. Paths of mutual TLS are files on this machine."""

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=10, choices=PartnerKind)
    service = models.CharField(max_length=20, blank=True)
    url = models.CharField(max_length=300, blank=True)
    fallback_phone = models.CharField(max_length=40, blank=True)
    identity = models.CharField(max_length=10, choices=Identity, default=Identity.EMERGENCY)
    emergencies = models.BooleanField(default=False)
    takes_followups = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    ca_file = models.CharField(max_length=300, blank=True)
    certificate_file = models.CharField(max_length=300, blank=True)
    key_file = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            one_of("partner_kind_known", "kind", PartnerKind),
            one_of("partner_identity_known", "identity", Identity),
            models.UniqueConstraint(fields=["service"], condition=~models.Q(service=""), name="partner_of_a_service"),
        ]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class PartnerSecret(models.Model):
    """A secret shared with a partner (`whsec_…`, sealed). While two are valid, messages carry both signatures and either is taken:
    so keys are changed without losing a message."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="secrets")
    secret = models.BinaryField()
    hint = models.CharField(max_length=8)
    valid_from = models.DateTimeField(default=now)
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="partner_secret_ends_after_it_begins",
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from"))),
        ]

    def __str__(self) -> str:
        return self.hint


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


class Mode(models.TextChoices):
    TRANSFER = "transfer", _("移交")
    JOINT = "joint", _("联合处置")


class Basis(models.TextChoices):
    CLEAR = "clear", _("明确属对方职责")
    UNCLEAR = "unclear", _("职责不清")
    EMERGENCY = "emergency", _("紧急")
    RETURNED = "returned", _("交回")
    FOLLOWUP = "followup", _("后续事项")


class Wish(models.TextChoices):
    AGREES = "agrees", _("来电人同意")
    ASKED = "asked", _("来电人要求")
    NOT_ASKED = "not_asked", _("未询问")


class Handover(models.Model):
    """One offer of a matter, one way, and what became of it; `id` is the same on both sides. `state` follows `states.TABLE`;
    `due_at` is when the present state has lasted too long and `alarmed_at` when the desk was told. `payload` holds sealed what a
    partner's offer said (words, caller, place), for the person who decides; it is emptied with the case's words."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    matter = models.ForeignKey(Matter, models.PROTECT, related_name="handovers")
    direction = models.CharField(max_length=3, choices=Direction)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.TRANSFER)
    basis = models.CharField(max_length=9, choices=Basis)
    emergency = models.BooleanField(default=False)
    wish = models.CharField(max_length=9, choices=Wish, default=Wish.NOT_ASKED)
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


class What(models.TextChoices):
    CATEGORY = "category", _("事项")
    RESULT = "result", _("处理结果")
    REFUSAL = "refusal", _("不接收原因")


class Mapping(models.Model):
    """A word of ours and the partner's word for it. Several of ours may be one of theirs; `inbound` is what theirs becomes here, for
    each of theirs at most one."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="mappings")
    what = models.CharField(max_length=10, choices=What)
    ours = models.CharField(max_length=60)
    theirs = models.CharField(max_length=60)
    inbound = models.BooleanField(default=True)

    class Meta:
        constraints = [
            one_of("mapping_what_known", "what", What),
            models.UniqueConstraint(fields=["partner", "what", "ours"], condition=models.Q(inbound=False), name="mapping_of_ours_once"),
            models.UniqueConstraint(fields=["partner", "what", "theirs"], condition=models.Q(inbound=True), name="mapping_of_theirs_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ours} = {self.theirs}"


class MappingChange(models.Model):
    """Who changed what in a partner's mapping. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="mapping_changes")
    what = models.CharField(max_length=10, choices=What)
    inbound = models.BooleanField()
    value = models.CharField(max_length=60)
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [one_of("mapping_change_what_known", "what", What)]

    def __str__(self) -> str:
        return f"{self.value}: {self.before} → {self.after}"


class Unmapped(models.Model):
    """A value that no mapping knew, and how often it was met: the list of what is left to map."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="unmapped")
    what = models.CharField(max_length=10, choices=What)
    inbound = models.BooleanField()
    value = models.CharField(max_length=200)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(default=now)
    last_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            one_of("unmapped_what_known", "what", What),
            models.UniqueConstraint(fields=["partner", "what", "inbound", "value"], name="unmapped_value_once"),
        ]

    def __str__(self) -> str:
        return self.value


class TermList(models.TextChoices):
    REFUSAL = "refusal", _("不接收原因")
    RESULT = "result", _("处理结果")


class Term(models.Model):
    """A word of the city's own lists: why a matter is not taken, how it ended."""

    list = models.CharField(max_length=10, choices=TermList)
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["list", "position", "code"]
        constraints = [
            one_of("term_list_known", "list", TermList),
            models.UniqueConstraint(fields=["list", "code"], name="term_code_once"),
        ]

    @property
    def said(self) -> str:
        """The words in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


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


class JointRule(models.Model):
    """Who takes matters of a category, as both desks agreed. In force from when both have approved until it is ended; `id` is the
    same on both sides."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="rules")
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    category_theirs = models.CharField(max_length=60, blank=True)
    taken_by = models.CharField(max_length=4, choices=Holder)
    words = models.CharField(max_length=2_000, blank=True)
    proposed_by = models.CharField(max_length=4, choices=Holder)
    proposer = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(default=now)
    approved_by_us_at = models.DateTimeField(null=True, blank=True)
    approver = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    approved_by_them_at = models.DateTimeField(null=True, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True)
    rejected_by = models.CharField(max_length=4, choices=Holder, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("joint_rule_taken_by_known", "taken_by", Holder),
            one_of("joint_rule_proposed_by_known", "proposed_by", Holder),
            one_of("joint_rule_rejected_by_known", "rejected_by", Holder, blank=True),
            models.CheckConstraint(
                name="joint_rule_rejected_by_somebody",
                condition=models.Q(rejected_at__isnull=True, rejected_by="")
                | (models.Q(rejected_at__isnull=False) & ~models.Q(rejected_by=""))),
            models.CheckConstraint(
                name="joint_rule_four_eyes",
                condition=models.Q(approver__isnull=True) | models.Q(proposer__isnull=True) | ~models.Q(approver=models.F("proposer"))),
            # One rule of a category with a partner that is in force or might be.
            models.UniqueConstraint(
                fields=["partner", "category"], condition=models.Q(rejected_at__isnull=True, ended_at__isnull=True, category__isnull=False),
                name="joint_rule_one_of_a_category"),
        ]

    @property
    def in_force(self) -> bool:
        return None not in (self.approved_by_us_at, self.approved_by_them_at) and self.rejected_at is None and self.ended_at is None

    def __str__(self) -> str:
        return f"{self.category_id} {self.taken_by}"
