"""Answers an operator can read out: articles, their versions, what they are found by, and what is said against them.

An article is a code and its versions. A version never changes what it says: who edits writes the next one. One version of an
article is in use at a time, approved by somebody other than its author; one draft at a time waits to be.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class Article(models.Model):
    """One answer through all its versions. Withdrawn ones, of which no version is in use, keep their history and their code."""

    code = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.code


class VersionState(models.TextChoices):
    DRAFT = "draft", _("草稿，待审定")
    APPROVED = "approved", _("在用")
    REPLACED = "replaced", _("已被新版取代")
    DROPPED = "dropped", _("没有采用")
    WITHDRAWN = "withdrawn", _("已撤下")


class Version(models.Model):
    """What an article says, from one hand. `valid_until` is the last day it holds, `review_by` the day until which its unit
    vouches for it. Without an author it came from the city's files, which are decided outside; everything written at the desk
    is approved by another person. `public` versions are read by everybody, others by staff only."""

    article = models.ForeignKey(Article, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=160)
    questions = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    keywords = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    answer = models.TextField()
    basis = models.TextField(blank=True)
    source = models.CharField(max_length=200, blank=True)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="articles")
    area = models.ForeignKey("places.Area", models.PROTECT, null=True, blank=True, related_name="articles")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="articles")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    review_by = models.DateField(null=True, blank=True)
    public = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    written_at = models.DateTimeField()
    written_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    key = models.BinaryField(max_length=32, unique=True, null=True, blank=True)

    answered = 0  # cases that it answered, as `queries.history` counts them

    class Meta:
        ordering: ClassVar[list[Any]] = ["article_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="article_version_number_once"),
            models.UniqueConstraint(fields=["article"], condition=Q(state="approved"), name="article_one_version_in_use"),
            models.UniqueConstraint(fields=["article"], condition=Q(state="draft"), name="article_one_draft"),
            one_of("article_version_state_known", "state", VersionState),
            models.CheckConstraint(
                name="article_version_says_something", condition=~Q(title="") & ~Q(answer="")),
            models.CheckConstraint(
                name="article_version_approved_by_another",
                condition=Q(state__in=["draft", "dropped"]) | Q(written_by__isnull=True)
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("written_by"))),
            models.CheckConstraint(
                name="article_version_decision_has_a_time",
                condition=Q(state="draft", decided_at__isnull=True, decided_by__isnull=True)
                | ~Q(state="draft") & Q(decided_at__isnull=False)),
            models.CheckConstraint(
                name="article_version_ended_has_a_time",
                condition=Q(state__in=["replaced", "withdrawn"], ended_at__isnull=False)
                | Q(state__in=["draft", "approved", "dropped"], ended_at__isnull=True, ended_by__isnull=True)),
            models.CheckConstraint(
                name="article_version_valid_for_a_day",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from"))),
        ]

    def __str__(self) -> str:
        return self.title

    def in_force(self, on: date) -> bool:
        """Whether it may be suggested on a day, as `queries.in_force` asks the database."""
        return (self.state == VersionState.APPROVED and self.valid_from <= on
                and (self.valid_until is None or self.valid_until >= on)
                and (self.review_by is None or self.review_by >= on))


class SynonymGroup(models.Model):
    """Words that mean one thing to who asks, from the city's `knowledge/synonyms.yaml`: each finds what the others find."""

    words = ArrayField(models.CharField(max_length=40))

    def __str__(self) -> str:
        return " ".join(self.words)


class Term(models.Model):
    """One entry of the index: a gram of two characters, or with `whole` a word of the city's own, and how much it says of the
    version that stands under it. Made when a version comes into use, gone with it; see `index`."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="terms")
    term = models.CharField(max_length=40)
    whole = models.BooleanField(default=False)
    weight = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "whole", "term"], name="article_term_once"),
            models.CheckConstraint(name="article_term_weighs", condition=Q(weight__gt=0)),
        ]
        indexes = [models.Index(fields=["term"], include=["version", "weight", "whole"], name="article_term_found"),
                   models.Index(fields=["version"], condition=Q(whole=True), name="article_term_whole")]


class Use(models.Model):
    """A case was answered with a version: `event_id` is the event that says so."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="uses")
    event_id = models.UUIDField(unique=True)
    at = models.DateTimeField()


class Fault(models.TextChoices):
    WRONG = "wrong", _("说错了")
    OUTDATED = "outdated", _("过时了")
    UNCLEAR = "unclear", _("看不懂")


class ReportState(models.TextChoices):
    OPEN = "open", _("待处理")
    CORRECTED = "corrected", _("已改")
    KEPT = "kept", _("不用改，已说明")


class Report(models.Model):
    """Somebody says that a version is wrong or outdated. The owner unit owes an answer by `due_at`: a corrected version, or the
    reason why it stays. Without `reported_by` a resident said it, who is not asked who they are; their words are emptied when
    their retention ends (`words`, counted from the answer)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(Version, models.PROTECT, related_name="reports")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    fault = models.CharField(max_length=10, choices=Fault)
    words = models.TextField()
    reported_at = models.DateTimeField()
    reported_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    calendar = models.CharField(max_length=20)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReportState, default=ReportState.OPEN)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    corrected = models.ForeignKey(Version, models.PROTECT, null=True, blank=True, related_name="corrects")
    key = models.BinaryField(max_length=32, unique=True, null=True, blank=True)

    class Meta:
        constraints = [
            one_of("article_report_fault_known", "fault", Fault),
            one_of("article_report_state_known", "state", ReportState),
            models.CheckConstraint(name="article_report_due_after_it", condition=Q(due_at__gt=F("reported_at"))),
            models.CheckConstraint(
                name="article_report_answered_how",
                condition=Q(state="open", answered_at__isnull=True, answer="", corrected__isnull=True)
                | Q(state="corrected", answered_at__isnull=False, corrected__isnull=False)
                | Q(state="kept", answered_at__isnull=False, corrected__isnull=True) & ~Q(answer="")),
        ]
        indexes = [models.Index(fields=["unit", "due_at"], condition=Q(state="open"), name="article_report_waits")]


class Moment(models.TextChoices):
    REPORTED = "reported", _("有人反映")
    REMINDER = "reminder", _("快到期")
    OVERDUE = "overdue", _("已逾期")


class Notice(models.Model):
    """What the unit that owes the answer to a report was told: once for each moment. Seen when the first of those it is for has
    opened it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    report = models.ForeignKey(Report, models.PROTECT, related_name="notices")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    moment = models.CharField(max_length=10, choices=Moment)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "moment"], name="article_notice_once"),
            one_of("article_notice_moment_known", "moment", Moment),
            models.CheckConstraint(
                name="article_notice_seen_by_somebody",
                condition=Q(seen_at__isnull=True, seen_by__isnull=True) | Q(seen_at__isnull=False, seen_by__isnull=False)),
        ]
        indexes = [models.Index(fields=["unit", "-at"], name="article_notice_of_unit")]
