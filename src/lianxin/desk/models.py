"""What a person at the desk keeps for themselves: saved filters."""

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
