"""`triage hot FILE`: hot issues in a stream of messages, without a database."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

HELP = "Find matters that many people raise in a CSV of messages (id, title, detail; reporter and created if it has them)."


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE.csv[.gz]")
    parser.add_argument("--json", action="store_true", help="print the clusters as JSON, with the ids of their messages")
    parser.add_argument("--top", type=_positive, metavar="N", help="only the N clusters with most distinct reporters")
    parser.add_argument("--least", type=_positive, default=2, metavar="N", help="messages a cluster must have (2)")
    parser.add_argument("--state", type=Path, metavar="FILE",
                        help="go on from this file if it is there, and write it: what was found before stays as it was")
    parser.add_argument("--districts", default="", metavar="A,B", help="names of the city's districts")
    parser.add_argument("--topics", type=Path, metavar="FILE.csv",
                        help="measure against hand-made topics (id, topic, half) instead of printing clusters")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a number of 1 or more: {text}")
    return int(text)


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    from ..hot.measure import agreement, topics
    from ..hot.messages import read
    from ..hot.names import Reader
    from ..hot.stream import Stream

    state: Path | None = options["state"]
    reader = Reader(filter(None, options["districts"].split(",")))
    stream = Stream.load(state) if state and state.exists() else Stream()
    stream.take(read(options["file"]), reader)
    if state:
        stream.save(state)
    if options["topics"]:
        clusters = [[stream.messages[index].id for index in members] for members in stream.clusters]
        measured = {half: agreement(clusters, topic).as_json() for half, topic in topics(options["topics"]).items()}
        _print_agreement(measured, out, options["json"])
        return
    issues = stream.issues(reader, least=options["least"])[:options["top"]]
    if options["json"]:
        out.write(json.dumps({"messages": len(stream.messages), "clusters": [issue.as_json() for issue in issues]},
                             ensure_ascii=False, indent=1))
        return
    for issue in issues:
        out.write(_("%(reporters)4d 人 %(messages)4d 条  %(first)s 至 %(last)s  %(direction)-8s %(name)s") % {
            "reporters": issue.voices, "messages": len(issue.ids), "first": issue.first or "?", "last": issue.last or "?",
            "direction": issue.direction, "name": issue.name})


def _print_agreement(measured: dict[str, Any], out: OutputWrapper, as_json: bool) -> None:
    if as_json:
        out.write(json.dumps(measured, indent=1))
        return
    for half, found in measured.items():
        low, high = found["f1_interval_95"]
        out.write(f"{half:<6} messages {found['messages']} topics {found['topics']} singles {found['singles']}  "
                  f"precision {found['precision']:.3f} recall {found['recall']:.3f} F1 {found['f1']:.3f} "
                  f"({low:.3f}-{high:.3f})  B-cubed F1 {found['b_cubed_f1']:.3f}")
