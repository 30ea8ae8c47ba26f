"""Clocks and what happens to them: limits, suspensions, extensions, and the notices that a running clock sends."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7
from lianxin.organisations.models import WORKING

from .catalogue import Urgency


class ClockKind(models.TextChoices):
    SIGN_FOR = "sign_for", _("签收")
    FIRST_CONTACT = "first_contact", _("首次联系")
    RESOLVE = "resolve", _("办结")
    RULING = "ruling", _("退单裁定")
    EXTENSION = "extension", _("延期答复")
    CALLBACK = "callback", _("回访")
    SUPERVISION = "supervision", _("督办答复")
    HANDOVER = "handover", _("移交答复")
    MISSED_CALL = "missed_call", _("未接来电回拨")


# Still owed; a paused clock is.
RUNNING = models.Q(met_at__isnull=True, stopped_at__isnull=True)


class Clock(models.Model):
    """One promise with a time. `limit_minutes`, `paused_minutes` and `extended_minutes` count in the clock's own
    calendar, and `due_at` is always that many working minutes together after `started_at`.

    A clock is running, paused, met, or stopped (no longer owed, with the event that ended it). It was missed when it was
    met, stopped or is still running after `due_at`. `provisional` says that the calendar of the year it falls due in is
    not published yet. `next_at` is when the sweep has to look at it again, empty when never: it is made from the rows of
    `NoticeRule` and is no part of what the log says.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(
        "cases.Case", models.PROTECT, null=True, blank=True, related_name="clocks", db_index=False
    )
    assignment = models.ForeignKey(
        "cases.Assignment", models.PROTECT, null=True, blank=True, related_name="clocks"
    )
    missed_call = models.ForeignKey(
        "cases.MissedCall", models.PROTECT, null=True, blank=True, related_name="clocks", db_index=False
    )
    kind = models.CharField(max_length=16, choices=ClockKind)
    round = models.PositiveSmallIntegerField(default=1)
    calendar = models.CharField(max_length=20, default=WORKING)
    limit_minutes = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    provisional = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_minutes = models.PositiveIntegerField(default=0)
    extended_minutes = models.PositiveIntegerField(default=0)
    met_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="clock_met_or_stopped",
                condition=models.Q(met_at__isnull=True) | models.Q(stopped_at__isnull=True),
            ),
            models.CheckConstraint(
                name="clock_due_after_start", condition=models.Q(due_at__gte=models.F("started_at"))
            ),
            models.CheckConstraint(
                name="clock_of_a_case_or_of_a_missed_call",
                condition=models.Q(case__isnull=False, missed_call__isnull=True)
                | models.Q(case__isnull=True, missed_call__isnull=False, assignment__isnull=True, kind="missed_call"),
            ),
            models.CheckConstraint(
                name="clock_only_resolve_pauses", condition=models.Q(paused_at__isnull=True) | models.Q(kind="resolve")
            ),
            one_of("clock_kind_known", "kind", ClockKind),
            models.UniqueConstraint(
                fields=["case", "assignment", "kind"],
                condition=models.Q(met_at__isnull=True, stopped_at__isnull=True, case__isnull=False),
                nulls_distinct=False,
                name="clock_one_running_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["missed_call"],
                condition=models.Q(met_at__isnull=True, stopped_at__isnull=True),
                name="clock_one_running_of_a_missed_call",
            ),
        ]
        indexes = [
            # What the sweep reads: the next thing to do, whatever else is open.
            models.Index(
                fields=["next_at"],
                condition=models.Q(met_at__isnull=True, stopped_at__isnull=True, next_at__isnull=False),
                name="clock_next",
            ),
            # What has to be computed again when a year's calendar is published; nearly always empty.
            models.Index(
                fields=["id"],
                condition=models.Q(provisional=True, met_at__isnull=True, stopped_at__isnull=True),
                name="clock_provisional",
            ),
            models.Index(fields=["case", "kind"], name="clock_of_case"),
            # Returns to be ruled on, in the order in which the ruling is due.
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(kind="ruling", met_at__isnull=True, stopped_at__isnull=True),
                name="clock_rulings",
            ),
        ]

    @property
    def running(self) -> bool:
        """Still owed; a paused clock is."""
        return self.met_at is None and self.stopped_at is None

    @property
    def total_minutes(self) -> int:
        """What it has been given in all: limit, extensions and pauses, in its own calendar."""
        return self.limit_minutes + self.extended_minutes + self.paused_minutes


class DutyLimit(models.Model):
    """How long a duty of the hotline's own or of a unit's towards it may take: rulings, answers, callbacks.

    The most specific row in force on the day the clock starts wins: unit, then urgency. `minutes` count in `calendar`.
    """

    duty = models.CharField(max_length=16, choices=ClockKind)
    urgency = models.CharField(max_length=8, choices=Urgency, blank=True)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    calendar = models.CharField(max_length=20, default=WORKING)
    minutes = models.PositiveIntegerField()
    basis = models.CharField(max_length=200, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="duty_limit_positive", condition=models.Q(minutes__gt=0)),
            one_of("duty_limit_duty_known", "duty", ClockKind),
            one_of("duty_limit_urgency_known", "urgency", Urgency, blank=True),
        ]


class NoticeLevel(models.TextChoices):
    REMINDER = "reminder", _("提醒")
    ESCALATION = "escalation", _("超时上报")
    CIRCULAR = "circular", _("通报")


class NoticeTo(models.TextChoices):
    """Who is told. The unit is the one that owes the duty; for the hotline's own duties it is the hotline."""

    OFFICER = "officer", _("承办人")
    UNIT_HEAD = "unit_head", _("单位负责人")
    SUPERVISOR = "supervisor", _("督办员")
    LEADER = "leader", _("领导小组")


class NoticeRule(models.Model):
    """When a running clock tells whom: a row of the city's policy.

    `share_left` (0–1) is the part of the clock's whole time that is left when it speaks; `minutes_after` are working
    minutes of the clock's calendar after its due time. Exactly one of the two is given. `kinds` empty means every kind.
    `armed` says that the running clocks wait for it: their `next_at` was made when it was in force.
    """

    code = models.CharField(max_length=40)
    level = models.CharField(max_length=12, choices=NoticeLevel)
    kinds = ArrayField(models.CharField(max_length=16, choices=ClockKind), default=list, blank=True)
    urgency = models.CharField(max_length=8, choices=Urgency, blank=True)
    share_left = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    minutes_after = models.PositiveIntegerField(null=True, blank=True)
    to = ArrayField(models.CharField(max_length=12, choices=NoticeTo))
    basis = models.CharField(max_length=200, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    armed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="notice_rule_once_a_day"),
            models.CheckConstraint(
                name="notice_rule_before_or_after",
                # Said in so many words: for an empty share the rest comes out as NULL, and that passes a check.
                condition=models.Q(share_left__isnull=False, share_left__gt=0, share_left__lt=1, minutes_after__isnull=True)
                | models.Q(share_left__isnull=True, minutes_after__isnull=False),
            ),
            one_of("notice_rule_level_known", "level", NoticeLevel),
            one_of("notice_rule_urgency_known", "urgency", Urgency, blank=True),
        ]


class Notice(models.Model):
    """What a clock has said, to which unit and which of its people. Once for each rule and due time.

    `unit` owes the duty of the `kind`; `officer` is who has it in hand there, empty while nobody has signed for it. It is
    seen when the first of those it is for has opened it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clock = models.ForeignKey(Clock, models.PROTECT, related_name="notices")
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="notices")
    event_id = models.UUIDField(null=True, blank=True)
    rule = models.CharField(max_length=40)
    level = models.CharField(max_length=12, choices=NoticeLevel)
    kind = models.CharField(max_length=16, choices=ClockKind)
    to = models.CharField(max_length=12, choices=NoticeTo)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    officer = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clock", "rule", "to", "due_at"], name="notice_once"),
            one_of("notice_level_known", "level", NoticeLevel),
            one_of("notice_to_known", "to", NoticeTo),
            one_of("notice_kind_known", "kind", ClockKind),
            models.CheckConstraint(
                name="notice_seen_by_somebody",
                condition=models.Q(seen_at__isnull=True, seen_by__isnull=True)
                | models.Q(seen_at__isnull=False, seen_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "to", "-at"], condition=models.Q(seen_at__isnull=True), name="notice_unseen"),
            models.Index(fields=["level", "-at"], name="notice_of_level"),
            models.Index(fields=["unit", "to", "-at"], name="notice_of_unit"),
            models.Index(fields=["to", "-at"], condition=models.Q(seen_at__isnull=True), name="notice_unseen_of_all"),
            models.Index(fields=["to", "-at"], name="notice_of_all"),
        ]


class SuspensionReason(models.TextChoices):
    """The two lawful reasons."""

    REPORTER = "reporter", _("等诉求人补充")
    OUTSIDE = "outside", _("等外部条件")


class SuspensionEnd(models.TextChoices):
    RESUMED = "resumed", _("单位恢复办理")
    REPORTER_ANSWERED = "reporter_answered", _("诉求人已补充")
    LIFTED = "lifted", _("热线解除")
    LAPSED = "lapsed", _("到期自动恢复")
    ENDED = "ended", _("办理已结束")


class Suspension(models.Model):
    """One pause of a resolve clock: why, who, until when, and how it ended. The words lie with the event."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="suspensions")
    clock = models.ForeignKey(Clock, models.PROTECT, related_name="suspensions")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, related_name="+")
    event_id = models.UUIDField(unique=True)
    reason = models.CharField(max_length=12, choices=SuspensionReason)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended = models.CharField(max_length=20, choices=SuspensionEnd, blank=True)
    ended_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    ended_event_id = models.UUIDField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("suspension_reason_known", "reason", SuspensionReason),
            one_of("suspension_end_known", "ended", SuspensionEnd, blank=True),
            models.UniqueConstraint(
                fields=["clock"], condition=models.Q(ended_at__isnull=True), name="suspension_one_at_a_time"
            ),
            models.CheckConstraint(name="suspension_until_later", condition=models.Q(until__gt=models.F("at"))),
            models.CheckConstraint(
                name="suspension_end_has_a_time",
                condition=models.Q(ended="", ended_at__isnull=True, minutes__isnull=True)
                | (~models.Q(ended="") & models.Q(ended_at__isnull=False, minutes__isnull=False)),
            ),
        ]


class ExtensionDecision(models.TextChoices):
    WAITING = "waiting", _("待批")
    GRANTED = "granted", _("同意")
    REFUSED = "refused", _("不同意")
    LAPSED = "lapsed", _("未批已作废")


class Extension(models.Model):
    """A unit's request for more time, asked before expiry and decided by someone else. `complex` asks for the limits of
    a complex matter; `minutes` are what was asked, `granted_minutes` what was given, in the clock's calendar."""

    Decision = ExtensionDecision

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="extensions")
    clock = models.ForeignKey(Clock, models.PROTECT, related_name="extensions")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, related_name="+")
    event_id = models.UUIDField(unique=True)
    complex = models.BooleanField(default=False)
    minutes = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    due_before = models.DateTimeField()
    decision = models.CharField(max_length=10, choices=ExtensionDecision, default=ExtensionDecision.WAITING)
    granted_minutes = models.PositiveIntegerField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    decision_event_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("extension_decision_known", "decision", ExtensionDecision),
            models.UniqueConstraint(
                fields=["clock"], condition=models.Q(decision="waiting"), name="extension_one_waiting"
            ),
            models.CheckConstraint(
                name="extension_asked_before_expiry", condition=models.Q(asked_at__lte=models.F("due_before"))
            ),
            models.CheckConstraint(
                name="extension_decided_by_another",
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("asked_by")),
            ),
            models.CheckConstraint(
                name="extension_decision_has_a_time",
                condition=models.Q(decision="waiting", decided_at__isnull=True)
                | (~models.Q(decision="waiting") & models.Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="extension_granted_has_minutes",
                condition=models.Q(decision="granted", granted_minutes__isnull=False, granted_minutes__gt=0,
                                   decided_by__isnull=False)
                | (~models.Q(decision="granted") & models.Q(granted_minutes__isnull=True)),
            ),
        ]
