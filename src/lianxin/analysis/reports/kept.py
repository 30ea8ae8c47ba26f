"""Making reports on time, keeping them as files, and forgetting them when their time is over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Final, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotFound

from ..figures import Period
from .compose import compose
from .document import Document
from .files import MEDIA, WRITERS
from .models import KeptReport, ReportFormat
from .source import Asked, gather, last_month, last_week

SHOWN: Final = 60


def path_of(report: KeptReport) -> str:
    """Apart from the folders of attachments, whose contents without a row are swept away."""
    return f"reports/{report.sha256[:2]}/{report.sha256}.{report.format}"


def make(asked: Asked, language: str) -> Document:
    """A report in one language. Raises what `gather` does."""
    with override(language):
        return compose(gather(asked))


def keep(period: Period, *, by: int | None = None, formats: Sequence[str] = ReportFormat.values,
         language: str = "") -> list[KeptReport]:
    """Make a report on the whole city and keep it; `by` is a member of staff, None for the schedule. What the schedule has
    kept already is left as it is, so that running twice makes one. Returns what was made."""
    language = language or settings.LANGUAGE_CODE
    wanted = list(formats)
    if by is None:
        held = set(KeptReport.objects.filter(period=period.code, language=language, made_by__isnull=True)
                   .values_list("format", flat=True))
        wanted = [form for form in wanted if form not in held]
    if not wanted:
        return []
    with override(language):
        material = gather(Asked(period))
        document = compose(material)
    return [one for form in wanted
            if (one := _store(document, period, form, by, material.report.as_of)) is not None]


def _store(document: Document, period: Period, form: str, by: int | None, as_of: datetime) -> KeptReport | None:
    body = WRITERS[form](document)
    report = KeptReport(
        period=period.code, format=form, language=document.language,
        title=document.title, name=f"{document.name}.{form}", size=len(body), sha256=hashlib.sha256(body).hexdigest(),
        as_of=as_of, made_at=now(), made_by_id=by,
    )
    with transaction.atomic():
        if by is None and not _first(report):
            return None
        report.save(force_insert=True)
        # The row last, the file first: a file without a row is a waste, a row without a file a broken promise.
        if not default_storage.exists(path_of(report)):
            default_storage.save(path_of(report), ContentFile(body))
    return report


def _first(report: KeptReport) -> bool:
    """Whether the schedule has not kept this one yet; two workers never both answer yes."""
    from django.db import connection

    key = int(hashlib.sha256(f"report {report.period} {report.format} {report.language}".encode()).hexdigest()[:15], 16)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
    return not KeptReport.objects.filter(period=report.period, format=report.format, language=report.language,
                                         made_by__isnull=True).exists()


def make_due(at: datetime) -> list[KeptReport]:
    """Last week's brief and last month's report, where they have not been made: each Monday and each first of a month, or
    as soon after as a worker runs."""
    today = localdate(at)
    return [report for period in (last_week(today), last_month(today)) for report in keep(period)]


def listed(limit: int = SHOWN) -> list[KeptReport]:
    """The newest first, with who made them."""
    return list(KeptReport.objects.select_related("made_by").order_by("-made_at", "-id")[:limit])


def open_kept(report: KeptReport) -> BinaryIO:
    """Raises NotFound when the storage has lost it."""
    try:
        return cast(BinaryIO, default_storage.open(path_of(report), "rb"))
    except FileNotFoundError:
        raise NotFound(_("这份报告的文件已不再保存，可以重新生成。")) from None


def forget_reports(at: datetime) -> int:
    """Reports whose retention is over: the row, then the file where no other row shows it. Returns how many."""
    stale = list(KeptReport.objects.filter(made_at__lt=at - timedelta(days=settings.LIANXIN_REPORT_DAYS)))
    for report in stale:
        report_path = path_of(report)
        KeptReport.objects.filter(pk=report.pk).delete()
        if not KeptReport.objects.filter(sha256=report.sha256, format=report.format).exists():
            default_storage.delete(report_path)
    return len(stale)


__all__ = ["MEDIA", "forget_reports", "keep", "listed", "make", "make_due", "open_kept", "path_of"]
