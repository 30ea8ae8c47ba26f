"""The care register: people who asked to be looked in on, the visits to them, and who read what.

It is no list of people that somebody else chose: an entry is there because its person asked, for as long as their consent
holds, and goes at once when they take it back. Nothing here refers to a case, and no case to anything here.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

LONGEST_INTERVAL = 92  # days: a quarter of a year
LONGEST_CONSENT = timedelta(days=366)  # a year, a leap one too


class ConsentGiven(models.TextChoices):
    PAPER = "paper", _("本人在同意书上签字")
    SPOKEN = "spoken", _("当面口头同意，有见证人")
    ONLINE = "online", _("本人网上提交")


class Told(models.TextChoices):
    """What the keeper is told of an entry."""

    NOT_AT_HOME = "not_at_home", _("连着两次没见到人")
    NEEDS_HELP = "needs_help", _("走访时需要帮助，已另外登记诉求")


class CareEntry(models.Model):
    """One person who asked to be looked in on, with the consent that holds now.

    `name`, `address`, `phone`, `trusted` (a person of trust and how to reach them), `purpose` (in the person's own words) and
    `witness` (of a spoken consent) are ciphertext bound to this row's id. `due_on` and `absences` (visits in a row that met
    nobody) are what `due.standing` makes of the visits. Until `stand_in_until` the stand-in visits, and not the visitor.
    `told` waits for the keeper until one of them has opened the entry.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    area = models.ForeignKey("places.Area", models.PROTECT, related_name="+")
    name = models.BinaryField()
    address = models.BinaryField()
    phone = models.BinaryField(null=True, blank=True)
    trusted = models.BinaryField(null=True, blank=True)
    purpose = models.BinaryField()
    interval_days = models.PositiveSmallIntegerField()
    visitor = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    stand_in = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    stand_in_until = models.DateField(null=True, blank=True)
    consent_on = models.DateField()
    consent_how = models.CharField(max_length=10, choices=ConsentGiven)
    consent_until = models.DateField()
    witness = models.BinaryField(null=True, blank=True)
    recorded_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=now)
    due_on = models.DateField()
    absences = models.PositiveSmallIntegerField(default=0)
    told = models.CharField(max_length=12, choices=Told, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["unit", "due_on"], name="care_entry_of_unit"),
            models.Index(fields=["visitor", "due_on"], name="care_entry_of_visitor"),
            models.Index(fields=["consent_until"], name="care_entry_consent"),
            models.Index(fields=["unit"], condition=~models.Q(told=""), name="care_entry_told"),
        ]
        constraints = [
            one_of("care_consent_how_known", "consent_how", ConsentGiven),
            one_of("care_told_known", "told", Told, blank=True),
            models.CheckConstraint(
                name="care_consent_at_most_a_year",
                condition=models.Q(consent_until__gte=models.F("consent_on"))
                & models.Q(consent_until__lte=models.F("consent_on") + LONGEST_CONSENT),
            ),
            models.CheckConstraint(
                name="care_spoken_consent_has_a_witness",
                condition=models.Q(consent_how="spoken", witness__isnull=False)
                | (~models.Q(consent_how="spoken") & models.Q(witness__isnull=True)),
            ),
            models.CheckConstraint(
                name="care_interval_in_days",
                condition=models.Q(interval_days__gte=1, interval_days__lte=LONGEST_INTERVAL),
            ),
            models.CheckConstraint(
                name="care_stand_in_has_an_end",
                condition=models.Q(stand_in__isnull=True, stand_in_until__isnull=True)
                | models.Q(stand_in__isnull=False, stand_in_until__isnull=False),
            ),
            models.CheckConstraint(
                name="care_stand_in_is_another",
                condition=models.Q(stand_in__isnull=True) | ~models.Q(stand_in=models.F("visitor")),
            ),
            models.CheckConstraint(
                name="care_told_has_a_time",
                condition=models.Q(told="", told_at__isnull=True) | (~models.Q(told="") & models.Q(told_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CareOutcome(models.TextChoices):
    DONE = "done", _("见到了，都好")
    NOT_AT_HOME = "not_at_home", _("没见到人")
    NEEDS_HELP = "needs_help", _("需要帮助")


class CareVisit(models.Model):
    """One visit. `note` is ciphertext bound to this row's id. Never altered, and gone with its entry."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entry = models.ForeignKey(CareEntry, models.PROTECT, related_name="visits")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=CareOutcome)
    note = models.BinaryField(null=True, blank=True)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["entry", "at"], name="care_visit_of_entry")]
        constraints = [
            one_of("care_outcome_known", "outcome", CareOutcome),
            models.CheckConstraint(name="care_visit_not_in_the_future", condition=models.Q(at__lte=models.F("recorded_at"))),
        ]

    def __str__(self) -> str:
        return self.outcome


class CarePage(models.TextChoices):
    """Where an entry was read."""

    LIST = "list", _("登记名单")
    VISITS = "visits", _("走访页")
    PHONE = "phone", _("走访人的手机")
    ENTRY = "entry", _("打开登记")
    PRINT = "print", _("打印给本人")


# A list is opened and a telephone asks many times a day: one row a day says so.
DAILY = (CarePage.LIST, CarePage.VISITS, CarePage.PHONE)


class CareAccess(models.Model):
    """One look at an entry: who, when, on which page; of lists and telephones the first of a day. Append-only. It outlives
    the entry, of which it holds nothing but the random id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entry_id = models.UUIDField()
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    page = models.CharField(max_length=10, choices=CarePage)
    at = models.DateTimeField(default=now)
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["entry_id", "at"], name="care_access_of_entry")]
        constraints = [
            one_of("care_access_page_known", "page", CarePage),
            models.UniqueConstraint(fields=["entry_id", "staff", "page", "day"],
                                    condition=models.Q(page__in=[one.value for one in DAILY]), name="care_access_daily"),
        ]

    def __str__(self) -> str:
        return self.page


class CareStepKind(models.TextChoices):
    MADE = "made", _("新登记")
    CHANGED = "changed", _("更正")
    GIVEN = "given", _("换走访人")
    RENEWED = "renewed", _("续期")
    WITHDRAWN = "withdrawn", _("本人撤回，已删除")
    LAPSED = "lapsed", _("到期没有续，已删除")


class CareStep(models.Model):
    """That an entry was made, changed, and deleted: when and by whom (nobody: the system), without the person. Append-only,
    and what is left when an entry is gone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entry_id = models.UUIDField()
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=CareStepKind)
    at = models.DateTimeField(default=now)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["entry_id", "id"], name="care_step_of_entry")]
        constraints = [
            one_of("care_step_kind_known", "kind", CareStepKind),
            models.CheckConstraint(
                name="care_step_by_somebody",
                condition=models.Q(kind="lapsed", by__isnull=True) | (~models.Q(kind="lapsed") & models.Q(by__isnull=False)),
            ),
            models.UniqueConstraint(fields=["entry_id"], condition=models.Q(kind="made"), name="care_entry_made_once"),
            models.UniqueConstraint(fields=["entry_id"], condition=models.Q(kind__in=["withdrawn", "lapsed"]),
                                    name="care_entry_ends_once"),
        ]

    def __str__(self) -> str:
        return self.kind
