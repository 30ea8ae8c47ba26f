"""Answers an operator can read out."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Article(models.Model):
    """One answer: the questions it answers, what to say, and on what basis, until when it may be trusted."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=160)
    questions = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    keywords = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    answer = models.TextField()
    basis = models.TextField(blank=True)
    source = models.CharField(max_length=200, blank=True)
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="articles")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="articles")
    valid_from = models.DateField()
    review_by = models.DateField(null=True, blank=True)
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title
