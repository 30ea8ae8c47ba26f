"""The facts that figures are counted from: one row per case and round, and how far the log has been read."""

from __future__ import annotations

from django.db import models


class Episode(models.Model):
    """One round of one case, as the ledger's tables say it. Holds no words, no name, no number of any telephone.

    Written by `facts.refresh` alone, from the tables of `cases` and `quality`; everything here can be made again.
    Times are kept rather than verdicts, so that the same row answers for any moment: whether something was missed is
    decided when it is counted. `unit_id` is the last lead unit of the round; a merged case that had none of its own
    has its master's. `revision` is the number of the refresh that last changed the row.
    """

    case_id = models.UUIDField()
    round = models.PositiveSmallIntegerField()
    number = models.CharField(max_length=20)
    latest = models.BooleanField()
    master_id = models.UUIDField(null=True)
    channel = models.CharField(max_length=8)
    kind = models.CharField(max_length=12)
    urgency = models.CharField(max_length=8)
    state = models.CharField(max_length=12)
    outcome = models.CharField(max_length=12, blank=True)
    category_id = models.BigIntegerField(null=True)
    area_id = models.BigIntegerField(null=True)
    town_id = models.BigIntegerField(null=True)
    county_id = models.BigIntegerField(null=True)
    unit_id = models.BigIntegerField(null=True)
    registered_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # The first time the round ended, and as what: closed, declined, withdrawn. A contest or a reopening leaves it.
    ended_at = models.DateTimeField(null=True)
    ended_as = models.CharField(max_length=12, blank=True, default="")

    # The clocks: when each fell due and when it ended. `sign_for` is that of the round's last lead assignment, the
    # later one where it had two; `callback` the round's first.
    sign_for_due_at = models.DateTimeField(null=True)
    sign_for_ended_at = models.DateTimeField(null=True)
    first_contact_due_at = models.DateTimeField(null=True)
    first_contact_ended_at = models.DateTimeField(null=True)
    first_contact_met_at = models.DateTimeField(null=True)
    resolve_due_at = models.DateTimeField(null=True)
    resolve_ended_at = models.DateTimeField(null=True)
    callback_due_at = models.DateTimeField(null=True)
    callback_ended_at = models.DateTimeField(null=True)
    callback_stopped_at = models.DateTimeField(null=True)

    # Counts of the round.
    rulings = models.PositiveSmallIntegerField(default=0)
    rulings_late = models.PositiveSmallIntegerField(default=0)
    dispatches = models.PositiveSmallIntegerField(default=0)
    against_catalogue = models.PositiveSmallIntegerField(default=0)
    returns = models.PositiveSmallIntegerField(default=0)
    sent_back = models.PositiveSmallIntegerField(default=0)
    pauses = models.PositiveSmallIntegerField(default=0)
    extensions = models.PositiveSmallIntegerField(default=0)

    # The reporter's word: the last one of the round, by callback, their own rating, or contesting the closing.
    attempts = models.PositiveSmallIntegerField(default=0)
    reached = models.BooleanField(default=False)
    solved = models.BooleanField(null=True)
    satisfaction = models.CharField(max_length=14, blank=True)

    revision = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id", "round"], name="episode_once")]
        indexes = [
            models.Index(
                fields=["callback_due_at"], condition=models.Q(callback_due_at__isnull=False), name="episode_callback"
            ),
            models.Index(fields=["registered_at"], condition=models.Q(round=1), name="episode_registered"),
            models.Index(fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="episode_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.number}/{self.round}"


class Refresh(models.Model):
    """How far the facts have been read: one row. `read_to` is a lower bound of events that may not be in them yet."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    read_to = models.UUIDField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="refresh_one_row", condition=models.Q(id=1))]
