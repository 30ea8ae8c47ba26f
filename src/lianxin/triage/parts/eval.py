"""`triage eval FILE --model MODEL`: how well a model reads messages whose category is known."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP: Final = "measure a model on labelled messages"


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV or .csv.gz with title, detail, category, perhaps part")
    parser.add_argument("--model", type=Path, required=True, metavar="MODEL", help="a file that `triage train` wrote")
    parser.add_argument("--part", dest="only", default="", metavar="PART", help="only rows of this part (default: every row)")
    parser.add_argument("--splits", action="store_true",
                        help="instead: how often a split is offered, on messages as they are and on pairs of two")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the file (default utf-8-sig; gb18030 for old exports)")


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from lianxin.triage.classify import load
    from lianxin.triage.classify.evaluate import evaluate, splits
    from lianxin.triage.classify.files import labelled

    from ._measured import written

    classifier = load(options["model"])
    held = labelled(options["file"], encoding=options["encoding"])
    if options["splits"]:
        found = splits(classifier, held, part=options["only"])
        if options["json"]:
            out.write(json.dumps(asdict(found)))
            return
        out.write(_("%(n)d 条诉求里，%(offered)d 条会提示拆分。") % {"n": found.n, "offered": found.offered})
        out.write(_("两条不同类别的接在一起，%(pairs)d 对里提示 %(pairs_offered)d 对，其中 %(cut_right)d 对拆出的正是这两类。")
                  % asdict(found))
        return
    done = evaluate(classifier, held, part=options["only"])
    if options["json"]:
        out.write(json.dumps(done.as_json(), ensure_ascii=False))
        return
    for line in written(done.measures):
        out.write(line)
    out.write("")
    out.write(_("不敢定的（低于 %(sure).2f）：%(share).1f%%；敢定的里对的：%(right).1f%%。") % {
        "sure": done.sure, "share": 100 * done.abstained, "right": 100 * done.right_of_the_rest})
    if done.seen:
        out.write(_("注意：其中 %d 条是这个模型学过的，结果因此偏好。") % done.seen)
    if done.unknown:
        out.write(_("模型没学过的类别，都算错：%s。") % "、".join(done.unknown))
