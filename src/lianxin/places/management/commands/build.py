"""`lianxin build areas DIR`: make a city's area table now, without loading it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from lianxin.places.loading import Problem, read, settings_of, table_folder


class Command(BaseCommand):
    help = "Build a city's areas.csv and boundaries.geojsonl from official names and county boundaries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["areas"])
        parser.add_argument("directory", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        directory: Path = options["directory"].resolve()
        if not (directory / "city.yaml").is_file():
            raise CommandError(_("%s 里没有 city.yaml") % directory)
        problems: list[Problem] = []
        began = time.monotonic()
        settings = settings_of(directory)
        folder = table_folder(directory, settings, lambda *fault: problems.append(Problem(*fault)))
        files = read(directory, settings, lambda *fault: problems.append(Problem(*fault)))
        if problems or folder is None:
            for problem in dict.fromkeys(problems):
                self.stderr.write(f"{problem.file}:{problem.line} {problem.reason}")
            raise CommandError(_("%d 处有错，没有生成") % len(dict.fromkeys(problems)))
        counts: dict[str, int] = {}
        for level in files.levels.values():
            counts[level] = counts.get(level, 0) + 1
        made = ", ".join(f"{count} {level}" for level, count in counts.items())
        self.stdout.write(f"{folder}: {made}, {len(files.tables.sites)} sites, {time.monotonic() - began:.1f} s")
