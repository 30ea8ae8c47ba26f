"""Orders to one unit about one case, and listed supervision of a matter with its plan, milestones and delisting."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.cases.sayings.supervision import numbered
from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class Level(models.TextChoices):
    REMINDER = "reminder", _("催办")
    WRITTEN = "written", _("督办")
    LISTED = "listed", _("挂牌督办")


class SerialBook(models.Model):
    """The last number given in a year, by level: numbers run without gaps, as in a paper book."""

    level = models.CharField(max_length=10, choices=Level)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "year"], name="serial_book_once"),
            one_of("serial_book_level_known", "level", Level),
        ]


class OrderState(models.TextChoices):
    OPEN = "open", _("待答复")
    ANSWERED = "answered", _("已答复，待认定")
    SETTLED = "settled", _("已解除")
    NOTED = "noted", _("无须答复")
    LAPSED = "lapsed", _("随工单办结")


class Order(models.Model):
    """A reminder or a written supervision to the unit that holds a case. The words lie with the events.

    A reminder asks for no answer. A written one has a clock (`supervision`) and stays open until a supervisor has
    accepted the answer; whichever unit leads the case then owes it. When its case ends, an open one lapses.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    level = models.CharField(max_length=10, choices=Level)
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="orders")
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="orders")
    state = models.CharField(max_length=10, choices=OrderState)
    event_id = models.UUIDField(unique=True)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["level", "year", "serial"], name="order_number_once"),
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(state__in=["open", "answered"]), name="order_one_open_per_case"
            ),
            one_of("order_state_known", "state", OrderState),
            models.CheckConstraint(name="order_level_known", condition=models.Q(level__in=["reminder", "written"])),
            models.CheckConstraint(
                name="order_reminder_asks_no_answer",
                condition=models.Q(level="reminder", state="noted") | models.Q(level="written") & ~models.Q(state="noted"),
            ),
            models.CheckConstraint(
                name="order_answer_has_a_time",
                condition=models.Q(state__in=["open", "noted", "lapsed"], settled_at__isnull=True)
                | models.Q(state="answered", answered_at__isnull=False, settled_at__isnull=True)
                | models.Q(state="settled", settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_settled_by_another",
                condition=models.Q(settled_by__isnull=True) | models.Q(answered_by__isnull=True)
                | ~models.Q(settled_by=models.F("answered_by")),
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "-issued_at"], name="order_of_unit"),
            models.Index(fields=["state", "-issued_at"], name="order_of_state"),
        ]

    @property
    def number(self) -> str:
        """In the reader's language."""
        return numbered(self.level, self.year, self.serial)


class ListingState(models.TextChoices):
    LISTED = "listed", _("已挂牌，待报方案")
    PLANNED = "planned", _("整改中")
    DELISTING = "delisting", _("已申请摘牌")
    DELISTED = "delisted", _("已摘牌")


class Listing(models.Model):
    """A matter under listed supervision, in public: whose it is, who answers for it, what ends it and when.

    Title, criteria, plan and milestones are read by everyone: they name no resident. `leader_name` and `leader_title`
    are those of the official who answers for the matter. `asked` is a digest of what was sent with `key`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField()
    title = models.CharField(max_length=80)
    criteria = models.TextField()
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="listings")
    leader_name = models.CharField(max_length=40)
    leader_title = models.CharField(max_length=80)
    due_on = models.DateField()
    plan = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ListingState, default=ListingState.LISTED)
    version = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    delisted_at = models.DateTimeField(null=True, blank=True)
    delisted_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    finding = models.TextField(blank=True)
    key = models.BinaryField(max_length=32, unique=True, null=True, blank=True)
    asked = models.BinaryField(max_length=32, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="listing_number_once"),
            one_of("listing_state_known", "state", ListingState),
            models.CheckConstraint(
                name="listing_has_criteria", condition=~models.Q(criteria="") & ~models.Q(title="")
            ),
            models.CheckConstraint(
                name="listing_planned_has_a_plan", condition=models.Q(state="listed") | ~models.Q(plan="")
            ),
            models.CheckConstraint(
                name="listing_delisting_was_asked_for",
                condition=models.Q(state__in=["listed", "planned"]) | models.Q(requested_at__isnull=False,
                                                                               requested_by__isnull=False),
            ),
            models.CheckConstraint(
                name="listing_delisted_by_an_independent_person",
                condition=models.Q(delisted_by__isnull=True)
                | (~models.Q(delisted_by=models.F("issued_by")) & ~models.Q(delisted_by=models.F("requested_by"))),
            ),
            models.CheckConstraint(
                name="listing_delisted_has_a_finding",
                condition=models.Q(state="delisted", delisted_at__isnull=False, delisted_by__isnull=False)
                & ~models.Q(finding="")
                | ~models.Q(state="delisted") & models.Q(delisted_at__isnull=True, delisted_by__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["unit", "-issued_at"], name="listing_of_unit")]

    def __str__(self) -> str:
        return self.title

    @property
    def number(self) -> str:
        """In the reader's language."""
        return numbered(Level.LISTED, self.year, self.serial)

    @property
    def progress(self) -> str:
        """Milestones done of all."""
        steps = list(self.milestones.all())
        return f"{sum(one.done_at is not None for one in steps)} / {len(steps)}"


class Milestone(models.Model):
    """One step of the plan, with the day it is promised for. Done is done: with when, who and what shows it."""

    listing = models.ForeignKey(Listing, models.PROTECT, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    proof = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["listing", "position"], name="milestone_position_once"),
            models.CheckConstraint(
                name="milestone_done_has_proof",
                condition=models.Q(done_at__isnull=True, done_by__isnull=True, proof="")
                | models.Q(done_at__isnull=False, done_by__isnull=False) & ~models.Q(proof=""),
            ),
        ]


class ListingCase(models.Model):
    """A case that a listed matter is about."""

    listing = models.ForeignKey(Listing, models.PROTECT, related_name="members")
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="listings")
    event_id = models.UUIDField(unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["listing", "case"], name="listing_case_once")]


class ListingStep(models.TextChoices):
    ISSUE = "issue", _("挂牌")
    PLAN = "plan", _("报方案")
    MILESTONE = "milestone", _("完成节点")
    REQUEST = "request", _("申请摘牌")
    REFUSE = "refuse", _("不同意摘牌")
    CONFIRM = "confirm", _("核实摘牌")
    MOVE = "move", _("调整期限")


class ListingEntry(models.Model):
    """What happened to a listed matter: append-only, in public except for the person's name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="entries")
    step = models.CharField(max_length=10, choices=ListingStep)
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    words = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [one_of("listing_entry_step_known", "step", ListingStep)]
