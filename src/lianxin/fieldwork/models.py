"""Grid workers' telephones, what each of them sent, and the pieces of photos that are still under way."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Value
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7


class Device(models.Model):
    """One telephone one grid worker works with. It proves itself by a secret of its own, of which only the SHA-256 is here:
    shutting it out leaves the worker's account and other telephones as they are."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="devices")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8)
    enrolled_at = models.DateTimeField(default=now)
    seen_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=40, blank=True)
    waiting = models.PositiveIntegerField(default=0)
    shut_out_at = models.DateTimeField(null=True, blank=True)
    shut_out_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["staff", "-enrolled_at"], name="device_of_staff")]
        constraints = [
            models.CheckConstraint(
                name="device_shut_out_by_somebody",
                condition=models.Q(shut_out_at__isnull=True, shut_out_by__isnull=True, why="")
                | (models.Q(shut_out_at__isnull=False, shut_out_by__isnull=False) & ~models.Q(why=""))),
        ]

    def __str__(self) -> str:
        return self.name


class ReceiptStatus(models.TextChoices):
    """What the server said to an item: done, done otherwise in the meantime, or not to be taken as it is."""

    ACCEPTED = "accepted", _("已收下")
    CONFLICT = "conflict", _("情况有变，请看一看")
    REFUSED = "refused", _("需要更正")


class Receipt(models.Model):
    """The answer to one item, for ever the same: `id` is the item's, made on the telephone. `digest` is the SHA-256 of what was
    sent, `made_at` the telephone's own clock, `at` the same after the difference of clocks. What a conflict or a refusal could
    not take stays sealed in `body` until the worker has settled it. There is no `device` where a program sent it, with an API
    token of the worker's."""

    id = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="receipts")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    made_at = models.DateTimeField()
    at = models.DateTimeField()
    received_at = models.DateTimeField(default=now)
    status = models.CharField(max_length=10, choices=ReceiptStatus)
    answer = models.JSONField(default=dict)
    body = models.BinaryField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["staff", "-received_at"], name="receipt_of_staff"),
            models.Index(fields=["received_at"], condition=models.Q(body__isnull=False), name="receipt_unsettled"),
            models.Index(fields=["settled_at"], condition=models.Q(settled_at__isnull=False), name="receipt_settled"),
        ]
        constraints = [
            one_of("receipt_status_known", "status", ReceiptStatus),
            models.CheckConstraint(
                name="receipt_keeps_what_was_not_taken",
                condition=models.Q(status="accepted", body__isnull=True, settled_at__isnull=True)
                | (~models.Q(status="accepted") & (models.Q(body__isnull=False, settled_at__isnull=True)
                                                   | models.Q(body__isnull=True, settled_at__isnull=False)))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"


class Upload(models.Model):
    """A file that comes in pieces: `id` is the telephone's. `received` bytes of `size` lie in the pieces' file; when all are
    there, `attachment` is what became of them, or `fault` why they are no file that can be kept."""

    id = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="uploads")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    attachment = models.OneToOneField("cases.Attachment", models.PROTECT, null=True, blank=True, related_name="+")
    fault = models.CharField(max_length=300, blank=True)
    claimed_by = models.UUIDField(null=True, blank=True)  # the item whose file it is

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=models.Q(claimed_by__isnull=True), name="upload_unclaimed")]
        constraints = [
            models.CheckConstraint(name="upload_within_its_size", condition=models.Q(received__lte=models.F("size"))),
            models.CheckConstraint(name="upload_whole_when_kept",
                                   condition=models.Q(attachment__isnull=True) | models.Q(received=models.F("size"))),
            models.CheckConstraint(
                name="upload_kept_or_faulty",
                condition=models.Q(fault="") | models.Q(attachment__isnull=True, received=models.F("size"))),
        ]

    def __str__(self) -> str:
        return self.name


class Cover(models.Model):
    """代班: from the first to the last day, both included, `stand_in` has the grids of `absent` as well as their own; nobody yet where
    it is empty. Arranged by a team lead or head; why somebody is away is nobody's business. A cover that was called off has
    `ended_at`; it held until then."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    absent = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="covered_by")
    stand_in = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="covers")
    starts_on = models.DateField()
    ends_on = models.DateField()
    arranged_at = models.DateTimeField(default=now)
    arranged_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    key = models.BinaryField(max_length=32, null=True, blank=True, unique=True)

    class Meta:
        indexes = [models.Index(fields=["unit", "-starts_on"], name="cover_of_unit")]
        constraints = [
            models.CheckConstraint(name="cover_by_somebody_else",
                                   condition=models.Q(stand_in__isnull=True) | ~models.Q(absent=F("stand_in"))),
            models.CheckConstraint(name="cover_ends_after_it_starts", condition=models.Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="cover_called_off_by_somebody",
                condition=models.Q(ended_at__isnull=True, ended_by__isnull=True)
                | models.Q(ended_at__isnull=False, ended_by__isnull=False)),
            # A range of one number stands for the number: GiST takes ranges without an extension.
            ExclusionConstraint(
                name="cover_one_at_a_time", condition=models.Q(ended_at__isnull=True),
                expressions=[
                    (Func(F("absent"), F("absent"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(F("starts_on"), F("ends_on"), Value("[]"), function="daterange"), RangeOperators.OVERLAPS),
                ]),
        ]

    def __str__(self) -> str:
        return f"{self.absent_id} {self.starts_on}"


class Duty(models.Model):
    """上岗 or 下岗, as the worker said on their own telephone; `id` is the item's. It holds until the day ends. There is nothing
    else about where somebody is, and this is deleted after `LIANXIN_DUTY_DAYS`."""

    id = models.UUIDField(primary_key=True)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+", db_index=False)
    on = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["staff", "-at"], name="duty_of_staff"), models.Index(fields=["at"], name="duty_by_time")]

    def __str__(self) -> str:
        return f"{self.staff_id} {self.on}"
