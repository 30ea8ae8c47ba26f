"""The case, its assignments and its clocks."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7

from .catalogue import Kind, Urgency
from .labels import display


class Channel(models.TextChoices):
    PHONE = "phone", _("电话")
    WEB = "web", _("网络")
    FIELD = "field", _("网格")
    POLICE = "110", _("110")
    OPEN311 = "open311", _("Open311")
    API = "api", _("接口")
    IMPORT = "import", _("导入")
    SENSOR = "sensor", _("传感器")
    PARTNER = "partner", _("联动单位")


class State(models.TextChoices):
    REGISTERED = "registered", _("待受理")
    ACCEPTED = "accepted", _("待派单")
    DISPATCHED = "dispatched", _("待签收")
    IN_HAND = "in_hand", _("办理中")
    OBJECTED = "objected", _("退单待裁定")
    REPLIED = "replied", _("待审核")
    CALLBACK = "callback", _("待回访")
    MERGED = "merged", _("已并案")
    HANDED_OVER = "handed_over", _("已移交")
    CLOSED = "closed", _("已归档")
    DECLINED = "declined", _("不予受理")
    WITHDRAWN = "withdrawn", _("已撤回")


TERMINAL = (State.CLOSED, State.DECLINED, State.WITHDRAWN)
OPEN_STATES = tuple(state for state in State if state not in TERMINAL)
# The answer is still owed: after the reply the due time only orders the queue. What another service has in hand is owed too:
# the hotline answers for it to whoever raised it.
OWING = (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.HANDED_OVER)
WITH_UNIT = (State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.REPLIED, State.CALLBACK)


class Outcome(models.TextChoices):
    ANSWERED = "answered", _("当场答复")
    SOLVED = "solved", _("已解决")
    EXPLAINED = "explained", _("未解决，已说明原因")
    UNREACHED = "unreached", _("回访未联系上")
    UNASKED = "unasked", _("未抽中回访，也未评价")
    IMPORTED = "imported", _("历史导入")
    SELF_HANDLED = "self_handled", _("网格现场处置")
    HANDED_OVER = "handed_over", _("移交联动单位办结")


class Publication(models.TextChoices):
    PRIVATE = "private", _("不公开")
    REQUESTED = "requested", _("同意公开，待审")
    PUBLIC = "public", _("已公开")
    REFUSED = "refused", _("不予公开")


class AnswerPublication(models.TextChoices):
    """What became of the public answer of a case whose words are public. None while there is no answer, or no public words."""

    WAITING = "waiting", _("答复待审核公开")
    PUBLIC = "public", _("答复已公开")
    KEPT = "kept", _("答复不公开")


class Linkage(models.TextChoices):
    """Where a case stands between this hotline and the desk of another service: offered and not answered, or there."""

    OFFERED = "offered", _("移交中，等对方答复")
    THERE = "there", _("在联动单位")


# Where a case may stand while a desk of another service thinks about it: nothing final is done meanwhile.
BESIDE_AN_OFFER = (State.REGISTERED, State.ACCEPTED, State.DISPATCHED, State.IN_HAND, State.OBJECTED, State.REPLIED)


class Supervised(models.IntegerChoices):
    """The highest level of supervision a case is under."""

    NONE = 0, _("未督办")
    REMINDER = 1, _("催办")
    WRITTEN = 2, _("督办")
    LISTED = 3, _("挂牌督办")


# What is counted of open cases, beside the key of their indexes: standings then read the index alone.
STANDING_COLUMNS = ["lead_unit", "county", "returns", "round", "redone", "paused", "for_supervisor", "supervised"]
_OPEN = models.Q(due_at__isnull=False)
# Somebody has to read words before anyone may: the reporter's, or the answer to words that are public.
TO_PUBLISH = models.Q(publication="requested") | models.Q(answer_publication="waiting")


class Case(models.Model):
    """One matter. `words` are the reporter's own and are never altered (a trigger sees to it).

    The columns under "state" are a cache of the event log: `cases.rebuild` makes them again from the events.
    `lon` and `lat` are WGS-84 degrees, `cell` the H3 cell at resolution 9. `returns` counts the units' objections, `redone`
    the replies that review sent back. `paused` says that the resolve clock stands still, `for_supervisor` that only a
    supervisor decides what comes next, `supervised` under which supervision it is. A merged case has a `master`, and keeps
    it when it was answered with it; `duplicate_count` is how many others were merged under this one and stayed. `linkage` says
    that the case is offered to the desk of another service, or is there; `linked` that it ever had to do with one. `answer_publication`
    says what became of the answer where the words are public (`cases.answers`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=20)
    tracking_digest = models.BinaryField(max_length=32, unique=True)
    channel = models.CharField(max_length=8, choices=Channel)
    title = models.CharField(max_length=200, blank=True)
    words = models.TextField()
    language = models.CharField(max_length=10, default="zh-hans")
    reporter = models.OneToOneField("cases.Reporter", models.PROTECT, null=True, blank=True, related_name="case")
    confidential = models.BooleanField(default=False)
    place_text = models.CharField(max_length=300, blank=True)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    cell = models.BigIntegerField(null=True, blank=True)
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(
        "organisations.Staff", models.PROTECT, null=True, related_name="+", db_index=False
    )
    source_system = models.CharField(max_length=40, blank=True)
    source_id = models.CharField(max_length=120, blank=True)

    # state: a cache of the event log
    state = models.CharField(max_length=12, choices=State, default=State.REGISTERED)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.HELP)
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.NORMAL)
    category = models.ForeignKey(
        "cases.Category", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    area = models.ForeignKey(
        "places.Area", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    county = models.ForeignKey(
        "places.Area", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    lead_unit = models.ForeignKey(
        "organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    unit_ids = ArrayField(models.BigIntegerField(), default=list)
    round = models.PositiveSmallIntegerField(default=1)
    returns = models.PositiveSmallIntegerField(default=0)
    redone = models.PositiveSmallIntegerField(default=0)
    duplicate_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    due_provisional = models.BooleanField(default=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    publication = models.CharField(max_length=10, choices=Publication, default=Publication.PRIVATE)
    answer_publication = models.CharField(max_length=8, choices=AnswerPublication, null=True, blank=True)
    paused = models.BooleanField(default=False)
    for_supervisor = models.BooleanField(default=False)
    supervised = models.PositiveSmallIntegerField(choices=Supervised, default=Supervised.NONE)
    master = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", db_index=False
    )
    linkage = models.CharField(max_length=8, choices=Linkage, blank=True, default="", db_default="")
    linked = models.BooleanField(default=False, db_default=False)
    version = models.PositiveIntegerField(default=1)
    anonymised_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("case_state_known", "state", State),
            one_of("case_kind_known", "kind", Kind),
            one_of("case_urgency_known", "urgency", Urgency),
            one_of("case_channel_known", "channel", Channel),
            one_of("case_outcome_known", "outcome", Outcome, blank=True),
            one_of("case_publication_known", "publication", Publication),
            one_of("case_answer_publication_known", "answer_publication", AnswerPublication),
            models.CheckConstraint(
                name="case_answer_goes_with_words", condition=models.Q(answer_publication__isnull=True) | models.Q(publication="public")
            ),
            models.CheckConstraint(name="case_supervised_known", condition=models.Q(supervised__in=Supervised.values)),
            models.CheckConstraint(
                name="case_merged_has_a_master",
                condition=~models.Q(state="merged") | models.Q(master__isnull=False),
            ),
            models.CheckConstraint(
                name="case_is_not_its_own_master", condition=models.Q(master__isnull=True) | ~models.Q(master=models.F("id"))
            ),
            one_of("case_linkage_known", "linkage", Linkage, blank=True),
            models.CheckConstraint(
                name="case_handed_over_is_there",
                condition=models.Q(state="handed_over", linkage="there") | (~models.Q(state="handed_over") & ~models.Q(linkage="there")),
            ),
            models.CheckConstraint(
                name="case_offered_is_not_ended",
                condition=~models.Q(linkage="offered") | models.Q(state__in=[state.value for state in BESIDE_AN_OFFER]),
            ),
            models.CheckConstraint(
                name="case_with_a_partner_is_linked", condition=models.Q(linkage="") | models.Q(linked=True)
            ),
            models.CheckConstraint(
                name="case_pauses_in_hand", condition=models.Q(paused=False) | models.Q(state="in_hand")
            ),
            models.CheckConstraint(
                name="case_with_a_unit_has_a_lead_unit",
                condition=~models.Q(state__in=[state.value for state in WITH_UNIT])
                | models.Q(lead_unit__isnull=False),
            ),
            models.CheckConstraint(
                name="case_ended_has_a_time",
                condition=models.Q(state__in=[state.value for state in TERMINAL], closed_at__isnull=False)
                | (~models.Q(state__in=[state.value for state in TERMINAL]) & models.Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="case_closed_has_an_outcome",
                condition=(models.Q(state="closed") & ~models.Q(outcome=""))
                | (~models.Q(state="closed") & models.Q(outcome="")),
            ),
            models.CheckConstraint(
                name="case_position_whole_and_on_earth",
                condition=models.Q(lon__isnull=True, lat__isnull=True)
                # Said in so many words: for half a position the rest comes out as NULL, and that passes a check.
                | models.Q(lon__isnull=False, lat__isnull=False, lon__gte=-180, lon__lte=180, lat__gte=-90, lat__lte=90),
            ),
            models.CheckConstraint(
                name="case_accepted_has_a_time",
                condition=models.Q(state__in=["registered", "declined", "withdrawn"])
                | models.Q(accepted_at__isnull=False),
            ),
            models.UniqueConstraint(fields=["number"], name="case_number_once"),
            models.UniqueConstraint(
                fields=["source_system", "source_id"],
                condition=~models.Q(source_id=""),
                name="case_source_once",
            ),
        ]
        indexes = [
            # Queues hold open cases only: what is closed leaves them, so they stay as small as the work in hand.
            # What standings count lies beside the key, so that counting reads the index alone.
            models.Index(
                fields=["state", "due_at", "id"], include=STANDING_COLUMNS, condition=_OPEN, name="case_queue",
            ),
            models.Index(
                fields=["state", "due_at", "id"], condition=models.Q(urgency="urgent"), name="case_urgent_queue"
            ),
            models.Index(fields=["lead_unit", "state", "due_at", "id"], condition=_OPEN, name="case_unit_queue"),
            models.Index(
                fields=["county", "state", "due_at", "id"], condition=_OPEN, name="case_county_queue",
                include=[name for name in STANDING_COLUMNS if name != "county"],
            ),
            models.Index(fields=["-id"], condition=_OPEN, name="case_open"),
            # Lists of everything, newest first, narrowed by one thing.
            models.Index(fields=["category", "-id"], name="case_category"),
            models.Index(fields=["lead_unit", "-id"], condition=models.Q(lead_unit__isnull=False), name="case_of_unit"),
            models.Index(fields=["county", "-id"], condition=models.Q(county__isnull=False), name="case_of_county"),
            models.Index(fields=["area", "-registered_at"], condition=models.Q(area__isnull=False), name="case_of_area"),
            models.Index(fields=["-id"], condition=models.Q(urgency="urgent"), name="case_urgent"),
            models.Index(fields=["-id"], condition=models.Q(returns__gt=0), name="case_returned"),
            models.Index(fields=["-id"], include=["returns"], condition=models.Q(round__gt=1), name="case_reopened"),
            models.Index(
                fields=["-id"], include=["round"], condition=models.Q(urgency="urgent", returns__gt=0),
                name="case_urgent_returned",
            ),
            models.Index(
                fields=["channel", "-id"], condition=~models.Q(channel__in=["phone", "web"]), name="case_channel"
            ),
            models.Index(
                fields=["state", "-id"], condition=models.Q(state__in=["declined", "withdrawn"]), name="case_not_taken"
            ),
            models.Index(fields=["-registered_at", "-id"], name="case_recent"),
            models.Index(fields=["master"], condition=models.Q(master__isnull=False), name="case_duplicates"),
            models.Index(
                fields=["registered_by", "-id"],
                condition=models.Q(registered_by__isnull=False),
                name="case_registered_by",
            ),
            models.Index(
                fields=["due_at", "id"], condition=models.Q(linkage="offered"), name="case_offered"
            ),
            models.Index(
                fields=["cell", "-registered_at"], condition=models.Q(cell__isnull=False), name="case_cell"
            ),
            models.Index(
                fields=["-closed_at", "-id"], condition=models.Q(publication="public"), name="case_public"
            ),
            models.Index(fields=["id"], condition=TO_PUBLISH, name="case_to_publish"),
            models.Index(
                fields=["closed_at"], include=["lead_unit", "county"], condition=models.Q(outcome="unreached"),
                name="case_unreached",
            ),
        ]

    _get_FIELD_display = display
    # The assignment that a unit's list shows the case with. Set here so that templates need not search for it.
    task: Assignment | None = None
    # When the ruling is due, in the list of returns to be ruled on.
    ruling_due: datetime | None = None

    def __str__(self) -> str:
        return self.number

    @property
    def owes(self) -> bool:
        """Whether time runs for an answer that is still owed."""
        return self.state in OWING and not self.paused

    def overdue_at(self, at: datetime) -> bool:
        """Whether an answer that is owed is late, as `queries.OWED` says it to the database."""
        return self.owes and self.due_at is not None and self.due_at < at


class AssignmentRole(models.TextChoices):
    LEAD = "lead", _("主办")
    ASSIST = "assist", _("协办")


class AssignmentState(models.TextChoices):
    ASSIGNED = "assigned", _("待签收")
    IN_HAND = "in_hand", _("办理中")
    OBJECTED = "objected", _("退单待裁定")
    HANDLED = "handled", _("已答复")
    ENDED = "ended", _("已结束")


class Assignment(models.Model):
    """One unit's part in one case. Never deleted; a redispatch ends it and makes another."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, models.PROTECT, related_name="assignments", db_index=False)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=8, choices=AssignmentRole)
    state = models.CharField(max_length=10, choices=AssignmentState, default=AssignmentState.ASSIGNED)
    officer = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    assigned_at = models.DateTimeField()
    assigned_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    rule = models.ForeignKey("cases.CatalogueRule", models.SET_NULL, null=True, blank=True, related_name="+")
    against_catalogue = models.BooleanField(default=False)

    _get_FIELD_display = display

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(role="lead", ended_at__isnull=True),
                name="assignment_one_lead_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["case", "unit"],
                condition=models.Q(ended_at__isnull=True),
                name="assignment_unit_once_at_a_time",
            ),
            one_of("assignment_state_known", "state", AssignmentState),
            one_of("assignment_role_known", "role", AssignmentRole),
            models.CheckConstraint(
                name="assignment_ended_has_a_time",
                condition=models.Q(state="ended", ended_at__isnull=False)
                | (~models.Q(state="ended") & models.Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assignment_signed_before_handled",
                condition=models.Q(handled_at__isnull=True) | models.Q(signed_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["unit", "state", "due_at", "id"],
                condition=models.Q(ended_at__isnull=True),
                name="assignment_unit_open",
            ),
            models.Index(fields=["case", "assigned_at"], name="assignment_of_case"),
        ]


class Submission(models.Model):
    """Remembers a key sent with a write, so that the same write sent again does nothing and answers the same."""

    key = models.BinaryField(primary_key=True, max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    case = models.ForeignKey(Case, models.PROTECT, related_name="+", db_index=False)
    event_id = models.UUIDField()
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["at"])]
