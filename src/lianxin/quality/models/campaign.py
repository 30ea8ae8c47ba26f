"""Callback campaigns: for a time and a part of the work, who is called and who is asked to rate."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7


class Campaign(models.Model):
    """A supervisor's order of callbacks. It is never changed, only ended early, so that its draws can be made again.

    In force from `starts_on` to `ends_on`, both included. `share` is the percentage that is called, 100 everybody; the
    first `minimum` cases of each unit are called in any case. `seed` makes the draw; nothing about a person does. `key`
    names the order, so that the same order sent again makes no second campaign,
    and `asked` is a digest of what was sent with it.
    """

    name = models.CharField(max_length=60)
    starts_on = models.DateField()
    ends_on = models.DateField()
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    county = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    share = models.PositiveSmallIntegerField(default=100)
    minimum = models.PositiveSmallIntegerField(default=0)
    seed = models.CharField(max_length=32)
    key = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    asked = models.BinaryField(max_length=32, null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="campaign_share_is_a_percentage", condition=models.Q(share__lte=100) & ~models.Q(share=0)
            ),
            models.CheckConstraint(
                name="campaign_ends_after_it_starts", condition=models.Q(ends_on__gte=models.F("starts_on"))
            ),
            models.CheckConstraint(
                name="campaign_ended_by_somebody",
                condition=models.Q(ended_at__isnull=True, ended_by__isnull=True)
                | models.Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignDraw(models.Model):
    """What a campaign decided when one round of a case passed review: called, or asked to rate until a time.

    `position` counts the unit's cases within the campaign, from 1. `settled_at` is when the system closed it, or saw that
    there was nothing to close any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="draws")
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="draws")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    drawn = models.BooleanField()
    at = models.DateTimeField()
    rate_until = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round"], name="draw_once_per_round"),
            models.UniqueConstraint(fields=["campaign", "unit", "position"], name="draw_position_once"),
            models.CheckConstraint(
                name="draw_called_or_asked_to_rate",
                condition=models.Q(drawn=True, rate_until__isnull=True) | models.Q(drawn=False, rate_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["rate_until"], condition=models.Q(drawn=False, settled_at__isnull=True), name="draw_to_settle"
            ),
        ]
