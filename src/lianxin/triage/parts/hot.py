"""`triage hot FILE`: hot issues in a stream of messages, without a database. `triage hot --cases`: in the city's own cases."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import OutputWrapper
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.kernel.errors import Invalid

if TYPE_CHECKING:
    from ..hot.messages import Message
    from ..hot.names import Reader

HELP = "find matters that many people raise, or days with more than usual, in a file of messages or in the city's cases"

SHUFFLES: Final = 20


def add(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.csv[.gz]",
                        help="CSV, gzipped or not, with id, title, detail; reporter, created, category if it has them")
    parser.add_argument("--cases", action="store_true",
                        help="look at the city's own cases instead, keep what is found for the board, and print it")
    parser.add_argument("--days", type=_positive, metavar="N", help="with --cases: days back (LIANXIN_HOT_DAYS)")
    parser.add_argument("--anew", action="store_true",
                        help="with --cases: put all of them together from nothing, as is done each night")
    parser.add_argument("--json", action="store_true", help="print the clusters as JSON, with the ids of their messages")
    parser.add_argument("--top", type=_positive, metavar="N", help="only the N clusters with most distinct reporters")
    parser.add_argument("--least", type=_positive, default=2, metavar="N", help="messages a cluster must have")
    parser.add_argument("--state", type=Path, metavar="FILE",
                        help="go on from this file if it is there, and write it: what was found before stays as it was")
    parser.add_argument("--districts", default="", metavar="A,B", help="names of the city's districts")
    parser.add_argument("--topics", type=Path, metavar="FILE.csv",
                        help="measure against hand-made topics (id, topic, half) instead of printing clusters")
    parser.add_argument("--by-month", action="store_true",
                        help="take the messages month by month, as a city would, instead of all at once")
    parser.add_argument("--surges", action="store_true",
                        help="print days with more messages than usual (district × category), and how often shuffled days ring")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"not a number of 1 or more: {text}")
    return int(text)


def run(options: dict[str, Any], out: OutputWrapper) -> None:
    if options["cases"]:
        _cases(out, options)
        return
    if options["file"] is None:
        raise Invalid(_("请给出消息文件，或用 --cases 看本市的工单。"))
    from ..hot.measure import agreement, topics
    from ..hot.messages import read
    from ..hot.names import Reader
    from ..hot.stream import Stream

    state: Path | None = options["state"]
    reader = Reader(filter(None, options["districts"].split(",")))
    if options["surges"]:
        _surges(read(options["file"]), reader, out, options)
        return
    stream = Stream.load(state) if state and state.exists() else Stream()
    for part in _parts(read(options["file"]), options["by_month"]):
        stream.take(part, reader)
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
        out.write(_("%(reporters)4d 人 %(messages)4d 条  %(first)s 至 %(last)s  %(direction)s  %(name)s") % {
            "reporters": issue.voices, "messages": len(issue.ids), "first": issue.first or "?", "last": issue.last or "?",
            "direction": _direction(issue.direction), "name": issue.name})


def _cases(out: OutputWrapper, options: dict[str, Any]) -> None:
    from ..hot.keeping import work_out
    from ..hot.models import HotIssue

    done = work_out(days=options["days"], anew=options["anew"])
    issues = HotIssue.objects.select_related("area", "category", "unit").order_by("-voices", "-id")[:options["top"]]
    if options["json"]:
        out.write(json.dumps({
            "cases": done.cases, "left_out": done.left_out, "found": done.found, "gone": done.gone, "surges": done.surges,
            "issues": [issue.as_json() for issue in issues]}, ensure_ascii=False, indent=1))
        return
    out.write(_("看了 %(cases)d 件工单（更早的 %(left)d 件太多，没有比），热点 %(issues)d 个："
                "新出现 %(found)d 个，消失 %(gone)d 个；异常增多 %(surges)d 处") % {
        "cases": done.cases, "left": done.left_out, "issues": done.issues, "found": done.found, "gone": done.gone, "surges": done.surges})
    for issue in issues:
        out.write(_("%(reporters)4d 人 %(messages)4d 条  %(first)s 至 %(last)s  %(direction)s  %(name)s") % {
            "reporters": issue.voices, "messages": issue.cases, "first": localdate(issue.first_at), "last": localdate(issue.last_at),
            "direction": issue.get_trend_display(), "name": issue.name})


def _direction(direction: str) -> str:
    return {
        "new": pgettext("trend", "新出现"), "rising": pgettext("trend", "上升"), "steady": pgettext("trend", "持平"),
        "falling": pgettext("trend", "下降"), "over": pgettext("trend", "已平息"),
    }[direction]


def _parts(messages: list[Message], by_month: bool) -> list[list[Message]]:
    """All at once, or by month in order; messages without a time come first."""
    if not by_month:
        return [messages]
    months: dict[str, list[Message]] = {}
    for message in messages:
        months.setdefault(message.at.strftime("%Y-%m") if message.at else "", []).append(message)
    return [months[month] for month in sorted(months)]


def _surges(messages: list[Message], reader: Reader, out: OutputWrapper, options: dict[str, Any]) -> None:
    from ..hot.surges import FALSE_PER_DAY, WINDOW, daily, shuffled, surges

    rows = [(min(reader.place(one.title, one.detail).districts, default=""), one.category, one.at.date())
            for one in messages if one.at]
    if not rows:
        raise Invalid(_("没有一条消息带可用的时间。"))
    first = min(day for _place, _category, day in rows)
    days = (max(day for _place, _category, day in rows) - first).days + 1
    counts = daily(rows, first, days)
    found = surges(counts, first)
    rang = [len(surges(shuffled(counts, first, seed), first)) for seed in range(SHUFFLES)]
    said: dict[str, Any] = {
        "series": len(counts), "days": max(0, days - WINDOW), "stated_false_per_day": FALSE_PER_DAY,
        "rang": len(found), "rang_shuffled_mean": sum(rang) / SHUFFLES, "rang_shuffled_most": max(rang),
    }
    if options["json"]:
        said["surges"] = [{"place": one.place, "category": one.category, "day": one.day.isoformat(), "count": one.count,
                           "expected": round(one.expected, 2), "chance": one.chance} for one in found[:options["top"]]]
        out.write(json.dumps(said, ensure_ascii=False, indent=1))
        return
    out.write("  ".join(f"{name} {value:.3g}" for name, value in said.items()))
    for one in found[:options["top"]]:
        out.write(f"{one.day}  {one.place or '-'} {one.category}  {one.count} ({one.expected:.1f})  {one.chance:.1e}")


def _print_agreement(measured: dict[str, Any], out: OutputWrapper, as_json: bool) -> None:
    if as_json:
        out.write(json.dumps(measured, indent=1))
        return
    for half, found in measured.items():
        low, high = found["f1_interval_95"]
        out.write(f"{half:<6} messages {found['messages']} topics {found['topics']} singles {found['singles']}  "
                  f"precision {found['precision']:.3f} recall {found['recall']:.3f} F1 {found['f1']:.3f} "
                  f"({low:.3f}-{high:.3f})  B-cubed F1 {found['b_cubed_f1']:.3f}")
