"""The append-only event log, the words that belong to events, attachments and what is sent to the reporter."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

from .person import RetentionClass


class ActorKind(models.TextChoices):
    STAFF = "staff", _("工作人员")
    REPORTER = "reporter", _("诉求人")
    SYSTEM = "system", _("系统")
    PARTNER = "partner", _("外部系统")


class Event(models.Model):
    """One thing that happened to one case. The table is partitioned by month of `id` (UUIDv7) and never updated.

    `changes` holds every state column the event set: `{"case": {column: value}, "assignments": {id: {…}},
    "clocks": {id: {…}}}`. It holds no words: those lie in `EventText`, which retention may empty, with their
    SHA-256 in `digests` so that a later alteration shows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="events", db_index=False)
    assignment_id = models.UUIDField(null=True, blank=True)
    action = models.CharField(max_length=40)
    at = models.DateTimeField()
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12)
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor = models.ForeignKey(
        "organisations.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    unit = models.ForeignKey(
        "organisations.Unit", models.PROTECT, null=True, related_name="+", db_index=False
    )
    via = models.CharField(max_length=40, blank=True)
    public = models.BooleanField(default=False)
    version = models.PositiveIntegerField()
    changes = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    digests = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [one_of("event_actor_kind_known", "actor_kind", ActorKind)]


class EventText(models.Model):
    """Words that belong to an event. `public` ones may be read by the reporter."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Found by the first columns of the constraint and the index below.
    event = models.ForeignKey(Event, models.PROTECT, related_name="texts", db_index=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="texts", db_index=False)
    field = models.CharField(max_length=30)
    body = models.TextField()
    public = models.BooleanField(default=False)
    retention_class = models.CharField(max_length=12, choices=RetentionClass, default=RetentionClass.WORDS)
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "field"], name="event_text_field_once"),
            one_of("event_text_retention_class_known", "retention_class", RetentionClass),
        ]
        indexes = [models.Index(fields=["case", "field"])]


class AttachmentKind(models.TextChoices):
    PHOTO = "photo", _("照片")
    DOCUMENT = "document", _("文件")
    AUDIO = "audio", _("录音")
    VIDEO = "video", _("视频")


class Attachment(models.Model):
    """A file that belongs to a case, stored by content hash, without the metadata it came with."""

    MediaKind = AttachmentKind

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="attachments")
    event_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=10, choices=AttachmentKind)
    purpose = models.CharField(max_length=20, default="report")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    thumbnail_sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    by_reporter = models.BooleanField(default=False)
    uploaded_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    public = models.BooleanField(default=False)
    upload_key = models.BinaryField(max_length=32, null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    retention_class = models.CharField(
        max_length=12, choices=RetentionClass, default=RetentionClass.ATTACHMENT
    )
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("attachment_kind_known", "kind", AttachmentKind),
            one_of("attachment_retention_class_known", "retention_class", RetentionClass),
        ]
        indexes = [models.Index(fields=["case", "created_at"]), models.Index(fields=["sha256"])]


class PublicVersion(models.Model):
    """What the public may read of a case: words cleared by staff, a place made coarse on purpose. `answer` is the answer that stands,
    as staff cleared it; empty when they did not, or when it stands no more."""

    case = models.OneToOneField("cases.Case", models.PROTECT, primary_key=True, related_name="public_version")
    title = models.CharField(max_length=120)
    body = models.TextField()
    answer = models.TextField(blank=True, default="", db_default="")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    cleared_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    cleared_at = models.DateTimeField(null=True, blank=True)
    retention_class = models.CharField(max_length=12, choices=RetentionClass, default=RetentionClass.WORDS)

    class Meta:
        constraints = [one_of("public_version_retention_class_known", "retention_class", RetentionClass)]


class NotificationStatus(models.TextChoices):
    WAITING = "waiting", _("待发送")
    SENT = "sent", _("已发送")
    FAILED = "failed", _("发送失败")
    NOT_WANTED = "not_wanted", _("未留联系方式")


class Notification(models.Model):
    """A message to the reporter about one event. It names the template and its values, never the person."""

    Status = NotificationStatus

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="notifications")
    event_id = models.UUIDField(unique=True)
    template = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    gateway = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=12, choices=NotificationStatus, default=NotificationStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True, blank=True)
    retention_class = models.CharField(max_length=12, choices=RetentionClass, default=RetentionClass.MESSAGE)

    class Meta:
        constraints = [
            one_of("notification_status_known", "status", NotificationStatus),
            one_of("notification_retention_class_known", "retention_class", RetentionClass),
        ]
