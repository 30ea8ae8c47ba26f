"""Which cases may be about the same matter: near in place, near in time, alike in words. Never by who says it.

A person decides; the reason is shown with every suggestion, and a pair that somebody found different is not suggested
again. How candidates are found is in `nearness`, how words are weighed in `likeness`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.kernel.language import listed
from lianxin.organisations.actors import Actor

from . import policy
from .models import Case, Distinct, State
from .nearness import Asked, Match, Search, Seen, compared, text_of
from .queries import access_case, by_due, rows, time_and_id
from .search import rarity
from .states import BY_ACTION

__all__ = ["Alike", "Asked", "Nearby", "Pairing", "alike", "alike_to", "likeness", "nearby", "pairings", "set_apart",
           "which_way"]

DAYS = 14  # further apart than this, the same trouble is a new one
ALIKE = 0.3  # the score from which two cases are suggested
LIKELY = 0.7  # the score from which it is said that they are likely one
SIMILAR, SIMILAR_DAYS = 0.25, 30  # the least score, and days back, of cases shown while something is being said
QUEUED = 10  # cases of the queue that are looked at for one answer
_MERGEABLE = tuple(BY_ACTION["merge"].sources)
_QUEUE = (State.REGISTERED, State.ACCEPTED)  # what waits for a dispatcher


@dataclass(frozen=True, slots=True)
class Alike:
    """A case that may be about the same matter. `score` is what words, place, time and category add up to (0–1), `metres` the
    distance where both have a position, `place` else the name of the village both lie in, `gap` the time between them, `words`
    what both say."""

    case: Case
    score: float
    gap: timedelta
    metres: int | None = None
    place: str = ""
    words: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, case: Case, match: Match) -> Alike:
        return cls(case, match.score, match.gap, match.metres, match.place, match.words)

    @property
    def likely(self) -> bool:
        return self.score >= LIKELY

    @property
    def said(self) -> str:
        """The score in words: `很可能是同一件事`, `可能是同一件事`."""
        return _("很可能是同一件事") if self.likely else _("可能是同一件事")

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


def _set_apart(ids: Sequence[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs that a person has found to be different, both ways round, of which one is among `ids`."""
    pairs = Distinct.objects.filter(Q(first__in=ids) | Q(second__in=ids)) if ids else Distinct.objects.none()
    return {pair for first, second in pairs.values_list("first_id", "second_id") for pair in ((first, second), (second, first))}


def _heads(one: Asked, matches: Iterable[Match], apart: set[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, Match]:
    """The likeliest case under each head: the head itself or one merged under it."""
    best: dict[uuid.UUID, Match] = {}
    for found in matches:
        other = found.seen
        head = other.master_id if other.state == State.MERGED and other.master_id else other.pk
        if head in (one.case_id, one.family) or found.gap > timedelta(days=DAYS):
            continue
        if one.case_id is not None and not apart.isdisjoint({(one.case_id, other.pk), (one.case_id, head)}):
            continue
        if head not in best or best[head].score < found.score:
            best[head] = found
    return best


def _suggested(heads: dict[uuid.UUID, Match], cases: dict[uuid.UUID, Case], *, limit: int) -> list[Alike]:
    """Of these heads those that may be merged, likeliest first."""
    return sorted((Alike.of(cases[pk], match) for pk, match in heads.items() if pk in cases and cases[pk].state in _MERGEABLE),
                  key=lambda found: (-found.score, found.gap))[:limit]


def alike_to(actor: Actor, asked: Sequence[Asked], *, limit: int = 3) -> list[list[Alike]]:
    """For each one asked about, the open cases that may be about the same matter, likeliest first.

    Near means: the same H3 cell or one within two rings, the same village, or a name of a place that both give; within 14
    days. Of cases merged already the master is suggested. Five queries at most, for one or for a page of fifty.
    """
    if not asked:
        return []
    search = Search(asked)
    search.look(Case.objects.filter(policy.visible_to(actor), state__in=(*_MERGEABLE, State.MERGED)), days=DAYS)
    apart = _set_apart([one.case_id for one in asked if one.case_id is not None]) if search.seen else set()
    matches = [_heads(one, search.matches(number, least=ALIKE), apart) for number, one in enumerate(asked)]
    heads = {pk for one in matches for pk in one}
    if not heads:
        return [[] for _one in asked]
    cases = {case.pk: case for case in rows(Case.objects.filter(policy.visible_to(actor), pk__in=heads))}
    return [_suggested(one, cases, limit=limit) for one in matches]


@dataclass(frozen=True, slots=True)
class Nearby:
    """What is known near something that is just being said: cases that it may be merged into, likeliest first, and others,
    open or ended, that may be about the same."""

    alike: list[Alike]
    others: list[Case]


def nearby(actor: Actor, asked: Asked, *, limit: int = 3, others: int = 5) -> Nearby:
    """Both lists from one look: two queries, while a caller is still speaking."""
    search = Search([asked])
    base = Case.objects.filter(policy.visible_to(actor)).exclude(state__in=[State.WITHDRAWN, State.DECLINED])
    search.look(base, days=SIMILAR_DAYS)
    matches = list(search.matches(0, least=SIMILAR))
    if not matches:
        return Nearby([], [])
    heads = _heads(asked, (one for one in matches if one.score >= ALIKE), set())
    cases = {case.pk: case for case in rows(Case.objects.filter(
        policy.visible_to(actor), pk__in=heads.keys() | {one.seen.pk for one in matches}))}
    alike = _suggested(heads, cases, limit=limit)
    shown = {one.case.pk for one in alike}
    rest = [cases[one.seen.pk] for one in sorted(matches, key=lambda one: (-one.score, one.gap)) if one.seen.pk in cases]
    return Nearby(alike, [case for case in rest if case.pk not in shown and case.master_id not in shown][:others])


def alike(actor: Actor, case: Case, *, limit: int = 3) -> list[Alike]:
    """Cases that may be about the same matter as this one; none for a case that can no longer be merged."""
    return alike_to(actor, [Asked.of(case)], limit=limit)[0] if case.state in _MERGEABLE else []


def likeness(first: Case, second: Case) -> Alike:
    """How two chosen cases are like each other, however little: the second as seen from the first."""
    one, other, rare = Asked.of(first), Seen.of(second), rarity()
    return Alike.of(second, compared(one, text_of(one, rare), other, text_of(other, rare)))


@dataclass(frozen=True, slots=True)
class Pairing:
    """A case that waits for the dispatcher, and what it may be about as well."""

    case: Case
    alike: list[Alike]


def _asked(cases: Sequence[Case]) -> list[Asked]:
    """As `Asked.of`, with one query for the positions of all."""
    places = {pk: (lon, lat) for pk, lon, lat in Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("pk", "lon", "lat")}
    return [Asked(case.words, case.registered_at, *places[case.pk], case.area_id, case.category_id, case.pk, case.pk, case.title,
                  case.place_text) for case in cases]


def _listed_before(actor: Actor, after: str, alike: Sequence[Sequence[Alike]]) -> set[frozenset[uuid.UUID]]:
    """Pairs that stood in an earlier answer: of the cases found those that stand before this part of the queue, each with what was
    listed with it. Three suggestions are not mutual, so each is looked at again."""
    position = time_and_id(after)
    found = {one.case.pk for each in alike for one in each}
    if not position or not found:
        return set()
    at, pk = position
    before = list(rows(Case.objects.filter(
        Q(due_at__lt=at) | Q(due_at=at, id__lte=pk), policy.scope_of(actor).q(), pk__in=found, state__in=_QUEUE)))
    return {frozenset((case.pk, one.case.pk)) for case, each in zip(before, alike_to(actor, _asked(before)), strict=True) for one in each}


def pairings(actor: Actor, *, after: str = "", limit: int = QUEUED) -> tuple[list[Pairing], str]:
    """Of the next `limit` cases of the dispatcher's queue those that others may be about as well; where the rest begins. Each pair
    is listed once in the whole queue."""
    page = by_due(actor, states=_QUEUE, after=after, limit=limit)
    found = alike_to(actor, _asked(page.rows))
    listed: list[Pairing] = []
    shown = _listed_before(actor, after, found)
    for case, alike in zip(page.rows, found, strict=True):
        fresh = [one for one in alike if frozenset((case.pk, one.case.pk)) not in shown]
        shown |= {frozenset((case.pk, one.case.pk)) for one in fresh}
        if fresh:
            listed.append(Pairing(case, fresh))
    return listed, page.after


def which_way(first: Case, second: Case) -> tuple[Case, Case]:
    """Master and duplicate of two cases: the master is the one that another service has or thinks about, the one a unit has, one
    with others under it, else the older."""
    def rank(case: Case) -> tuple[bool, bool, bool, datetime, uuid.UUID]:
        return (case.linkage == "", case.lead_unit_id is None, not case.duplicate_count, case.registered_at, case.pk)

    return (first, second) if rank(first) <= rank(second) else (second, first)


def set_apart(actor: Actor, first_id: uuid.UUID, second_id: uuid.UUID) -> None:
    """Remember that two cases are about different matters. Said again, nothing changes.

    Raises NotFound for a case that is not the actor's to see, NotAllowed for those who may not merge, and Invalid for a
    case and itself.
    """
    if actor.staff_id is None or not actor.has(*BY_ACTION["merge"].roles) or not actor.scoped("merge"):
        raise NotAllowed(_("这一步由其他岗位办理。"))
    if first_id == second_id:
        raise Invalid(_("这是同一件工单。"))
    first, second = sorted((access_case(actor, first_id).pk, access_case(actor, second_id).pk))
    with transaction.atomic():
        Distinct.objects.get_or_create(first_id=first, second_id=second, defaults={"by_id": actor.staff_id, "at": now()})
