"""`triage train FILE --out MODEL`: learn categories from labelled messages."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP: Final = "learn categories from labelled messages and write a model file"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or .csv.gz with title, detail, category, perhaps part")
    parser.add_argument("--out", type=Path, required=True, metavar="MODEL", help="the file to write")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the split (default 0)")
    parser.add_argument("--everything", action="store_true",
                        help="learn from every row, whatever its part; calibrate out of fold")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the file (default utf-8-sig; gb18030 for old exports)")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.classify.files import labelled
    from lianxin.triage.classify.model_file import save
    from lianxin.triage.classify.training import train

    held = labelled(options["file"], encoding=options["encoding"])
    if held.left_out:
        out.write(_("有 %d 行没有文字或没有类别，没有用。") % held.left_out)
    done = train(held, seed=options["seed"], everything=options["everything"])
    size = save(done.classifier, options["out"])
    out.write(_("学了 %(count)d 条诉求、%(labels)d 个类别，写入 %(path)s，%(size).1f MB。") % {
        "count": done.classifier.examples, "labels": len(done.classifier.labels), "path": options["out"], "size": size / 1e6})
    from ._measured import written

    out.write(_("在没有学过的 %d 条上：") % done.measures.n)
    for line in written(done.measures):
        out.write(line)
