"""Calls as the telephone system tells of them, and the agents who take them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named


class Line(models.Model):
    """One of the hotline's own lines or queues. It is made when the telephone system first names it; `lianxin telephony line` gives
    it a name."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["code"]

    @property
    def said(self) -> str:
        """The name in the reader's language."""
        return named(self.name, self.name_en)

    def __str__(self) -> str:
        return self.name


class CallState(models.TextChoices):
    QUEUED = "queued", _("排队中")
    RINGING = "ringing", _("振铃中")
    TALKING = "talking", _("通话中")
    HELD = "held", _("保持中")
    CONFERENCE = "conference", _("三方通话中")
    TRANSFERRED = "transferred", _("已转出")
    ENDED = "ended", _("已结束")
    MISSED = "missed", _("无人接听")
    ABANDONED = "abandoned", _("未接通，对方已挂断")


WAITING = (CallState.QUEUED, CallState.RINGING)
LIVE = (CallState.TALKING, CallState.HELD, CallState.CONFERENCE)  # an agent has the caller on the telephone
OVER = (CallState.ENDED, CallState.MISSED, CallState.ABANDONED)


class EventKind(models.TextChoices):
    QUEUED = "queued", _("进入排队")
    RINGING = "ringing", _("振铃")
    ANSWERED = "answered", _("接听")
    HELD = "held", _("保持")
    RESUMED = "resumed", _("恢复通话")
    CONFERENCED = "conferenced", _("三方通话")
    TRANSFERRED = "transferred", _("转出")
    RECORDING = "recording", _("录音")
    MISSED = "missed", _("无人接听")
    ABANDONED = "abandoned", _("对方挂断")
    ENDED = "ended", _("结束")


class AgentState(models.TextChoices):
    READY = "ready", _("待接")
    ON_CALL = "on_call", _("通话")
    WRAP_UP = "wrap_up", _("整理")
    PAUSE = "pause", _("小休")


class PauseReason(models.TextChoices):
    REST = "rest", _("休息")
    MEAL = "meal", _("用餐")
    CALL_BACK = "call_back", _("回拨")
    MEETING = "meeting", _("会议")
    TRAINING = "training", _("培训")
    OTHER = "other", _("其他")


class Agent(models.Model):
    """Somebody at a telephone: which extension they sit at, empty when they are at none."""

    staff = models.OneToOneField("organisations.Staff", models.PROTECT, related_name="agent")
    extension = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["extension"], condition=~models.Q(extension=""), name="agent_alone_at_an_extension"),
        ]


class Call(models.Model):
    """One call to the hotline, as its events say. Every column but the number is made again from them (`calls.picture`), so the
    order in which they came does not matter.

    `number` is ciphertext bound to this row's id; it is emptied `LIANXIN_CALL_DAYS` after the call ended, with who took it and with
    the events, and no hash of it is kept: calls cannot be gathered by number. `system_id` is the telephone system's own name
    of the call. `ringing_at` is when it first rang at an agent's, `answered_at` when the first agent answered.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system_id = models.CharField(max_length=64, unique=True)
    line = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=12, choices=CallState)
    number = models.BinaryField(null=True, blank=True)
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="calls")
    began_at = models.DateTimeField()
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    recording = models.CharField(max_length=300, blank=True)
    missed_call = models.ForeignKey("cases.MissedCall", models.PROTECT, null=True, blank=True, related_name="calls")
    emptied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["began_at"], name="call_began"),
            models.Index(fields=["agent"], condition=models.Q(ended_at__isnull=True), name="call_of_agent_now"),
            models.Index(fields=["state"], condition=models.Q(ended_at__isnull=True), name="call_now"),
            models.Index(fields=["ended_at"], condition=models.Q(emptied_at__isnull=True), name="call_to_be_emptied"),
        ]
        constraints = [
            one_of("call_state_known", "state", CallState),
            models.CheckConstraint(
                name="call_over_has_its_end",
                condition=models.Q(state__in=OVER, ended_at__isnull=False) | (~models.Q(state__in=OVER) & models.Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="call_unanswered_was_not_answered",
                condition=~models.Q(state__in=(CallState.MISSED, CallState.ABANDONED)) | models.Q(answered_at__isnull=True),
            ),
            models.CheckConstraint(
                name="call_emptied_is_empty",
                condition=models.Q(emptied_at__isnull=True) | models.Q(number__isnull=True, agent__isnull=True),
            ),
        ]


class CallEvent(models.Model):
    """One thing that the telephone system told of a call. Written once; deleted `LIANXIN_CALL_DAYS` after the call ended.

    `system_id` is the telephone system's own name of the event. `agent` is who sat at the extension when it was told. `to` is
    an extension or a service's short number; longer numbers, which may be people's, are not written down. `digest` is a keyed
    hash of the whole event as it was told.
    """

    system_id = models.CharField(max_length=64, unique=True)
    call = models.ForeignKey(Call, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField()
    told_at = models.DateTimeField(default=now)
    line = models.CharField(max_length=20, blank=True)
    extension = models.CharField(max_length=20, blank=True)
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="+")
    to = models.CharField(max_length=20, blank=True)
    to_agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="+")
    with_number = models.BooleanField(default=False)
    recording = models.CharField(max_length=300, blank=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["call", "at"], name="call_event_of_call")]
        constraints = [one_of("call_event_kind_known", "kind", EventKind)]


class AgentSpell(models.Model):
    """How long somebody at a telephone was in one state. Kept for sums of staffing only: nothing counts them by person, and they
    are deleted after `LIANXIN_AGENT_SPELL_DAYS`, when their half-hours have been counted. `until` is when a wrap-up ends by
    itself."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="spells")
    state = models.CharField(max_length=8, choices=AgentState)
    reason = models.CharField(max_length=10, choices=PauseReason, blank=True)
    call = models.ForeignKey(Call, models.PROTECT, null=True, blank=True, related_name="+")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["began_at"], name="agent_spell_began"),
                   models.Index(fields=["ended_at"], name="agent_spell_ended"),
                   models.Index(fields=["until"], condition=models.Q(ended_at__isnull=True, until__isnull=False), name="agent_spell_until")]
        constraints = [
            one_of("agent_spell_state_known", "state", AgentState),
            one_of("agent_spell_reason_known", "reason", PauseReason, blank=True),
            models.UniqueConstraint(fields=["agent"], condition=models.Q(ended_at__isnull=True), name="agent_in_one_state"),
            models.CheckConstraint(
                name="agent_spell_pause_has_a_reason",
                condition=(models.Q(state=AgentState.PAUSE) & ~models.Q(reason=""))
                | (~models.Q(state=AgentState.PAUSE) & models.Q(reason="")),
            ),
            models.CheckConstraint(
                name="agent_spell_ends_after_it_began",
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("began_at")),
            ),
            models.CheckConstraint(
                name="agent_spell_until_is_of_a_wrap_up", condition=models.Q(until__isnull=True) | models.Q(state=AgentState.WRAP_UP)),
        ]


class HalfHour(models.Model):
    """What half an hour of the hotline was like, by when calls came: counts, and seconds of all operators together. Nobody is in it.

    `offered` are all calls that reached a queue or a telephone, `answered_in_15` those answered within 15 s of coming,
    `abandoned` those whose caller hung up before, `missed` those the system gave up. `talk_seconds` belong to the calls that
    came in this half-hour, whenever they were talked; the other seconds were spent in it.
    """

    begins_at = models.DateTimeField(primary_key=True)
    offered = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    answered_in_15 = models.PositiveIntegerField(default=0)
    abandoned = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    talk_seconds = models.PositiveIntegerField(default=0)
    wrap_up_seconds = models.PositiveIntegerField(default=0)
    ready_seconds = models.PositiveIntegerField(default=0)
    on_call_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["begins_at"]
        constraints = [
            models.CheckConstraint(name="half_hour_answered_were_offered",
                                   condition=models.Q(offered__gte=models.F("answered") + models.F("abandoned") + models.F("missed"))),
            models.CheckConstraint(name="half_hour_in_time_were_answered", condition=models.Q(answered__gte=models.F("answered_in_15"))),
        ]

    @property
    def agents_ready(self) -> float:
        """How many agents waited for calls, on average."""
        return self.ready_seconds / 1800

    @property
    def agents(self) -> float:
        """How many agents were there – waiting, talking or wrapping up – on average."""
        return (self.ready_seconds + self.on_call_seconds + self.wrap_up_seconds) / 1800


class CaseCall(models.Model):
    """A call in which a case was registered or added to. Written once."""

    call = models.ForeignKey(Call, models.PROTECT, related_name="of_cases")
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="calls")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "case"], name="call_of_case_once")]


class NumberReading(models.Model):
    """One look at the number of a call, and for open cases of that number: who, when, from which unit. Never deleted. Which cases were
    found stands with each of them (`cases_identityreading`), and nowhere together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, models.PROTECT, related_name="readings")
    staff = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["staff", "at"], name="number_reading_of_staff")]
