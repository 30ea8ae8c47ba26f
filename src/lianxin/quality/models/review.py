"""The hotline's check of a reply, and what it asks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


class Answer(models.TextChoices):
    """How one question of the checklist is answered. Only where the question allows it may it not apply."""

    YES = "yes", _("是")
    NO = "no", _("否")
    NOT_APPLICABLE = "na", _("不适用")


ANSWERS = tuple(Answer.values)


class ChecklistItem(models.Model):
    """One question that a reviewer answers of every reply: a row of the city's `checklist.csv`.

    A row of a category stands for it and everything below it, in place of the row with the same code further up.
    `field_only` asks it of field matters only. A row gone from the file is no longer `active`; its words stay for the
    reviews that answered it.
    """

    code = models.CharField(max_length=24)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    question = models.CharField(max_length=120)
    question_en = models.CharField(max_length=200)
    na_allowed = models.BooleanField(default=False)
    required = models.BooleanField(default=True)
    field_only = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["code", "category"], nulls_distinct=False, name="checklist_item_once"),
        ]

    @property
    def said(self) -> str:
        """The question in the reader's language."""
        return named(self.question, self.question_en)

    def __str__(self) -> str:
        return self.question


class ReviewVerdict(models.TextChoices):
    PASSED = "passed", _("通过")
    SENT_BACK = "sent_back", _("退回重办")


class Review(models.Model):
    """The hotline's check of one reply. A unit never reviews its own. `answers` maps codes of questions to answers."""

    Verdict = ReviewVerdict

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reply = models.OneToOneField("cases.Reply", models.PROTECT, related_name="review")
    event_id = models.UUIDField(unique=True)
    verdict = models.CharField(max_length=10, choices=ReviewVerdict)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    answers = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [one_of("review_verdict_known", "verdict", ReviewVerdict)]
