"""Who takes what, as both desks agreed."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

from .matters import Holder
from .partners import Partner


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
