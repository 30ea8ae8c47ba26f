"""What a person at the desk keeps for themselves: saved filters; and what was taken from the desk: sheets of its lists."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.clock import now


class SavedFilter(models.Model):
    """A board's filter under a name. `shared` ones are seen by the whole unit."""

    staff = models.ForeignKey("organisations.Staff", models.CASCADE, related_name="saved_filters")
    unit = models.ForeignKey("organisations.Unit", models.CASCADE, null=True, related_name="+")
    board = models.CharField(max_length=20)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["staff", "board", "name"], name="saved_filter_name_once")]

    def __str__(self) -> str:
        return self.name


class SheetTaken(models.Model):
    """One list that was taken away as a spreadsheet: who, when, which, narrowed to what, how many rows. Never changed, never deleted
    by the application. Words that were searched for are not noted: they may name somebody."""

    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)
    name = models.CharField(max_length=40)
    narrowed = models.CharField(max_length=300, blank=True)
    rows = models.PositiveIntegerField()
    cut = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["at"], name="sheet_taken_at")]
        constraints = [models.CheckConstraint(name="sheet_taken_says_which", condition=~models.Q(name=""))]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.name}"
