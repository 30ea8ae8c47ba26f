"""Hot issues of the city's cases, worked out and kept.

Each hour what is new joins what is there or opens something new; each night all of it is put together from nothing, so
that a mistake does not stay. Either way an issue that keeps most of its cases keeps its id. How many cases are compared
is bounded (`gathering.MOST`); cases that have left the window stay with their issue.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from lianxin.cases.models import Distinct
from lianxin.cases.reference import reference
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.kernel.locks import alone

from ..personal import masked
from .alike import Pairs, pairs
from .counting import Counted, counted
from .gathering import Report, area_names, districts, in_window, reports_of, taken
from .issues import Namer
from .linkage import Linkage
from .messages import Message
from .models import HotCase, HotIssue, HotRun
from .names import Reader
from .surging import find_surges

FEWEST: Final = 3  # voices of an issue
FORGET: Final = timedelta(days=365)  # after its last report an issue is forgotten

Heads = dict[uuid.UUID, set[uuid.UUID]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a working out did: cases looked at and left out, issues there are, and of them new ones; issues that are gone; surges."""

    cases: int
    left_out: int
    issues: int
    found: int
    gone: int
    surges: int


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One issue to be: its heads, and the place in the list of messages of each of its reports in the window."""

    heads: set[uuid.UUID]
    members: list[int]


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time, without a transaction that stands open meanwhile. Raises Conflict."""
    with alone("triage.hot") as mine:
        if not mine:
            raise Conflict(_("热点正在计算，请稍后再试。"), code="hot_running")
        yield


def work_out(*, days: int | None = None, anew: bool = False) -> Outcome:
    """Look at the cases of the last `days` days (None: as set) and keep what is found. `anew` puts all of them together from nothing.

    Raises Conflict: it is under way already."""
    at = now()
    since = at - timedelta(days=days if days is not None else settings.LIANXIN_HOT_DAYS)
    with _alone():
        messages, head_of, left_out = in_window(since)
        reader = Reader(districts())
        held = _held(head_of)
        clusters = _clusters(messages, head_of, {} if anew else held, reader)
        members, kept = _matched(clusters, held, set(head_of.values()))
        with transaction.atomic():
            found, gone = _write(clusters, members, kept, Namer(messages, reader, area_names()), at)
            surges = find_surges(at)
            HotRun.objects.update_or_create(pk=1, defaults={
                "at": at, "since": since, "cases": len(messages), "left_out": left_out})
    return Outcome(len(messages), left_out, len(members), found, gone, surges)


def recount(issue_id: uuid.UUID) -> None:
    """Count one issue again, after some of its cases were taken as one."""
    with transaction.atomic():
        issue = HotIssue.objects.select_for_update().filter(pk=issue_id).first()
        if issue is None:
            return
        masters = dict(taken().filter(pk__in=issue.members.values("case")).values_list("pk", "master_id"))
        heads = {master or key for key, master in masters.items()}
        elsewhere = set(HotCase.objects.filter(case__in=heads).exclude(issue=issue).values_list("case_id", flat=True))
        if reports := reports_of(heads - elsewhere):
            counted(reports, now()).onto(issue).save()
            _settle({issue.pk: heads - elsewhere})


def _held(head_of: Mapping[str, uuid.UUID]) -> Heads:
    """The cases of each issue, those merged meanwhile by their master."""
    found: Heads = defaultdict(set)
    known: set[uuid.UUID] = set()
    rows = HotCase.objects.filter(case__in=taken()).order_by("issue_id", "case_id").values_list("issue_id", "case_id", "case__master_id")
    for issue, case, master in rows:
        head = head_of.get(str(case)) or master or case
        if head not in known:
            known.add(head)
            found[issue].add(head)
    return found


def _clusters(messages: Sequence[Message], head_of: Mapping[str, uuid.UUID], held: Heads, reader: Reader) -> list[_Cluster]:
    """Cases put together, each master once with all that is merged under it; what is held stays whole."""
    families: dict[uuid.UUID, list[int]] = defaultdict(list)
    for index, message in enumerate(messages):
        families[head_of[message.id]].append(index)
    heads = list(families)
    place = {head: number for number, head in enumerate(heads)}
    own = {message.id: message for message in messages}
    said = [own.get(str(head)) or messages[families[head][0]] for head in heads]
    before = [sorted(place[head] for head in cases if head in place) for cases in held.values()]
    groups = Linkage(len(said), _without_apart(pairs(said, reader), place), [group for group in before if len(group) > 1]).clusters()
    return [_Cluster({heads[number] for number in group}, [index for number in group for index in families[heads[number]]])
            for group in groups]


def _without_apart(found: Pairs, place: Mapping[uuid.UUID, int]) -> Pairs:
    """The pairs without those that somebody found to be different matters."""
    import numpy as np

    apart = [(place[one], place[other]) for one, other in Distinct.objects.filter(
        first__in=place, second__in=place).values_list("first_id", "second_id")]
    if not apart or not len(found.left):
        return found
    size = len(place)
    codes = np.array([min(pair) * size + max(pair) for pair in apart])
    kept = ~np.isin(found.left.astype(np.int64) * size + found.right, codes)
    return Pairs(found.left[kept], found.right[kept], found.score[kept], found.themes)


def _matched(clusters: Sequence[_Cluster], held: Heads, seen: set[uuid.UUID]) -> tuple[Heads, dict[uuid.UUID, int]]:
    """The cases of every issue from now on, new ones under new ids, and which cluster each has. An issue goes on as the cluster that
    has most of those of its cases that were looked at; cases that were not stay with it."""
    issue_of = {head: issue for issue, heads in held.items() for head in heads}
    shared = Counter((issue_of[head], number) for number, cluster in enumerate(clusters) for head in cluster.heads if head in issue_of)
    members: Heads = {issue: set(heads) for issue, heads in held.items() if not heads & seen}
    kept: dict[uuid.UUID, int] = {}
    used: set[int] = set()
    for (issue, number), count in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if issue not in kept and number not in used and 2 * count > len(held[issue] & seen):
            kept[issue] = number
            used.add(number)
            members[issue] = clusters[number].heads | (held[issue] - seen)
    for number, cluster in enumerate(clusters):
        if number not in used and len(cluster.members) >= FEWEST:
            issue = HotIssue().pk
            kept[issue] = number
            members[issue] = set(cluster.heads)
    return members, kept


def _write(clusters: Sequence[_Cluster], members: Heads, kept: Mapping[uuid.UUID, int], namer: Namer, at: datetime) -> tuple[int, int]:
    """Keep the issues with voices enough. Returns how many are new and how many are gone. `members` is left with those kept."""
    reports: dict[uuid.UUID, list[Report]] = defaultdict(list)
    issue_of = {head: issue for issue, heads in members.items() for head in heads}
    for report in reports_of(issue_of):
        reports[issue_of.get(report.id) or issue_of[report.head]].append(report)
    before = HotIssue.objects.in_bulk()
    found = 0
    for issue in list(members):
        counts = counted(reports[issue], at) if reports[issue] else None
        if counts is None or counts.voices < FEWEST or counts.last_at < at - FORGET:
            del members[issue]
            continue
        row = before.get(issue) or HotIssue(pk=issue, found_at=at)
        cluster = clusters[kept[issue]] if issue in kept else None
        if cluster is not None and (not row.name or 2 * len(cluster.heads) >= len(members[issue])):
            row.name, row.place = _called(namer, cluster, counts)
        counts.onto(row).save(force_insert=issue not in before)
        found += issue not in before
    gone = before.keys() - members.keys()
    HotIssue.objects.filter(pk__in=gone).delete()
    _settle(members)
    return found, len(gone)


def _called(namer: Namer, cluster: _Cluster, counts: Counted) -> tuple[str, str]:
    """Name and place, from words that several share; where they share none, the category and the area."""
    name, place, _districts = namer.called(cluster.members)
    held = reference()
    category, area = held.nodes.get(counts.category_id or 0), held.places.get(counts.area_id or 0)
    if not name or len(cluster.members) < 2:
        name = "·".join(part.name for part in (area, category) if part is not None) or _("未定事项")
    elif name == place and category is not None:
        name = f"{place}·{category.name}"
    return masked(name, houses=True)[:120], masked(place, houses=True)[:60]


def _settle(members: Heads) -> None:
    """Which case is of which issue, as far as these issues go: only what changed is written."""
    wanted = {head: issue for issue, heads in members.items() for head in heads}
    there = dict(HotCase.objects.filter(issue__in=members).values_list("case_id", "issue_id"))
    HotCase.objects.filter(case__in=[case for case, issue in there.items() if wanted.get(case) != issue]).delete()
    HotCase.objects.bulk_create([HotCase(case_id=case, issue_id=issue) for case, issue in sorted(wanted.items())
                                 if there.get(case) != issue])
