"""`triage measure-leaves`: how well rules, model and both together read the leaves of the city's tree."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

HELP: Final = "measure rules, model and both on labelled texts, out of fold; the city has to be loaded, nothing is written"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("--texts", type=Path, required=True, metavar="DIR", help="directory of CSV files with title, detail, category")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the folds (default 0)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.learnt import written
    from lianxin.triage.leaves import measure

    examples = written(options["texts"])
    if not examples:
        raise Invalid(_("没有可以学的：没有训练文字，也没有办结的工单。"))
    rows = measure(examples, seed=options["seed"])
    if options["json"]:
        out.write(json.dumps({row.name: {name: {"mean": round(mean, 6), "error": round(error, 6)}
                                         for name, mean, error in row.told()} for row in rows}, ensure_ascii=False))
        return
    names = list(rows[0].folds)
    out.write(f"| {'read by':<26} | {' | '.join(names)} |")
    out.write("|---" * (len(names) + 1) + "|")
    for row in rows[:-1]:
        out.write(f"| {row.name:<26} | " + " | ".join(f"{mean:.4f} ± {error:.4f}" for _name, mean, error in row.told()) + " |")
    out.write("")
    for name, mean, error in rows[-1].told():
        out.write(f"{name}: {mean:.4f} ± {error:.4f}")
