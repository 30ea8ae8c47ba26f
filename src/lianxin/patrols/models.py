"""Forms and their versions, rounds and the places on them, and what workers made: check-ins and inspections."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.language import named


class Form(models.Model):
    """What is asked at a place: one file of the city's `forms/`. It keeps its code; one gone from the files is no longer
    `active`. Its questions lie with its versions."""

    code = models.CharField(max_length=40, unique=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class FormVersion(models.Model):
    """A form as it was at one time, never changed: answers keep the version they were given to. `definition` is what
    `engine` reads, `digest` its SHA-256 in hexadecimal. The highest `number` is the one that is asked now."""

    form = models.ForeignKey(Form, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=60)
    title_en = models.CharField(max_length=120, blank=True)
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["form", "number"]
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="form_version_once")]

    @property
    def said(self) -> str:
        """The title in the reader's language."""
        return named(self.title, self.title_en)

    def __str__(self) -> str:
        return f"{self.title} {self.number}"


class Round(models.Model):
    """A form to be filled in at certain places again and again: a row of the city's `rounds.csv`.

    `every` days, counted from the last time or from the day before `valid_from`, each place falls due; where that day is
    none of `calendar`'s working days, on the next that is. In force from `valid_from` to the day before `valid_to`.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    form = models.ForeignKey(Form, models.PROTECT, related_name="rounds")
    every = models.PositiveSmallIntegerField()
    calendar = models.CharField(max_length=20)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints = [models.CheckConstraint(name="round_every_day_at_most", condition=models.Q(every__gte=1))]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


def _site_or_area(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(name=name, condition=models.Q(site__isnull=False, area__isnull=True)
                                  | models.Q(site__isnull=True, area__isnull=False))


class RoundPlace(models.Model):
    """One place of a round: a site, or a whole area. Made from the round's row at each load."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="places")
    site = models.ForeignKey("places.Site", models.PROTECT, null=True, blank=True, related_name="+")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            _site_or_area("round_place_is_a_site_or_an_area"),
            models.UniqueConstraint(fields=["round", "site", "area"], nulls_distinct=False, name="round_place_once"),
        ]


class How(models.TextChoices):
    BUTTON = "button", _("按钮")
    QR = "qr", _("扫码")


class CheckIn(models.Model):
    """A worker said where they are, themself and once: at a site, or at a position when there is no site. Nothing is kept of
    the way there. Deleted after `LIANXIN_CHECK_IN_DAYS`. `id` is the item's, made on the telephone; `accuracy` is in metres,
    as the telephone said."""

    id = models.UUIDField(primary_key=True)
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    site = models.ForeignKey("places.Site", models.PROTECT, null=True, blank=True, related_name="+")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    accuracy = models.PositiveIntegerField(null=True, blank=True)
    how = models.CharField(max_length=6, choices=How)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="check_in_at"),
                   models.Index(fields=["site", "-at"], name="check_in_of_site")]
        constraints = [
            one_of("check_in_how_known", "how", How),
            models.CheckConstraint(
                name="check_in_at_a_site_or_a_position",
                condition=models.Q(site__isnull=False, lon__isnull=True, lat__isnull=True, accuracy__isnull=True)
                | models.Q(site__isnull=True, lon__isnull=False, lat__isnull=False)),
            models.CheckConstraint(name="check_in_by_code_at_a_site",
                                   condition=~models.Q(how="qr") | models.Q(site__isnull=False)),
        ]


class Inspection(models.Model):
    """A form filled in at a place. `id` is the item's, made on the telephone. `answers` maps names of questions to what was
    answered: a text, a number, a choice's name, a list of them, or a photo's place among those that were sent. When their time is
    over, `cleared_at` says that words and photos are gone. `case` is the case that a failed point became, where the worker wanted it."""

    id = models.UUIDField(primary_key=True)
    version = models.ForeignKey(FormVersion, models.PROTECT, related_name="inspections")
    site = models.ForeignKey("places.Site", models.PROTECT, null=True, blank=True, related_name="+")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    answers = models.JSONField()
    case = models.OneToOneField("cases.Case", models.PROTECT, null=True, blank=True, related_name="inspection")
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["site", "-at"], name="inspection_of_site"),
            models.Index(fields=["area", "-at"], name="inspection_of_area"),
            models.Index(fields=["at"], condition=models.Q(cleared_at__isnull=True), name="inspection_with_words"),
        ]
        constraints = [_site_or_area("inspection_at_a_site_or_in_an_area")]


class InspectionPhoto(models.Model):
    """A photo of an inspection and the question it answers."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="photos")
    question = models.CharField(max_length=40)
    attachment = models.OneToOneField("cases.Attachment", models.PROTECT, related_name="inspection_photo")

    class Meta:
        ordering = ["id"]
