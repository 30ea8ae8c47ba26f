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


class Dated(models.TextChoices):
    """What the times of a record stand for: the moment itself, or the beginning of the day, week (Monday) or month it was in."""

    EXACT = "exact", _("准确时间")
    DAY = "day", _("当天")
    WEEK = "week", _("当周")
    MONTH = "month", _("当月")


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

    `number` is a reference that says nothing (`references`), for the case's own number and its key tell when it was reported: neither
    the key nor an order by it may leave the house. `case_number` stands only where words were cleared. `area` is what is shown, as
    coarse as `precision` says; `lon` and `lat` belong to it or to the cell, never to the case. `opened_at`, `due_at` and `closed_at`
    are what `dated` says. `category` may be any node of the tree. Words stand here only when the reporter agreed and staff cleared
    them, the answer only when staff cleared it and it still stands. `revision` grows with every change of any record: readers that
    follow ask from there on.
    """

    case = models.OneToOneField("cases.Case", models.CASCADE, primary_key=True, related_name="public_record")
    number = models.CharField(max_length=20, unique=True)
    case_number = models.CharField(max_length=20, blank=True, default="", db_default="")
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
    dated = models.CharField(max_length=8, choices=Dated, default=Dated.MONTH, db_default=Dated.MONTH)
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
            one_of("public_record_dated_known", "dated", Dated),
            models.CheckConstraint(name="public_record_words_cleared",
                                   condition=models.Q(cleared=True) | models.Q(title="", body="", answer="")),
            models.CheckConstraint(name="public_record_exact_when_cleared",
                                   condition=models.Q(cleared=True, dated="exact") & ~models.Q(case_number="")
                                   | models.Q(cleared=False, case_number="") & ~models.Q(dated="exact")),
            models.CheckConstraint(name="public_record_place_whole",
                                   condition=models.Q(lon__isnull=True, lat__isnull=True) | models.Q(lon__isnull=False, lat__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "number"], name="public_record_by_day"),
            models.Index(fields=["county", "-opened_at", "number"], name="public_record_by_county"),
            models.Index(fields=["area", "-opened_at", "number"], name="public_record_by_area"),
            models.Index(fields=["category", "-opened_at", "number"], name="public_record_by_category"),
            models.Index(fields=["case_number"], condition=~models.Q(case_number=""), name="public_record_case_number"),
            models.Index(fields=["revision"], name="public_record_revision"),
            models.Index(fields=["-changed_at", "number"], name="public_record_by_change"),
            models.Index(fields=["lon", "lat"], name="public_record_place"),
        ]


    @property
    def said_number(self) -> str:
        """The number to show: the case's own where it is public, else the reference."""
        return self.case_number or self.number


class Waiting(models.Model):
    """A case that may be public and has no crowd yet: what it would be grouped by. Never shown.

    `village` to `county` and `leaf` to `top` are keys of areas and categories, `day` the city's civil day of registering. `level` is
    the place in `rules.LEVELS` at which a crowd was found and `crowd` which one, until the records of all of it are made together.
    """

    case = models.OneToOneField("cases.Case", models.CASCADE, primary_key=True, related_name="+")
    day = models.DateField()
    village = models.BigIntegerField(null=True)
    town = models.BigIntegerField(null=True)
    county = models.BigIntegerField(null=True)
    leaf = models.BigIntegerField()
    middle = models.BigIntegerField()
    top = models.BigIntegerField()
    level = models.PositiveSmallIntegerField(null=True)
    crowd = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["day"], name="public_waiting_day"),
            models.Index(fields=["crowd"], condition=models.Q(crowd__isnull=False), name="public_waiting_crowd"),
        ]


class Standing(models.Model):
    """How far the log was read into the records; one row. While every case is read, `scan_after` is the last one that was, and `scan_to`
    how far the log counts as read when all are. `late` says that somebody came to wait whose day is over."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    read_to = models.UUIDField(null=True)
    scan_after = models.UUIDField(null=True)
    scan_to = models.UUIDField(null=True)
    late = models.BooleanField(default=False, db_default=False)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="public_standing_one", condition=models.Q(id=1))]
