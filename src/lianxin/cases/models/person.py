"""The reporter, kept apart from the case, and the ledger of who read them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7


class RetentionClass(models.TextChoices):
    """How long personal data is kept after the case ends; the number of days is the setting of that name."""

    REPORTER = "reporter", _("诉求人身份")
    WORDS = "words", _("诉求原文与办理文字")
    ATTACHMENT = "attachment", _("附件")
    LEDGER = "ledger", _("查阅记录")
    MESSAGE = "message", _("发给诉求人的消息")


class Reporter(models.Model):
    """Who raised one case. Every personal field is ciphertext bound to this row's id.

    `phone_hash` is a keyed hash for exact look-up when the same person calls about their own case; it never
    links cases into a profile. One row belongs to one case.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.BinaryField(null=True, blank=True)
    phone = models.BinaryField(null=True, blank=True)
    address = models.BinaryField(null=True, blank=True)
    email = models.BinaryField(null=True, blank=True)
    phone_hash = models.BinaryField(max_length=32, null=True, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    message_consent = models.BooleanField(default=True)
    retention_class = models.CharField(
        max_length=12, choices=RetentionClass, default=RetentionClass.REPORTER
    )
    created_at = models.DateTimeField(default=now)
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash"], condition=models.Q(phone_hash__isnull=False), name="reporter_phone")
        ]
        constraints = [
            one_of("reporter_retention_class_known", "retention_class", RetentionClass),
            models.CheckConstraint(
                name="reporter_anonymised_is_empty",
                condition=models.Q(anonymised_at__isnull=True)
                | models.Q(
                    name__isnull=True, phone__isnull=True, address__isnull=True, email__isnull=True,
                    phone_hash__isnull=True,
                ),
            )
        ]


class IdentityReading(models.Model):
    """One look at a reporter's identity, or at the number of a missed call: who, when, why, which fields. Never deleted by
    the application."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="identity_readings")
    missed_call = models.ForeignKey(
        "cases.MissedCall", models.PROTECT, null=True, blank=True, related_name="identity_readings"
    )
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    why = models.CharField(max_length=200)
    fields = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["case", "at"]), models.Index(fields=["staff", "at"])]
        constraints = [
            models.CheckConstraint(name="identity_reading_says_why", condition=~models.Q(why="")),
            models.CheckConstraint(
                name="identity_reading_of_one_thing",
                condition=models.Q(case__isnull=False, missed_call__isnull=True)
                | models.Q(case__isnull=True, missed_call__isnull=False),
            ),
        ]
