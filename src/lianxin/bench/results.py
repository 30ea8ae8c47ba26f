"""The one table: what was measured, against what, and whether the bar is met."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `met` is None where the design sets no bar."""

    part: str
    what: str
    ours: str
    against: str = ""
    ratio: str = ""
    bar: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "met" if self.met else "MISSED"


@dataclass(slots=True)
class Results:
    rows: list[Row] = field(default_factory=list)

    def add(self, *rows: Row) -> None:
        self.rows.extend(rows)

    def sort(self, parts: Sequence[str]) -> None:
        """Parts in this order, whatever order they were measured in."""
        self.rows.sort(key=lambda row: parts.index(row.part))

    def show(self, console: Console) -> None:
        table = Table(title="Lianxin bench")
        for name in ("", "what", "measured", "against", "ratio", "bar", ""):
            table.add_column(name, overflow="fold")
        for row in self.rows:
            colour = {True: "green", False: "red", None: ""}[row.met]
            table.add_row(row.part, row.what, row.ours, row.against, row.ratio, row.bar, row.verdict, style=colour)
        console.print(table)

    def markdown(self, at: datetime, seconds: float) -> str:
        lines = [
            f"{at:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.machine()}, Python "
            f"{platform.python_version()}; the run took {seconds / 60:.0f} min.",
            "",
            "| part | what | measured | against | ratio | bar | |",
            "|---|---|---|---|---|---|---|",
            *(f"| {r.part} | {r.what} | {r.ours} | {r.against} | {r.ratio} | {r.bar} | {r.verdict} |"
              for r in self.rows),
        ]
        return "\n".join(lines)

    def write(self, path: Path, at: datetime, seconds: float) -> None:
        """Put the table between the two marks of a Markdown file, made when it is not there."""
        body = path.read_text(encoding="utf-8") if path.exists() else f"# Bench\n\n{BEGIN}\n{END}\n"
        before, _mark, rest = body.partition(BEGIN)
        _old, _mark, after = rest.partition(END)
        path.write_text(f"{before}{BEGIN}\n{self.markdown(at, seconds)}\n{END}{after}", encoding="utf-8")
