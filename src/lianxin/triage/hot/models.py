"""Hot issues of the city's own cases, as they were last worked out. Of words there is the name alone, made of what several
share; of people the number."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import localdate
from django.utils.translation import pgettext_lazy

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7

DAYS = 28  # days of the trend


class Trend(models.TextChoices):
    """How the last fourteen days compare with the fourteen before: `issues.direction`."""

    NEW = "new", pgettext_lazy("trend", "新出现")
    RISING = "rising", pgettext_lazy("trend", "上升")
    STEADY = "steady", pgettext_lazy("trend", "持平")
    FALLING = "falling", pgettext_lazy("trend", "下降")
    OVER = "over", pgettext_lazy("trend", "已平息")


class HotIssue(models.Model):
    """One matter that several people raised. `cases` counts a master and those merged under it once; `reporters` are different
    people by the keyed hash of their number, counted and not kept, `anonymous` the reports without one, `voices` both.
    `days` are the reports of each of the last `DAYS` days, the last one that of `counted_at`. `lon` and `lat` are WGS-84
    degrees, the middle of its cases. It keeps its id as long as it keeps most of its cases."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    place = models.CharField(max_length=60, blank=True)
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, related_name="+", db_index=False)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, related_name="+", db_index=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, related_name="+", db_index=False)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cases = models.PositiveIntegerField()
    reporters = models.PositiveIntegerField()
    anonymous = models.PositiveIntegerField()
    voices = models.PositiveIntegerField()
    days = ArrayField(models.PositiveIntegerField())
    trend = models.CharField(max_length=8, choices=Trend)
    found_at = models.DateTimeField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("hot_issue_trend_known", "trend", Trend),
            models.CheckConstraint(name="hot_issue_has_a_name", condition=~models.Q(name="")),
            models.CheckConstraint(name="hot_issue_has_cases", condition=models.Q(cases__gte=1)),
            models.CheckConstraint(
                name="hot_issue_voices_add_up", condition=models.Q(voices=models.F("reporters") + models.F("anonymous"))),
            models.CheckConstraint(name="hot_issue_begins_before_it_ends", condition=models.Q(first_at__lte=models.F("last_at"))),
            models.CheckConstraint(name="hot_issue_days_whole", condition=models.Q(days__len=DAYS)),
            models.CheckConstraint(
                name="hot_issue_position_whole_and_on_earth",
                condition=models.Q(lon__isnull=True, lat__isnull=True)
                | models.Q(lon__isnull=False, lat__isnull=False, lon__gte=-180, lon__lte=180, lat__gte=-90, lat__lte=90)),
        ]
        indexes = [models.Index(fields=["-voices", "-id"], name="hot_issue_by_voices")]

    def __str__(self) -> str:
        return self.name

    def as_json(self) -> dict[str, Any]:
        """As the command and the API give it: codes for area, category and unit, dates of the city."""
        return {
            "id": str(self.pk), "name": self.name, "place": self.place, "area": self.area.code if self.area else None,
            "category": self.category.code if self.category else None, "unit": self.unit.code if self.unit else None,
            "lon": self.lon, "lat": self.lat, "first_seen": localdate(self.first_at).isoformat(),
            "last_seen": localdate(self.last_at).isoformat(), "cases": self.cases, "reporters": self.reporters,
            "anonymous": self.anonymous, "days": self.days, "trend": self.trend,
        }


class HotCase(models.Model):
    """A case of a hot issue: one of its own, or a master. A case is of one issue at most."""

    case = models.OneToOneField("cases.Case", models.CASCADE, primary_key=True, related_name="+")
    issue = models.ForeignKey(HotIssue, models.CASCADE, related_name="members")

    def __str__(self) -> str:
        return f"{self.issue_id} {self.case_id}"


class HotSurge(models.Model):
    """A day with more reports than usual of one branch of categories in one county: how many came, how many were to be expected,
    how unlikely that is by chance."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    county = models.ForeignKey("places.Area", models.CASCADE, related_name="+", db_index=False)
    category = models.ForeignKey("cases.Category", models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    count = models.PositiveIntegerField()
    expected = models.FloatField()
    chance = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["county", "category", "day"], name="hot_surge_once"),
            models.CheckConstraint(name="hot_surge_chance_is_one", condition=models.Q(chance__gte=0, chance__lte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.county_id} {self.category_id}"


class HotRun(models.Model):
    """The last working out: cases registered since `since`, `cases` of them looked at, `left_out` older ones not compared anew because
    there were too many. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    since = models.DateTimeField()
    cases = models.PositiveIntegerField()
    left_out = models.PositiveIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="hot_run_one_row", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return str(self.at)
