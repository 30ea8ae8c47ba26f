"""Categories, time limits and the dispatch catalogue: data a city edits, dated and versioned."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.language import named
from lianxin.organisations.models import WORKING


class Kind(models.TextChoices):
    ENQUIRY = "enquiry", _("咨询")
    SUGGESTION = "suggestion", _("建议")
    HELP = "help", _("求助")
    COMPLAINT = "complaint", _("投诉")
    REPORT = "report", _("举报")


class Urgency(models.TextChoices):
    NORMAL = "normal", _("一般")
    URGENT = "urgent", _("紧急")


class Category(models.Model):
    """A node of the category tree. Only leaves carry cases; `code` is a prefix code (2-2-2 digits)."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    plain_name = models.CharField(max_length=60, blank=True)
    plain_name_en = models.CharField(max_length=120, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    level = models.PositiveSmallIntegerField()
    is_leaf = models.BooleanField(default=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.HELP)
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.NORMAL)
    field_matter = models.BooleanField(default=False)
    complex_allowed = models.BooleanField(default=False)
    quick_topic = models.PositiveSmallIntegerField(null=True, blank=True)
    keywords = models.JSONField(default=dict, blank=True)
    added = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["parent", "code"])]
        constraints = [
            one_of("category_kind_known", "kind", Kind),
            one_of("category_urgency_known", "urgency", Urgency),
        ]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class Track(models.TextChoices):
    ORDINARY = "ordinary", _("普通")
    COMPLEX = "complex", _("疑难")
    REOPENED = "reopened", _("重办或督办")


class TimeLimit(models.Model):
    """How long each duty may take. The most specific row in force on the day wins (category, then kind, urgency, unit).

    A row of one unit counts from the dispatch to it, and never moves the date a reporter was given to a later one.

    `sign_for`, `first_contact` and `resolve` are minutes of `calendar`, the code of a calendar. Under `working` signing
    counts in the working time of the unit that owes it; what the reporter was promised in the city's own.
    """

    Case = Track

    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="time_limits")
    kind = models.CharField(max_length=12, choices=Kind, blank=True)
    urgency = models.CharField(max_length=8, choices=Urgency, blank=True)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    track = models.CharField(max_length=10, choices=Track, default=Track.ORDINARY)
    calendar = models.CharField(max_length=20, default=WORKING)
    sign_for = models.PositiveIntegerField()
    first_contact = models.PositiveIntegerField()
    resolve = models.PositiveIntegerField()
    basis = models.CharField(max_length=200, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="time_limit_positive",
                condition=models.Q(sign_for__gt=0, first_contact__gt=0, resolve__gt=0),
            ),
            one_of("time_limit_kind_known", "kind", Kind, blank=True),
            one_of("time_limit_urgency_known", "urgency", Urgency, blank=True),
            one_of("time_limit_track_known", "track", Track),
        ]


class CatalogueVersion(models.Model):
    """One dated version of the dispatch catalogue. Versions are never edited; a change makes the next one."""

    number = models.PositiveIntegerField(unique=True)
    in_force_from = models.DateTimeField()
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"v{self.number}"


class CatalogueRule(models.Model):
    """category × area → lead unit and assisting units. An empty category or area means any."""

    version = models.ForeignKey(CatalogueVersion, models.CASCADE, related_name="rules")
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, related_name="+")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    lead_unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    assisting_units = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    basis = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "category", "area", "valid_from"],
                nulls_distinct=False,
                name="catalogue_rule_once_per_version",
            )
        ]


class PhraseList(models.TextChoices):
    DECLINE_ROUTE = "decline_route", _("法定途径")
    RETURN_REASON = "return_reason", _("退单理由")


class Phrase(models.Model):
    """A choice from a city's list: lawful routes for a decline, reasons for a return."""

    List = PhraseList

    list = models.CharField(max_length=20, choices=PhraseList)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=160, blank=True)
    words = models.TextField(blank=True)
    words_en = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["list", "code"], name="phrase_code_once"),
            one_of("phrase_list_known", "list", PhraseList),
        ]
        ordering = ["list", "position", "code"]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name
