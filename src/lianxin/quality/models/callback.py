"""What the reporter says of a result: on the telephone, on the tracking page, and after the closing."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class CallbackOutcome(models.TextChoices):
    REACHED = "reached", _("已接通")
    NO_ANSWER = "no_answer", _("无人接听")
    BUSY = "busy", _("占线")
    REFUSED = "refused", _("拒绝回访")
    WRONG_NUMBER = "wrong_number", _("号码有误")


class Satisfaction(models.TextChoices):
    SATISFIED = "satisfied", _("满意")
    BASICALLY = "basically", _("基本满意")
    DISSATISFIED = "dissatisfied", _("不满意")


class CallbackAttempt(models.Model):
    """One try to reach the reporter after a reply. Unreached is unreached: it says nothing about satisfaction.

    `justified` says that a dissatisfied reporter gave a good reason; the reason lies with the event.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="callback_attempts")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=14, choices=CallbackOutcome)
    truthful = models.BooleanField(null=True, blank=True)
    solved = models.BooleanField(null=True, blank=True)
    satisfaction = models.CharField(max_length=14, choices=Satisfaction, blank=True)
    justified = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="callback_answers_only_when_reached",
                condition=models.Q(outcome="reached")
                | models.Q(truthful__isnull=True, solved__isnull=True, satisfaction=""),
            ),
            models.CheckConstraint(
                name="callback_justified_only_when_dissatisfied",
                condition=models.Q(justified__isnull=True) | models.Q(satisfaction="dissatisfied"),
            ),
            one_of("callback_outcome_known", "outcome", CallbackOutcome),
            one_of("callback_satisfaction_known", "satisfaction", Satisfaction, blank=True),
        ]


class Rating(models.Model):
    """The reporter's own verdict on one round, given on the tracking page."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="ratings")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    solved = models.BooleanField()
    satisfaction = models.CharField(max_length=14, choices=Satisfaction)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round"], name="rating_once_per_round"),
            one_of("rating_satisfaction_known", "satisfaction", Satisfaction),
        ]


class Contest(models.Model):
    """A reporter's objection to a closing, once for each round. The words lie with the event."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="contests")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "round"], name="contest_once_per_round")]
