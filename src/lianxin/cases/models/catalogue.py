"""Categories, time limits and the dispatch catalogue: data a city edits, dated and versioned."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named
from lianxin.organisations.models import WORKING

from .labels import display


class Kind(models.TextChoices):
    ENQUIRY = "enquiry", _("咨询")
    SUGGESTION = "suggestion", _("建议")
    HELP = "help", _("求助")
    COMPLAINT = "complaint", _("投诉")
    REPORT = "report", _("举报")


class Urgency(models.TextChoices):
    NORMAL = "normal", _("一般")
    URGENT = "urgent", _("紧急")


class Publicity(models.TextChoices):
    """How finely the public record says where a matter of a category is. A matter of public space may be shown where it lies; one
    that says something of people is only counted."""

    CELL = "cell", _("公共空间的事：到约 75 米")
    AREA = "area", _("到村（社区）或更大范围")
    COUNT = "count", _("只计数，不逐件公开")


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
    publicity = models.CharField(max_length=8, choices=Publicity, default=Publicity.AREA, db_default=Publicity.AREA)

    class Meta:
        indexes = [models.Index(fields=["parent", "code"])]
        constraints = [
            one_of("category_publicity_known", "publicity", Publicity),
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


class CatalogueSource(models.TextChoices):
    FILES = "files", _("城市文件")
    PROPOSAL = "proposal", _("修改建议")
    RESTORED = "restored", _("恢复旧版")


class CatalogueVersion(models.Model):
    """One dated version of the dispatch catalogue. Versions are never edited; a change makes the next one.

    Triggers refuse every alteration, rules added later, and a version in force before the one it follows. Only the first
    may be in force from before it was made: nothing was in force before it.
    """

    Source = CatalogueSource

    number = models.PositiveIntegerField(unique=True)
    in_force_from = models.DateTimeField()
    created_at = models.DateTimeField(default=now)
    created_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=10, choices=CatalogueSource, default=CatalogueSource.FILES)
    restores = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=1000, blank=True)
    content_hash = models.CharField(max_length=64)

    _get_FIELD_display = display

    class Meta:
        constraints = [
            one_of("catalogue_source_known", "source", CatalogueSource),
            models.CheckConstraint(
                name="catalogue_version_never_retroactive",
                condition=models.Q(number=1) | models.Q(in_force_from__gte=models.F("created_at")),
            ),
            models.CheckConstraint(
                name="catalogue_version_of_the_desk_has_a_maker",
                condition=models.Q(source="files") | models.Q(created_by__isnull=False),
            ),
            models.CheckConstraint(
                name="catalogue_version_restored_says_what",
                condition=(models.Q(source="restored", restores__isnull=False) & ~models.Q(note=""))
                | (~models.Q(source="restored") & models.Q(restores__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class CatalogueDecision(models.TextChoices):
    WAITING = "waiting", _("待审定")
    APPROVED = "approved", _("已采纳")
    REFUSED = "refused", _("未采纳")


class CatalogueProposal(models.Model):
    """A change of one rule that somebody asks for: category × area → lead unit, assisting units, basis, and why.

    `base` is the newest version as the proposer saw it, `returned` the return whose ruling it follows from, if any. It is
    decided by another person; when approved, `version` is the version made of it. A decided one is never altered.
    """

    Decision = CatalogueDecision

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    base = models.ForeignKey(CatalogueVersion, models.PROTECT, related_name="+")
    category = models.ForeignKey(Category, models.PROTECT, related_name="+")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="+")
    lead_unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    assisting_units = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    basis = models.CharField(max_length=300)
    why = models.CharField(max_length=1000)
    returned = models.ForeignKey("cases.Return", models.PROTECT, null=True, blank=True, related_name="proposals")
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=CatalogueDecision, default=CatalogueDecision.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=1000, blank=True)
    version = models.OneToOneField(
        CatalogueVersion, models.PROTECT, null=True, blank=True, related_name="proposal"
    )
    key = models.BinaryField(max_length=32, null=True, blank=True, unique=True)

    _get_FIELD_display = display

    class Meta:
        constraints = [
            one_of("catalogue_proposal_decision_known", "decision", CatalogueDecision),
            models.CheckConstraint(
                name="catalogue_proposal_says_why", condition=~models.Q(basis="") & ~models.Q(why="")
            ),
            models.CheckConstraint(
                name="catalogue_proposal_decided_by_another",
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="catalogue_proposal_decision_has_a_time",
                condition=models.Q(decision="waiting", decided_at__isnull=True, decided_by__isnull=True)
                | (~models.Q(decision="waiting") & models.Q(decided_at__isnull=False, decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="catalogue_proposal_approved_made_a_version",
                condition=models.Q(decision="approved", version__isnull=False)
                | (~models.Q(decision="approved") & models.Q(version__isnull=True)),
            ),
            models.CheckConstraint(
                name="catalogue_proposal_refused_says_why",
                condition=~models.Q(decision="refused") | ~models.Q(reason=""),
            ),
            models.UniqueConstraint(
                fields=["category", "area"], condition=models.Q(decision="waiting"), nulls_distinct=False,
                name="catalogue_proposal_one_waiting_of_a_kind",
            ),
        ]
        indexes = [models.Index(fields=["-proposed_at", "-id"], name="catalogue_proposal_recent")]

    @property
    def waiting(self) -> bool:
        return self.decision == CatalogueDecision.WAITING


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
