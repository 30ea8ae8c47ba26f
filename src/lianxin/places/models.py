"""Areas (city → county → town → village → grid), sites, and the city itself."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.language import named


class AreaLevel(models.TextChoices):
    CITY = "city", _("市")
    COUNTY = "county", _("县市区")
    TOWN = "town", _("乡镇街道")
    VILLAGE = "village", _("村社区")
    GRID = "grid", _("网格")


class City(models.Model):
    """The one city this installation serves. `settings` is the checked content of `city.yaml`."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    settings = models.JSONField(default=dict)
    loaded_at = models.DateTimeField()
    content_hash = models.CharField(max_length=64, blank=True)

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
    """A named place people say on the phone: a road, school, estate, market, park, hospital, station."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    aliases = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    area = models.ForeignKey(Area, models.PROTECT, related_name="sites")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    approximate = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["area", "kind"])]

    def __str__(self) -> str:
        return self.name
