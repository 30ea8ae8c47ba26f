"""核查: the hotline asks a grid worker of the place, who had no part in it, to look whether a matter was handled."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.ids import uuid7

OPEN = models.Q(answered_at__isnull=True, withdrawn_at__isnull=True)  # asked for, and neither answered nor withdrawn


class Check(models.Model):
    """One look at one case. `round` is the case's when it was asked for; `handled` is what the worker saw, empty until they
    answer. One that was given to somebody else, or is not needed any more, is withdrawn. The words lie with the events."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="checks")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+", db_index=False)
    worker = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="checks", db_index=False)
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer_event_id = models.UUIDField(null=True, blank=True, unique=True)
    handled = models.BooleanField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["worker", "due_at"], name="check_open_of_worker",
                         condition=OPEN),
            models.Index(fields=["-answered_at"], name="check_answered", condition=models.Q(answered_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["case"], name="check_one_open_per_case",
                                    condition=OPEN),
            models.CheckConstraint(
                name="check_answer_whole",
                condition=models.Q(answered_at__isnull=True, answer_event_id__isnull=True, handled__isnull=True)
                | models.Q(answered_at__isnull=False, answer_event_id__isnull=False, handled__isnull=False)),
            models.CheckConstraint(name="check_answered_or_withdrawn",
                                   condition=models.Q(answered_at__isnull=True) | models.Q(withdrawn_at__isnull=True)),
            models.CheckConstraint(name="check_not_by_who_asked", condition=~models.Q(worker=models.F("asked_by"))),
        ]

    @property
    def open(self) -> bool:
        return self.answered_at is None and self.withdrawn_at is None
