"""Areas (city → county → town → village → grid), sites, and the city itself."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


class AreaLevel(models.TextChoices):
    CITY = "city", _("市")
    COUNTY = "county", _("县市区")
    TOWN = "town", _("乡镇街道")
    VILLAGE = "village", _("村社区")
    GRID = "grid", _("网格")


class City(models.Model):
    """The one city this installation serves. `settings` is the checked content of `city.yaml`. `grids_version` rises by one with
    every change of grids: processes that hold the areas in memory see by it that they must read again."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    settings = models.JSONField(default=dict)
    loaded_at = models.DateTimeField()
    content_hash = models.CharField(max_length=64, blank=True)
    grids_version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Area(models.Model):
    """One administrative area or grid.

    `code` is the official statistical code (12 digits for a village), or one made by the city for grids and for
    management districts that have none. Coordinates are WGS-84 degrees. `boundary` is a GeoJSON geometry; when
    `synthetic` is true it was derived, not surveyed, and every face that draws it must say so.
    """

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    short_name = models.CharField(max_length=80, blank=True)
    aliases = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    level = models.CharField(max_length=10, choices=AreaLevel)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    county = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    town = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    village = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    boundary = models.JSONField(null=True, blank=True)
    synthetic = models.BooleanField(default=False)
    overlay = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="area_level_known", condition=models.Q(level__in=[level.value for level in AreaLevel])
            ),
            models.CheckConstraint(
                name="area_only_city_without_parent",
                condition=models.Q(level="city", parent__isnull=True) | models.Q(parent__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["level", "code"]), models.Index(fields=["parent", "code"])]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A named place people say on the phone: a road, school, estate, market, park, hospital, station. One that is gone from the
    city's files is no longer `active`: it is not found any more, and what was done there stays."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    area = models.ForeignKey(Area, models.PROTECT, related_name="sites")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    approximate = models.BooleanField(default=True)
    active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["area", "kind"])]

    def __str__(self) -> str:
        return self.name


class GridStep(models.TextChoices):
    LOADED = "loaded", _("随城市文件装入")
    FITTED = "fitted", _("随村界调整")
    SPLIT = "split", pgettext_lazy("grid", "拆分")
    MERGED = "merged", pgettext_lazy("grid", "合并")
    REDRAWN = "redrawn", _("重新画界")
    RENAMED = "renamed", pgettext_lazy("grid", "改名")


# Done by the city's files; the others are done by a person, who says why.
BY_FILES = (GridStep.LOADED, GridStep.FITTED)


class GridChange(models.Model):
    """One change of the grids of a village, whole: what it became is in the `BoundaryVersion` rows that it made. `version` counts
    a village's changes from 1; the first is how the city's files had them. Never altered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    village = models.ForeignKey(Area, models.PROTECT, related_name="grid_changes", db_index=False)
    version = models.PositiveIntegerField()
    step = models.CharField(max_length=10, choices=GridStep)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            one_of("grid_step_known", "step", GridStep),
            models.UniqueConstraint(fields=["village", "version"], name="grid_change_numbered_once"),
            models.CheckConstraint(
                name="grid_change_by_a_person_says_why",
                condition=models.Q(step__in=[step.value for step in BY_FILES], by__isnull=True)
                | (~models.Q(step__in=[step.value for step in BY_FILES]) & models.Q(by__isnull=False) & ~models.Q(why=""))),
        ]

    def __str__(self) -> str:
        return f"{self.village_id} {self.version}"


class BoundaryVersion(models.Model):
    """How a grid was called and where it lay from `valid_from` until `valid_to` (exclusive; empty while it holds). The `change`
    that made it begins it. A row is written once: only its end is filled in, once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    area = models.ForeignKey(Area, models.PROTECT, related_name="boundary_versions", db_index=False)
    change = models.ForeignKey(GridChange, models.PROTECT, related_name="boundaries")
    name = models.CharField(max_length=80)
    boundary = models.JSONField()
    synthetic = models.BooleanField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="boundary_ends_after_it_begins",
                                   condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=F("valid_from"))),
            models.UniqueConstraint(fields=["area", "change"], name="boundary_once_in_a_change"),
            # A range of one number stands for the number: GiST takes ranges without an extension.
            ExclusionConstraint(
                name="boundary_one_at_a_time",
                expressions=[
                    (Func(F("area"), F("area"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (Func(F("valid_from"), F("valid_to"), function="tstzrange"), RangeOperators.OVERLAPS),
                ]),
        ]

    def __str__(self) -> str:
        return f"{self.area_id} {self.valid_from}"
