"""Public news to those who asked for it. It is made of the public record alone; an address is sealed and goes with its row."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.publishing.models import Stage


class NewsItem(models.Model):
    """A public record that newly stands at a stage. `id` grows in the order in which it was seen: every follower reads on from there."""

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey("publishing.Record", models.CASCADE, related_name="news", db_index=False)
    stage = models.CharField(max_length=12, choices=Stage)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [one_of("news_stage_known", "stage", Stage)]
        indexes = [models.Index(fields=["record", "-id"], name="news_of_record"), models.Index(fields=["at"], name="news_at")]


class NewsStanding(models.Model):
    """How far the public record was read into the news; one row. `revision` is the record's."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    begun = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(name="news_standing_one", condition=models.Q(id=1))]


class Pace(models.TextChoices):
    AT_ONCE = "at_once", _("有新消息就告诉我")
    DAILY = "daily", _("每天一次，合在一起")


class FollowBy(models.TextChoices):
    EMAIL = "email", _("电子邮件")
    PUSH = "push", _("浏览器通知")


class FollowState(models.TextChoices):
    PENDING = "pending", _("等待确认")
    ACTIVE = "active", pgettext_lazy("subscription", "在用")


class Follow(models.Model):
    """A resident's wish to be told of public news of one area, one category, or both. Deleted when it ends, and with it the address.

    `address` is sealed: an e-mail address, or what a browser's push service asks for as JSON. `read_to` is the last item told;
    `asked` counts the questions mailed within a day, so that nobody's mailbox is filled by others.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    by = models.CharField(max_length=5, choices=FollowBy)
    state = models.CharField(max_length=7, choices=FollowState, default=FollowState.PENDING)
    address = models.BinaryField()
    address_hash = models.BinaryField(max_length=32)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    pace = models.CharField(max_length=7, choices=Pace, default=Pace.DAILY)
    language = models.CharField(max_length=10, default="zh-hans")
    asked_at = models.DateTimeField(default=now)
    asked = models.PositiveSmallIntegerField(default=1, db_default=1)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    read_to = models.BigIntegerField(default=0)
    told_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(default=now)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            one_of("follow_by_known", "by", FollowBy),
            one_of("follow_state_known", "state", FollowState),
            one_of("follow_pace_known", "pace", Pace),
            models.CheckConstraint(name="follow_confirmed_has_a_time",
                                   condition=models.Q(state="active", confirmed_at__isnull=False)
                                   | models.Q(state="pending", confirmed_at__isnull=True)),
            models.UniqueConstraint(fields=["address_hash", "by", "area", "category"], nulls_distinct=False, name="follow_once"),
        ]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(state="active"), name="follow_due"),
                   models.Index(fields=["asked_at"], condition=models.Q(state="pending"), name="follow_pending")]


class Channel(models.Model):
    """Where staff have public news sent for an office: a group in a messenger, a mailing list. `address` is a sealed Apprise URL."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    address = models.BinaryField()
    service = models.CharField(max_length=40)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    pace = models.CharField(max_length=7, choices=Pace, default=Pace.DAILY)
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField(default=now)
    made_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    read_to = models.BigIntegerField(default=0)
    told_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(default=now)
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [one_of("channel_pace_known", "pace", Pace)]

    def __str__(self) -> str:
        return self.name


class PushKey(models.Model):
    """The installation's key towards push services (VAPID, RFC 8292): made once and kept, or every browser would have to ask again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    one = models.BooleanField(default=True, unique=True)
    private = models.BinaryField()
    public = models.CharField(max_length=120)

    class Meta:
        constraints = [models.CheckConstraint(name="push_key_one", condition=models.Q(one=True))]
