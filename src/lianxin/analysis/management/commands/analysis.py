"""`analysis export | figures | verify | on-time`: the city's figures, from the tables and again from the event log."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from lianxin.kernel.errors import DomainError


class Command(BaseCommand):
    help = "The city's figures: export the facts, print a period's, verify them against the event log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        export = parts.add_parser("export", help="bring the facts up to now and write them as Parquet files")
        export.add_argument("--whole", action="store_true", help="read and write everything again")
        figures = parts.add_parser("figures", help="print the figures of a period")
        self._period(figures)
        figures.add_argument("--unit", nargs="?", const="*", default="", metavar="CODE",
                             help="only this unit; without a code, every unit in a row of its own")
        figures.add_argument("--county", nargs="?", const="*", default="", metavar="CODE", help="the same for a county")
        figures.add_argument("--category", nargs="?", const="*", default="", metavar="CODE",
                             help="the same for a category with all below it")
        figures.add_argument("--engine", choices=["postgresql", "duckdb"], default=None,
                             help="where to count (default: LIANXIN_ANALYSIS_ENGINE)")
        figures.add_argument("--as-exported", action="store_true", help="use the facts as they are, without a refresh")
        figures.add_argument("--json", action="store_true", help="everything, as JSON")
        verify = parts.add_parser(
            "verify", help="make a period's facts again from the event log alone and name every difference")
        self._period(verify)
        ontime = parts.add_parser(
            "on-time", help="recompute a file's on-time flag from its open, target and closed times")
        ontime.add_argument("file", type=Path, metavar="FILE", help="CSV as Boston publishes it, or the same as .csv.gz")
        ontime.add_argument("--examples", type=int, default=3, metavar="N", help="cases shown of each difference")
        ontime.add_argument("--json", action="store_true", help="the counts as JSON")

    def _period(self, parser: ArgumentParser) -> None:
        parser.add_argument("--period", required=True, metavar="PERIOD",
                            help="2026-11, 2026-W48, 2026-Q4, 2026 or 2026-11-01..2026-11-15")

    def handle(self, *args: Any, **options: Any) -> None:
        part = options["part"].replace("-", "_")
        try:
            getattr(self, part)(options)
        except DomainError as error:
            raise CommandError(str(error)) from error

    def export(self, options: dict[str, Any]) -> None:
        from lianxin.analysis.export import directory, export

        done = export(whole=options["whole"])
        self.stdout.write(_("读了 %(cases)d 件工单，%(changed)d 轮有变化。") % {
            "cases": done.refreshed.cases, "changed": done.refreshed.changed})
        self.stdout.write(_("%(directory)s：共 %(rows)d 轮，%(size).1f MB，写了 %(written)d 个月，%(kept)d 个月没有变化。") % {
            "directory": directory(), "rows": done.rows, "size": done.size / 1e6, "written": done.written,
            "kept": done.kept})

    def figures(self, options: dict[str, Any]) -> None:
        from lianxin.analysis import printing
        from lianxin.analysis.assemble import report, scope_of
        from lianxin.analysis.periods import Period

        asked = {name: options[name] for name in ("unit", "county", "category")}
        scope = scope_of(**{name: "" if code == "*" else code for name, code in asked.items()})
        rows = tuple(by for by in printing.ORDER if asked[by] == "*")
        made = report(
            Period.of(options["period"]), scope, using=options["engine"], refresh=not options["as_exported"],
            breakdowns=rows or (printing.ORDER if options["json"] else ()), detail=options["json"])
        self.stdout.write(printing.as_json(made) if options["json"] else printing.as_text(made))

    def verify(self, options: dict[str, Any]) -> None:
        from lianxin.analysis.periods import Period
        from lianxin.analysis.verify import verify

        period = Period.of(options["period"])
        found = verify(period)
        for difference in found.differences:
            self.stdout.write(str(difference))
        self.stdout.write(_("%(period)s：%(cases)d 件工单，%(episodes)d 轮，%(events)d 条事件。") % {
            "period": period.code, "cases": found.cases, "episodes": found.episodes, "events": found.events})
        if found.differences:
            raise CommandError(_("与事件日志不一致：%d 处。") % len(found.differences))
        self.stdout.write(_("与事件日志一致。"))

    def on_time(self, options: dict[str, Any]) -> None:
        from lianxin.analysis import boston

        if not options["file"].is_file():
            raise CommandError(_("没有这个文件：%s") % options["file"])
        found = boston.compare(options["file"], examples=options["examples"])
        self.stdout.write(boston.as_json(found) if options["json"] else boston.as_text(found))
