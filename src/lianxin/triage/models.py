"""What was learnt, and what became of what it offered."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class LearntModel(models.Model):
    """One trained model, never altered. The file lies in the data directory under its own hash; at most one is in force."""

    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the file
    size = models.PositiveIntegerField()  # bytes
    source = models.CharField(max_length=200)  # what it was trained on, in the words of who trained it
    examples = models.PositiveIntegerField()
    categories = models.PositiveIntegerField()
    seed = models.IntegerField()
    measured = models.JSONField(default=dict)  # accuracy, macro_f1, top3, ece, accuracy_at_80 on what was held back
    kept_at = models.DateTimeField()
    in_force = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["in_force"], condition=models.Q(in_force=True), name="learnt_model_one_in_force"),
        ]

    def __str__(self) -> str:
        return str(self.number)


class What(models.TextChoices):
    """What is offered while a case is taken."""

    CATEGORY = "category", _("事项")
    AREA = "area", _("地点")
    URGENCY = "urgency", _("紧急")
    SAME = "same", _("同一件事")
    ARTICLE = "article", _("知识")


class Offer(models.Model):
    """One thing that was offered while a case was taken, and what was chosen in the end: the first of it, another, or
    nothing. It says how good the offers are, so it names no person: neither who took the case nor who reported it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="+")
    at = models.DateTimeField()
    what = models.CharField(max_length=10, choices=What.choices)
    model = models.ForeignKey(LearntModel, models.PROTECT, null=True, related_name="+")  # null: rules of the city
    offered = ArrayField(models.CharField(max_length=60))  # codes, best first
    probability = models.FloatField(null=True)  # of the first, 0…1, where a model said it
    chosen = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            one_of("offer_what_known", "what", What),
            models.UniqueConstraint(fields=["case", "what"], name="offer_once"),
            models.CheckConstraint(condition=models.Q(probability__isnull=True) | models.Q(probability__gte=0, probability__lte=1),
                                   name="offer_probability_is_one"),
        ]
        indexes = [models.Index(fields=["what", "at"], name="offer_by_time")]

    def __str__(self) -> str:
        return f"{self.what} {self.chosen}"
