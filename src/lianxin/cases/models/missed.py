"""Calls that nobody took, and the tries to call back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class MissedCallOutcome(models.TextChoices):
    REACHED = "reached", _("已回拨接通")
    CALLED_AGAIN = "called_again", _("对方又打来了")
    UNREACHED = "unreached", _("多次回拨没有接通")


class MissedCall(models.Model):
    """A call that nobody took. The hotline owes the caller a call back; the number is kept for that alone.

    `phone` is ciphertext bound to this row's id and is emptied with `phone_hash` when retention says so. Calls from one
    number are one entry while it waits, and entries are never counted by number: `rings` is of this entry only. `last_key`
    names the telephone system's last report, so that the same report sent again changes nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    phone = models.BinaryField(null=True, blank=True)
    phone_hash = models.BinaryField(max_length=32, null=True, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    rings = models.PositiveSmallIntegerField(default=1)
    line = models.CharField(max_length=20, blank=True)
    last_key = models.BinaryField(max_length=32, null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=14, choices=MissedCallOutcome, blank=True)
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="missed_calls")
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("missed_call_outcome_known", "outcome", MissedCallOutcome, blank=True),
            models.CheckConstraint(
                name="missed_call_ended_has_an_outcome",
                condition=models.Q(ended_at__isnull=True, outcome="") | (models.Q(ended_at__isnull=False) & ~models.Q(outcome="")),
            ),
            models.CheckConstraint(
                name="missed_call_anonymised_is_empty",
                condition=models.Q(anonymised_at__isnull=True)
                | models.Q(phone__isnull=True, phone_hash__isnull=True, last_key__isnull=True),
            ),
            models.CheckConstraint(
                name="missed_call_waiting_has_a_number",
                condition=models.Q(ended_at__isnull=False) | models.Q(phone__isnull=False, phone_hash__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["phone_hash"], condition=models.Q(ended_at__isnull=True), name="missed_call_one_waiting_of_a_number"
            ),
            models.UniqueConstraint(
                fields=["last_key"], condition=models.Q(last_key__isnull=False), name="missed_call_reported_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["ended_at"], condition=models.Q(ended_at__isnull=False, anonymised_at__isnull=True),
                name="missed_call_to_empty",
            ),
        ]


class MissedCallTryOutcome(models.TextChoices):
    REACHED = "reached", _("已接通")
    NO_ANSWER = "no_answer", _("无人接听")
    BUSY = "busy", _("占线")
    WRONG_NUMBER = "wrong_number", _("号码有误")


class MissedCallTry(models.Model):
    """One try to call back. `key` names the record of it, so that the same record sent again makes no second try."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    missed_call = models.ForeignKey(MissedCall, models.PROTECT, related_name="tries")
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=14, choices=MissedCallTryOutcome)
    key = models.BinaryField(max_length=32, null=True, blank=True, unique=True)

    class Meta:
        constraints = [one_of("missed_call_try_outcome_known", "outcome", MissedCallTryOutcome)]
