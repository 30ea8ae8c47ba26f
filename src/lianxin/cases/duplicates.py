"""Which cases may be about the same matter: near in place, near in time, alike in words. Never by who says it.

A person decides; the reason is shown with every suggestion, and a pair that somebody found different is not suggested
again.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from lianxin.kernel.bigrams import LETTERS, bigrams, fold
from lianxin.kernel.clock import now
from lianxin.kernel.coordinates import cells_around
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.kernel.language import listed
from lianxin.organisations.actors import Actor

from . import policy
from .models import Case, Distinct, State
from .queries import access_case, by_due, rows
from .reference import reference
from .states import BY_ACTION

DAYS = 14  # further apart than this, the same trouble is a new one
RINGS = 2  # H3 cells of resolution 9: about 700 m
MOST = 2000  # candidates looked at for one page of cases
LENGTH = 400  # characters of the words that are compared
FAR = 1500  # metres: of one village or not, two positions further apart are two places
ALIKE = 0.15  # the share of common bigrams from which two cases are suggested
ALIKE_IN_KIND = 0.08  # the same, when they are of one category
_MERGEABLE = tuple(BY_ACTION["merge"].sources)
_RUN = re.compile(f"[{LETTERS}]+")
# Words that say nothing about the matter.
_EMPTY = re.compile("|".join(
    ["我们", "你们", "他们", "这个", "那个", "这里", "那里", "一个", "一直", "没有", "不能", "可以", "已经", "现在",
     "今天", "昨天", "早上", "晚上", "上午", "下午", "希望", "请问", "反映", "投诉", "求助", "小区", "社区", "街道",
     "附近", "因为", "所以", "还是", "就是", "为什么", "什么时候", "什么", "怎么", "时候", "问题", "情况", "处理",
     "解决", "有人", "好几天", "几天", "几个", "多久", "要求", "尽快", "谢谢", "麻烦", "你好", "您好", "热线",
     "居民", "市民", "部门", "有关", "相关", "来电", "电话", "家里", "我家", "门口", "旁边", "物业", "我是"]
))


@dataclass(frozen=True, slots=True)
class Asked:
    """What alike cases are looked for: words and place, and the case itself where there is one already."""

    words: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    area_id: int | None = None
    category_id: int | None = None
    case_id: uuid.UUID | None = None
    family: uuid.UUID | None = None

    @classmethod
    def of(cls, case: Case) -> Asked:
        return cls(case.words, case.registered_at, case.lon, case.lat, case.area_id, case.category_id, case.pk,
                   case.master_id if case.state == State.MERGED else case.pk)


@dataclass(frozen=True, slots=True)
class Alike:
    """A case that may be about the same matter. `score` is the share of common bigrams (0–1), `metres` the distance
    where both have a position, `place` the name of the village both lie in, `gap` the time between them, `words` what both
    say."""

    case: Case
    score: float
    gap: timedelta
    metres: int | None = None
    place: str = ""
    words: tuple[str, ...] = field(default=())

    @property
    def why(self) -> str:
        """`同在花园社区 · 相隔 2 小时 · 都说“停水”`."""
        parts = [self._where(), self._when()]
        if self.words:
            quoted = (pgettext("quoted words", "“%s”") % word for word in self.words)
            parts.append(_("都说%(words)s") % {"words": listed(quoted)})
        return " · ".join(part for part in parts if part)

    def _where(self) -> str:
        if self.metres is not None:
            return _("同一处") if self.metres < 50 else _("相距约 %(n)d 米") % {"n": round(self.metres, -1)}
        return _("同在%(place)s") % {"place": self.place} if self.place else ""

    def _when(self) -> str:
        minutes = max(int(self.gap.total_seconds() // 60), 1)
        if minutes < 60:
            return ngettext("相隔 %(n)d 分钟", "相隔 %(n)d 分钟", minutes) % {"n": minutes}
        if minutes < 48 * 60:
            return ngettext("相隔 %(n)d 小时", "相隔 %(n)d 小时", minutes // 60) % {"n": minutes // 60}
        return ngettext("相隔 %(n)d 天", "相隔 %(n)d 天", minutes // 1440) % {"n": minutes // 1440}


def _village(area_id: int | None) -> int | None:
    """The village an area is or lies in; None for anything wider."""
    held = reference().places
    place = held.get(area_id or 0)
    return next((pk for pk in place.lineage if held[pk].level == "village"), None) if place else None


def _names(*area_ids: int | None) -> set[str]:
    """Names of the places two cases lie in: that both name them says nothing about the matter."""
    held = reference().places
    found = {held[pk].name for area_id in area_ids if area_id in held for pk in held[area_id].lineage}
    return {fold(name) for name in found}


class _Text:
    """The words of one case, ready to be compared."""

    __slots__ = ("body", "grams")

    def __init__(self, words: str, names: Iterable[str]) -> None:
        body = fold(words[:LENGTH])
        for name in sorted(names, key=len, reverse=True):
            body = body.replace(name, " ")
        self.body = _EMPTY.sub(" ", body)
        self.grams = set(bigrams(self.body))


def _shared(first: _Text, second: _Text) -> tuple[str, ...]:
    """The longest pieces that both texts hold and that say something, at most two."""
    found: set[str] = set()
    for run in _RUN.findall(first.body):
        start = 0
        while start < len(run) - 1:
            end = start + 2
            if run[start:end] not in second.body:
                start += 1
                continue
            while end < len(run) and run[start:end + 1] in second.body:
                end += 1
            found.add(run[start:end])
            start = end - 1
    longest = sorted(found, key=lambda piece: (-len(piece), piece))
    return tuple(piece for n, piece in enumerate(longest) if not any(piece in other for other in longest[:n]))[:2]


def metres_between(lon: float, lat: float, lon2: float, lat2: float) -> float:
    """Great-circle distance of two WGS-84 positions in metres, on a sphere of 6,371 km."""
    a, b = math.radians(lat), math.radians(lat2)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon) / 2) ** 2
    return 2 * 6_371_000 * math.asin(math.sqrt(half))


def _candidates(actor: Actor, asked: Sequence[Asked], cells: set[int], villages: set[int]) -> list[Case]:
    """Open cases of the time around, in these cells and villages: two walks along indexes, never through the table."""
    first = min(one.at for one in asked) - timedelta(days=DAYS)
    last = max(one.at for one in asked) + timedelta(days=DAYS)
    seen = policy.visible_to(actor)
    base = rows(Case.objects.filter(seen, registered_at__range=(first, last), state__in=(*_MERGEABLE, State.MERGED))).only(
        "id", "number", "words", "lon", "lat", "cell", "area_id", "category_id", "master_id", "state", "registered_at",
        "duplicate_count", "lead_unit__name", "lead_unit__name_en", "lead_unit__short_name", "category__name",
        "category__name_en", "area__name", "area__name_en", "county__name", "county__name_en", "category__code",
    )
    found: dict[uuid.UUID, Case] = {}
    # Not the bare column: for the newest few PostgreSQL would else walk through all that the city had in these days.
    newest = ExpressionWrapper(F("registered_at") + Value(timedelta(0)), output_field=DateTimeField())
    for near in (Q(cell__in=sorted(cells)) if cells else None, Q(area_id__in=sorted(villages)) if villages else None):
        if near is not None:
            found |= {case.pk: case for case in base.filter(near).order_by(newest.desc())[:MOST]}
    return list(found.values())


def _compared(one: Asked, case: Case, texts: Mapping[object, _Text], *, least: bool = False) -> Alike | None:
    """How one case is like what was asked for; None when it is not alike enough, unless the `least` likeness will do."""
    gap = abs(one.at - case.registered_at)
    mine, theirs = texts[one], texts[case.pk]
    score = len(mine.grams & theirs.grams) / max(min(len(mine.grams), len(theirs.grams)), 1)
    same = one.category_id is not None and one.category_id == case.category_id
    if not least and (gap > timedelta(days=DAYS) or score < (ALIKE_IN_KIND if same else ALIKE)):
        return None
    shared = _shared(mine, theirs)
    if not least and not shared:
        return None
    metres = None
    if one.lon is not None and one.lat is not None and case.lon is not None and case.lat is not None:
        metres = round(metres_between(one.lon, one.lat, case.lon, case.lat))
        if metres > FAR and not least:
            return None
    village = _village(one.area_id)
    place = reference().places[village].said if village is not None and village == _village(case.area_id) else ""
    return Alike(case, score, gap, metres, place, shared)


def _set_apart(asked: Sequence[Asked], cases: Iterable[Case]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs that a person has found to be different, both ways round."""
    ids = [one.case_id for one in asked if one.case_id is not None]
    if not ids:
        return set()
    others = [case.pk for case in cases]
    pairs = Distinct.objects.filter(Q(first__in=ids, second__in=others) | Q(first__in=others, second__in=ids))
    return {pair for first, second in pairs.values_list("first_id", "second_id") for pair in ((first, second), (second, first))}


def alike_to(actor: Actor, asked: Sequence[Asked], *, limit: int = 3) -> list[list[Alike]]:
    """For each one asked about, the open cases that may be about the same matter, likeliest first.

    Near means: the same H3 cell or one within two rings, or the same village; within 14 days. Of cases merged already the
    master is suggested. Five queries at most, for one or for a page of fifty.
    """
    around = [set(cells_around(one.lon, one.lat, rings=RINGS)) if one.lon is not None and one.lat is not None else set()
              for one in asked]
    villages = [{pk for pk in (_village(one.area_id), one.area_id) if pk is not None} if _village(one.area_id) else set()
                for one in asked]
    cells = set().union(*around)
    if not asked or not (cells or any(villages)):
        return [[] for _one in asked]
    cases = _candidates(actor, asked, cells, set().union(*villages))
    masters = {case.pk: case for case in rows(Case.objects.filter(
        policy.visible_to(actor), pk__in={case.master_id for case in cases if case.state == State.MERGED},
        state__in=_MERGEABLE))}
    apart = _set_apart(asked, [*cases, *masters.values()])
    texts: dict[object, _Text] = {case.pk: _Text(case.words, _names(case.area_id)) for case in cases}
    result = []
    for one, near, inside in zip(asked, around, villages, strict=True):
        texts[one] = _Text(one.words, _names(one.area_id))
        best: dict[uuid.UUID, Alike] = {}
        for case in cases:
            head = masters.get(case.master_id) if case.state == State.MERGED and case.master_id else case
            if head is None or head.pk in (one.case_id, one.family) or not (case.cell in near or case.area_id in inside):
                continue
            if (one.case_id, case.pk) in apart or (one.case_id, head.pk) in apart:
                continue
            found = _compared(one, case, texts)
            if found is not None and (head.pk not in best or best[head.pk].score < found.score):
                best[head.pk] = Alike(head, found.score, found.gap, found.metres, found.place, found.words)
        result.append(sorted(best.values(), key=lambda a: (-a.score, a.gap))[:limit])
    return result


def alike(actor: Actor, case: Case, *, limit: int = 3) -> list[Alike]:
    """Cases that may be about the same matter as this one; none for a case that can no longer be merged."""
    return alike_to(actor, [Asked.of(case)], limit=limit)[0] if case.state in _MERGEABLE else []


def likeness(first: Case, second: Case) -> Alike:
    """How two chosen cases are like each other, however little: the second as seen from the first."""
    one = Asked.of(first)
    texts: dict[object, _Text] = {one: _Text(first.words, _names(first.area_id)), second.pk: _Text(second.words, _names(second.area_id))}
    return _compared(one, second, texts, least=True) or Alike(second, 0.0, abs(first.registered_at - second.registered_at))


@dataclass(frozen=True, slots=True)
class Pairing:
    """A case that waits for the dispatcher, and what it may be about as well."""

    case: Case
    alike: list[Alike]


def pairings(actor: Actor, *, after: str = "") -> tuple[list[Pairing], str]:
    """Of one page of the dispatcher's queue, the cases that others may be about as well; where the next page begins."""
    page = by_due(actor, states=(State.REGISTERED, State.ACCEPTED), after=after)
    places = {pk: (lon, lat) for pk, lon, lat in Case.objects.filter(
        pk__in=[case.pk for case in page.rows]).values_list("pk", "lon", "lat")}
    asked = [Asked(case.words, case.registered_at, *places[case.pk], case.area_id, case.category_id, case.pk, case.pk)
             for case in page.rows]
    listed: list[Pairing] = []
    shown: set[frozenset[uuid.UUID]] = set()
    for case, alike in zip(page.rows, alike_to(actor, asked), strict=True):
        fresh = [one for one in alike if frozenset((case.pk, one.case.pk)) not in shown]  # each pair once
        shown |= {frozenset((case.pk, one.case.pk)) for one in fresh}
        if fresh:
            listed.append(Pairing(case, fresh))
    return listed, page.after


def which_way(first: Case, second: Case) -> tuple[Case, Case]:
    """Master and duplicate of two cases: the master is the one a unit has, one with others under it, else the older."""
    def rank(case: Case) -> tuple[bool, bool, datetime, uuid.UUID]:
        return (case.lead_unit_id is None, not case.duplicate_count, case.registered_at, case.pk)

    return (first, second) if rank(first) <= rank(second) else (second, first)


def set_apart(actor: Actor, first_id: uuid.UUID, second_id: uuid.UUID) -> None:
    """Remember that two cases are about different matters. Said again, nothing changes.

    Raises NotFound for a case that is not the actor's to see, NotAllowed for those who may not merge, and Invalid for a
    case and itself.
    """
    if actor.staff_id is None or not actor.has(*BY_ACTION["merge"].roles) or (
            actor.scopes is not None and not actor.scopes & {"merge", "*"}):
        raise NotAllowed(_("这一步由其他岗位办理。"))
    if first_id == second_id:
        raise Invalid(_("这是同一件工单。"))
    first, second = sorted((access_case(actor, first_id).pk, access_case(actor, second_id).pk))
    with transaction.atomic():
        Distinct.objects.get_or_create(first_id=first, second_id=second, defaults={"by_id": actor.staff_id, "at": now()})
