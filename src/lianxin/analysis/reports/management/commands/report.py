"""`lianxin report weekly|monthly|quarterly|yearly|period`: a report as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError

KINDS: Final = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year", "period": "custom"}


class Command(BaseCommand):
    help = "Make a report as a file: the last whole week, month, quarter or year, or a period you name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(KINDS))
        parser.add_argument("--period", default="", metavar="PERIOD",
                            help="2026-11, 2026-W48, 2026-Q4, 2026 or 2026-11-01..2026-11-15, both days in it")
        parser.add_argument("--unit", default="", metavar="CODE", help="only what this unit led")
        parser.add_argument("--county", default="", metavar="CODE", help="only this county")
        parser.add_argument("--category", default="", metavar="CODE", help="only this category with all below it")
        parser.add_argument("--format", choices=["html", "pdf", "docx", "xlsx"], default="pdf")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES],
                            default=settings.LANGUAGE_CODE)
        parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="where to write it (default: a name of its own, here)")

    def handle(self, *args: Any, **options: Any) -> None:
        from lianxin.analysis.reports.files import WRITERS
        from lianxin.analysis.reports.kept import make

        try:
            document = make(self._asked(options), options["language"])
            body = WRITERS[options["format"]](document)
        except DomainError as error:
            raise CommandError(str(error)) from error
        out: Path = options["out"] or Path(f"{document.name}.{options['format']}")
        try:
            out.write_bytes(body)
        except OSError as error:
            raise CommandError(_("写不进 %(file)s：%(reason)s") % {"file": out, "reason": error.strerror}) from error
        self.stdout.write(f"{out}: {document.title}, {document.subtitle}, {len(body) / 1000:.0f} kB")

    def _asked(self, options: dict[str, Any]) -> Any:
        from lianxin.analysis.figures import Period, PeriodKind
        from lianxin.analysis.reports.source import Asked, last_of

        kind = PeriodKind(KINDS[options["what"]])
        if not options["period"]:
            if kind is PeriodKind.CUSTOM:
                raise CommandError(_("请用 --period 说明统计期。"))
            period = last_of(kind, localdate(now()))
        else:
            period = Period.of(options["period"])
            if kind is not PeriodKind.CUSTOM and period.kind is not kind:
                raise CommandError(_("%(period)s 不是这种报告的统计期。") % {"period": period.code})
        return Asked(period, unit=options["unit"], county=options["county"], category=options["category"])
