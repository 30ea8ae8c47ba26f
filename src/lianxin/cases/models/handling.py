"""What a unit does with an assignment: contacts, returns, replies. The words lie with their events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7

from .labels import display


class ContactMeans(models.TextChoices):
    PHONE = "phone", _("电话")
    VISIT = "visit", _("上门")
    MEETING = "meeting", _("面谈")
    MESSAGE = "message", _("短信或微信")
    NOT_LEFT = "not_left", _("未留联系方式")


class Contact(models.Model):
    """Proof that the unit spoke with the reporter: when, how, who."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="contacts")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, related_name="contacts")
    event_id = models.UUIDField()
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    means = models.CharField(max_length=10, choices=ContactMeans)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    reached = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contact_not_in_the_future", condition=models.Q(at__lte=models.F("recorded_at"))
            ),
            one_of("contact_means_known", "means", ContactMeans),
        ]


class ReturnRuling(models.TextChoices):
    WAITING = "waiting", _("待裁定")
    UPHELD = "upheld", pgettext_lazy("ruling", "同意退单")
    REJECTED = "rejected", pgettext_lazy("ruling", "驳回退单")
    JOINT = "joint", _("联合裁定")
    LAPSED = "lapsed", _("未裁定已作废")


class Return(models.Model):
    """A unit's objection and the hotline's ruling on it. Every one is counted.

    One whose assignment ended before anyone ruled has lapsed: `ruled_at` and `ruling_event_id` are those of the end,
    `ruled_by` is empty. `unit`, `category` and `rule` say whose return it is, of what, and which rule of the catalogue had
    led the case there (none when it was dispatched otherwise), all as they stood when it was raised. `minutes` is the time
    from then until the ruling, in the working time of the ruling's clock. A joint ruling binds `bound` – the ids of its
    lead unit and assisting units – for the round, and names its legal basis.
    """

    Ruling = ReturnRuling

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="return_ledger")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, related_name="returns")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField(default=1)
    unit = models.ForeignKey("organisations.Unit", models.PROTECT, related_name="+")
    category = models.ForeignKey("cases.Category", models.PROTECT, null=True, blank=True, related_name="+")
    rule = models.ForeignKey("cases.CatalogueRule", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=40)
    suggested_unit = models.ForeignKey("organisations.Unit", models.PROTECT, null=True, blank=True, related_name="+")
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    ruling = models.CharField(max_length=10, choices=ReturnRuling, default=ReturnRuling.WAITING)
    ruled_at = models.DateTimeField(null=True, blank=True)
    ruled_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    ruling_event_id = models.UUIDField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    basis = models.CharField(max_length=300, blank=True)
    bound = ArrayField(models.BigIntegerField(), default=list, blank=True)

    _get_FIELD_display = display

    class Meta:
        constraints = [
            one_of("return_ruling_known", "ruling", ReturnRuling),
            models.CheckConstraint(
                name="return_ruled_took_a_time",
                condition=models.Q(ruling="waiting", minutes__isnull=True)
                | (~models.Q(ruling="waiting") & models.Q(minutes__isnull=False)),
            ),
            models.CheckConstraint(
                name="return_joint_names_basis_and_units",
                condition=(models.Q(ruling="joint", bound__len__gt=1) & ~models.Q(basis=""))
                | (~models.Q(ruling="joint") & models.Q(basis="", bound__len=0)),
            ),
            models.UniqueConstraint(
                fields=["assignment"], condition=models.Q(ruling="waiting"), name="return_one_open_per_assignment"
            ),
            models.CheckConstraint(
                name="return_ruling_has_a_time",
                condition=models.Q(ruling="waiting", ruled_at__isnull=True)
                | (~models.Q(ruling="waiting") & models.Q(ruled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="return_lapsed_is_ruled_by_nobody",
                condition=~models.Q(ruling="lapsed") | models.Q(ruled_by__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["-raised_at", "-id"], name="return_recent"),
            models.Index(fields=["unit", "-raised_at", "-id"], name="return_of_unit"),
        ]


class Reply(models.Model):
    """A unit's result in one round: the public answer and, apart from it, the private note, lie with the event."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="replies")
    assignment = models.ForeignKey("cases.Assignment", models.PROTECT, related_name="replies")
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="+")
    event_id = models.UUIDField(unique=True)
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, related_name="+")
    solved = models.BooleanField()
