"""Reports kept as files: what the leading group read is what can be read again, whatever has happened since."""

from __future__ import annotations

from django.db import models

from lianxin.kernel.checks import one_of
from lianxin.kernel.ids import uuid7


class ReportFormat(models.TextChoices):
    HTML = "html", "HTML"
    PDF = "pdf", "PDF"
    DOCX = "docx", "DOCX"


class KeptReport(models.Model):
    """One file of a report on the whole city. `period` is `Period.code`; without `made_by` the schedule made it, once for
    each period. It holds numbers and the names of units, areas and categories, nothing of any person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    period = models.CharField(max_length=30)
    format = models.CharField(max_length=4, choices=ReportFormat)
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    name = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    as_of = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("organisations.Staff", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            one_of("kept_report_format_known", "format", ReportFormat),
            models.UniqueConstraint(fields=["period", "format", "language"], condition=models.Q(made_by__isnull=True),
                                    name="kept_report_scheduled_once"),
        ]
        indexes = [models.Index(fields=["-made_at", "-id"], name="kept_report_recent")]

    def __str__(self) -> str:
        return f"{self.period} {self.format}"
