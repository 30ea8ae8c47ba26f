"""`triage learn`: a model from the city's training texts and its own closed cases, kept as the next version."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP: Final = "learn from the city's training texts and its own closed cases; the model is kept as the next version"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("--texts", type=Path, metavar="DIR", help="directory of CSV files with title, detail, category")
    parser.add_argument("--cases", type=int, default=20_000, metavar="N", help="so many of the newest closed cases (default 20000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the folds (default 0)")
    parser.add_argument("--use", action="store_true", help="put it in force at once")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.learnt import learn

    model = learn(texts=options["texts"], cases=max(0, options["cases"]), seed=options["seed"], use=options["use"])
    out.write(_("第 %(number)d 版：%(source)s，%(categories)d 个事项，%(size).1f MB。") % {
        "number": model.number, "source": model.source, "categories": model.categories, "size": model.size / 1e6})
    out.write("  ".join(f"{name} {value:.3f}" for name, value in model.measured.items() if name != "n"))
    if not model.in_force:
        out.write(_("还没有用上：lianxin triage use %d") % model.number)
