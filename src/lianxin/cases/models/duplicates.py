"""What people have said about whether two cases are about the same matter."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.clock import now


class Distinct(models.Model):
    """Two cases that somebody has looked at and found to be different matters: they are not suggested to each other
    again. `first` has the smaller id."""

    first = models.ForeignKey("cases.Case", models.PROTECT, related_name="+")
    second = models.ForeignKey("cases.Case", models.PROTECT, related_name="+")
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="distinct_pair_once"),
            models.CheckConstraint(name="distinct_pair_in_order", condition=models.Q(first__lt=models.F("second"))),
        ]
