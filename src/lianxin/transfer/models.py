"""An import of cases that an administrator runs at the desk: its file, its mapping, how far it is and what came of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of
from lianxin.kernel.clock import now
from lianxin.kernel.ids import uuid7


class ImportState(models.TextChoices):
    DRAFT = "draft", _("待核对")
    CHECKING = "checking", _("试运行中")
    CHECKED = "checked", _("试过了")
    IMPORTING = "importing", _("导入中")
    DONE = "done", _("已导入")
    FAILED = "failed", _("没能做完")


RUNNING = (ImportState.CHECKING, ImportState.IMPORTING)


class CaseImport(models.Model):
    """One file. `mapping` is what a mapping file of `lianxin import cases` holds. The file and the rejects lie in the storage until
    `forgotten_at`; what stays are numbers. `tried_at` is when every row was tried with this mapping; `position` counts the
    bytes of `size` that were read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    by = models.ForeignKey("organisations.Staff", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    name = models.CharField(max_length=120)
    suffix = models.CharField(max_length=8)
    size = models.BigIntegerField()
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.DRAFT)
    position = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    reasons = models.JSONField(default=list)
    fault = models.CharField(max_length=500, blank=True)
    tried_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="case_import_at")]
        constraints = [
            one_of("case_import_state_known", "state", ImportState),
            models.CheckConstraint(
                name="case_import_failed_says_why",
                condition=models.Q(state=ImportState.FAILED, fault__gt="") | (~models.Q(state=ImportState.FAILED) & models.Q(fault=""))),
            models.CheckConstraint(
                name="case_import_forgotten_holds_no_words",
                condition=models.Q(forgotten_at__isnull=True) | models.Q(reasons=[], name="", mapping={})),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {self.name}"

    @property
    def running(self) -> bool:
        return self.state in RUNNING

    @property
    def percent(self) -> int:
        """How far it is, in whole per cents of the file."""
        return min(100, self.position * 100 // self.size) if self.size else 100
