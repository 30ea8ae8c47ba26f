"""The public record: what the rules let anyone know of a case, and nothing else.

Pages, feeds, files, Open311, OGC API – Features and tiles read this table and never the case behind it.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of


class Precision(models.TextChoices):
    """How finely a record says where. `cell` is the centre of an H3 cell of some 75 metres; the others are an area's own position."""

    CELL = "cell", _("约 75 米以内")
    VILLAGE = "village", _("到村（社区）")
    TOWN = "town", _("到乡镇（街道）")
    COUNTY = "county", _("到县（区）")
    CITY = "city", _("只到全市")


class Stage(models.TextChoices):
    """Where a case stands, in words anybody understands."""

    RECEIVED = "received", _("已收到")
    WITH_UNIT = "with_unit", _("单位在办")
    HANDED_OVER = "handed_over", _("已移交其他部门")
    ANSWERED = "answered", _("已答复，正在回访")
    CLOSED = "closed", _("已办结")
    DECLINED = "declined", _("不属于受理范围")


class Record(models.Model):
    """One case as the public may know it. Written by `records` alone, by `rules`; everything here can be made again.

    `area` is what is shown, as coarse as `precision` says; `lon` and `lat` belong to it or to the cell, never to the case. `opened_at`
    and `closed_at` are the beginning of the day or week that is shown, except where words were cleared. Words stand here only when the
    reporter agreed and staff cleared them. `revision` grows with every change of any record: readers that follow ask from there on.
    """

    case = models.OneToOneField("cases.Case", models.CASCADE, primary_key=True, related_name="public_record")
    number = models.CharField(max_length=20, unique=True)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=12, blank=True)
    precision = models.CharField(max_length=8, choices=Precision)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, related_name="+")
    county = models.ForeignKey("places.Area", models.PROTECT, null=True, related_name="+")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    cell = models.BigIntegerField(null=True)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, related_name="+")
    stage = models.CharField(max_length=12, choices=Stage)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    on_time = models.BooleanField(null=True)
    solved = models.BooleanField(null=True)
    cleared = models.BooleanField(default=False)
    title = models.CharField(max_length=120, blank=True)
    body = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    changed_at = models.DateTimeField()
    revision = models.BigIntegerField()

    class Meta:
        constraints = [
            one_of("public_record_precision_known", "precision", Precision),
            one_of("public_record_stage_known", "stage", Stage),
            models.CheckConstraint(name="public_record_words_cleared",
                                   condition=models.Q(cleared=True) | models.Q(title="", body="", answer="")),
            models.CheckConstraint(name="public_record_place_whole",
                                   condition=models.Q(lon__isnull=True, lat__isnull=True) | models.Q(lon__isnull=False, lat__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-case"], name="public_record_newest"),
            models.Index(fields=["county", "-opened_at", "-case"], name="public_record_county"),
            models.Index(fields=["area", "-opened_at", "-case"], name="public_record_area"),
            models.Index(fields=["category", "-opened_at", "-case"], name="public_record_category"),
            models.Index(fields=["revision"], name="public_record_revision"),
            models.Index(fields=["changed_at"], name="public_record_changed"),
            models.Index(fields=["lon", "lat"], name="public_record_place"),
        ]


class Standing(models.Model):
    """How far the log was read into the records; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    read_to = models.UUIDField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="public_standing_one", condition=models.Q(id=1))]
