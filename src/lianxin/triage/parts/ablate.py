"""`triage ablate FILE`: what each part of the way of learning is worth, and whom the model serves worse."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper

HELP: Final = "variants of the way of learning, each judged out of fold on the same messages"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or .csv.gz with title, detail, category")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the folds (default 0)")
    parser.add_argument("--fairness", action="store_true", help="instead: accuracy by length, without titles, in 繁")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the file (default utf-8-sig; gb18030 for old exports)")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.classify.files import labelled

    held = labelled(options["file"], encoding=options["encoding"])
    (_fairness if options["fairness"] else _variants)(held, options, out)


def _variants(held: Any, options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.classify.ablation import ablate

    names = ("macro_f1", "accuracy", "top3", "accuracy_at_80", "ece")
    if not options["json"]:
        out.write(f"| {'variant':<36} | macro_f1 | ± s.e. | difference | ± s.e. | {' | '.join(names[1:])} | CPU s |")
        out.write("|---" * 10 + "|")
    for row in ablate(held, seed=options["seed"]):
        figures = row.measures.figures
        if options["json"]:
            out.write(json.dumps({
                "variant": row.name, **row.measures.as_json(), "difference": round(row.less, 6),
                "difference_error": round(row.less_error, 6), "cpu_seconds": round(row.seconds, 1)}, ensure_ascii=False))
            continue
        said = [f"{figures['macro_f1'].value:.4f}", f"{figures['macro_f1'].error:.4f}", f"{row.less:+.4f}",
                f"{row.less_error:.4f}", *(f"{figures[name].value:.4f}" for name in names[1:]), f"{row.seconds:.0f}"]
        out.write(f"| {row.name:<36} | {' | '.join(said)} |")
        out.flush()


def _fairness(held: Any, options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.classify.ablation import fairness

    if not options["json"]:
        out.write("| messages | n | accuracy | ± s.e. | mean probability | ece |\n|---|---|---|---|---|---|")
    for one in fairness(held, seed=options["seed"]):
        if options["json"]:
            out.write(json.dumps({"messages": one.name, "n": one.n, "accuracy": round(one.accuracy, 6),
                                  "error": round(one.error, 6), "mean_probability": round(one.sure, 6),
                                  "ece": round(one.ece, 6)}, ensure_ascii=False))
        else:
            out.write(f"| {one.name} | {one.n} | {one.accuracy:.4f} | {one.error:.4f} | {one.sure:.4f} | {one.ece:.4f} |")
