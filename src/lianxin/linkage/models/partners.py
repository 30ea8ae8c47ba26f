"""Desks of other services and the secrets shared with them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


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
