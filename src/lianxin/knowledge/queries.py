"""Finding an answer to read out, and what stands behind it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log

from django.db import connection
from django.db.models import Count, Q, QuerySet

from lianxin.cases.reference import reference
from lianxin.kernel.bigrams import bigrams, fold
from lianxin.kernel.errors import NotFound
from lianxin.organisations.actors import Actor

from .models import Report, ReportState, Version, VersionState

READ = 4000  # characters of a message that are read
CANDIDATES = 30
# What a title or question that the text holds in full is worth, beside the sum over grams and words, which is brought to 0–1.
COVERED, PRIOR, NEAR_PRIOR = 1.0, 0.35, 0.15
WHOLE, MORE_WHOLE = 0.45, 0.15  # the first whole word, and each further one up to three
HALF = 12.0  # the sum at which grams and words give half of what they can
LEAST = 0.42  # below this nothing is suggested
WELL = 1.3  # from here an answer is shown to somebody who did not ask for one
REVIEW_AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Found:
    """One article as it is in use, and why it was found: the words of the text that matched, those that counted most first."""

    code: str
    number: int
    title: str
    answer: str
    basis: str
    source: str
    unit_id: int | None
    category_code: str
    area: str
    valid_from: date
    valid_until: date | None
    review_by: date | None
    public: bool
    score: float
    words: tuple[str, ...]

    @property
    def version(self) -> str:
        """By which an answer names what was read out: `city-01@3`."""
        return f"{self.code}@{self.number}"


def in_force(on: date) -> Q:
    """Versions that may be suggested: approved, valid on the day, and not past the day until which they are vouched for. `_RANK`
    and `Version.in_force` say the same."""
    return (Q(state=VersionState.APPROVED, valid_from__lte=on)
            & (Q(valid_until__isnull=True) | Q(valid_until__gte=on)) & (Q(review_by__isnull=True) | Q(review_by__gte=on)))


# Rarity is counted over the versions in the index: ln(1 + all / those that hold the term). A term said twice says more, but
# not twice as much.
_RANK = """
WITH asked (term, times) AS (SELECT * FROM unnest(%(grams)s::text[], %(times)s::float8[])),
total AS (SELECT count(*)::float8 AS n FROM knowledge_version WHERE state = 'approved'),
hit AS (
  SELECT term.version_id, term.term, term.whole, term.weight * asked.times AS weight,
         count(*) OVER (PARTITION BY term.term) AS holders
  FROM knowledge_term AS term JOIN asked USING (term) WHERE NOT term.whole
  UNION ALL
  SELECT version_id, term, whole, weight, count(*) OVER (PARTITION BY term) FROM knowledge_term
  WHERE whole AND strpos(%(text)s, term) > 0
)
SELECT version.id, sum(hit.weight * ln(1 + total.n / hit.holders)) AS score,
       array_agg(hit.term ORDER BY hit.weight * ln(1 + total.n / hit.holders) DESC) AS terms,
       coalesce(array_agg(hit.term) FILTER (WHERE hit.whole), '{}') AS whole
FROM hit CROSS JOIN total JOIN knowledge_version AS version ON version.id = hit.version_id
WHERE version.state = 'approved' AND version.valid_from <= %(on)s
  AND (version.valid_until IS NULL OR version.valid_until >= %(on)s)
  AND (version.review_by IS NULL OR version.review_by >= %(on)s)
  AND (version.public OR NOT %(public)s)
  AND (version.area_id IS NULL OR %(areas)s::bigint[] IS NULL OR version.area_id = ANY (%(areas)s::bigint[]))
GROUP BY version.id ORDER BY score DESC, version.id LIMIT %(limit)s
"""


def _areas(area_id: int | None) -> list[int] | None:
    place = reference().places.get(area_id) if area_id is not None else None
    return list(place.lineage) if place is not None else None


def _runs(text: str, terms: Iterable[str], whole: Iterable[str]) -> tuple[str, ...]:
    """The words of the text that matched: grams that follow one another joined, what counted most first, four at most."""
    order = {term: place for place, term in enumerate(terms)}
    found: dict[str, int] = dict.fromkeys(whole, -1)
    start = 0
    while start < len(text) - 1:
        best, end = len(order), start
        while end < len(text) - 1 and text[end:end + 2] in order:
            best = min(best, order[text[end:end + 2]])
            end += 1
        if end > start:
            run = text[start:end + 1]
            found[run] = min(best, found.get(run, best))
        start = max(end, start + 1)
    ranked = sorted(found, key=lambda word: (found[word], -len(word)))
    return tuple([word for word in ranked if not any(word in other for other in ranked if other != word)][:4])


def _covered(version: Version, grams: set[str]) -> float:
    """How much of the title, or of the question that fits best, is in the text: 0–1. Two grams at least, or all of a short one."""
    best = 0.0
    for asked in (version.title, *version.questions):
        own = set(bigrams(asked))
        shared = len(own & grams)
        if own and (shared > 1 or shared == len(own)):
            best = max(best, shared / len(own))
    return best


def _prior(version: Version, codes: Sequence[str]) -> float:
    code = version.category.code if version.category else ""
    if not code or not codes:
        return 0.0
    if code in codes:
        return PRIOR / (1 + codes.index(code) / 2)
    return NEAR_PRIOR if any(code[:4] == other[:4] for other in codes) else 0.0


def search(text: str, *, on: date, category_codes: tuple[str, ...] = (), limit: int = 3, public_only: bool = False,
           area_id: int | None = None, least: float = LEAST) -> list[Found]:
    """Articles in force that fit the text best, with the words that made it; none when nothing fits well enough.

    `category_codes` are the categories read in the text, the likeliest first: an article of one of them, or of their
    neighbours, gets a head start. With `area_id` what holds for another area only is left out.
    """
    said = fold(text[:READ].replace("\0", ""))
    counts = Counter(said[at:at + 2] for at in range(len(said) - 1))
    grams = bigrams(said)
    if not said.strip():
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RANK, {
            "grams": grams, "times": [1 + log(max(counts[gram], 1)) / 2 for gram in grams], "text": said, "on": on,
            "public": public_only, "areas": _areas(area_id), "limit": CANDIDATES})
        rows = cursor.fetchall()
    versions = Version.objects.select_related("article", "category", "area").in_bulk([row[0] for row in rows])
    held, scored = set(grams), []
    for pk, total, terms, whole in rows:
        version = versions[pk]
        score = (total / (total + HALF) + COVERED * _covered(version, held) + _prior(version, category_codes)
                 + (WHOLE + MORE_WHOLE * (min(len(whole), 4) - 1) if whole else 0.0))
        if score >= least and (whole or len(terms) > 1 or len(grams) < 2):
            scored.append((score, version, terms, whole))
    scored.sort(key=lambda one: (-one[0], one[1].article.code))
    return [_found(version, score, _runs(said, terms, whole)) for score, version, terms, whole in scored[:limit]]


def _found(version: Version, score: float = 0.0, words: tuple[str, ...] = ()) -> Found:
    return Found(
        code=version.article.code, number=version.number, title=version.title, answer=version.answer, basis=version.basis,
        source=version.source, unit_id=version.unit_id, category_code=version.category.code if version.category else "",
        area=version.area.name if version.area else "", valid_from=version.valid_from, valid_until=version.valid_until,
        review_by=version.review_by, public=version.public, score=round(score, 3), words=words)


def articles(*, on: date, public_only: bool = False) -> list[Found]:
    """Every article in force, by category and code."""
    rows = Version.objects.filter(in_force(on)).select_related("article", "category", "area")
    if public_only:
        rows = rows.filter(public=True)
    return [_found(row) for row in rows.order_by("category__code", "article__code")]


def article(code: str, *, on: date, public_only: bool = False) -> Found:
    """One article in force. Raises NotFound, also for one that is for staff only when `public_only`."""
    row = Version.objects.filter(in_force(on), article__code=code[:40]).select_related("article", "category", "area").first()
    if row is None or (public_only and not row.public):
        raise NotFound
    return _found(row)


def history(code: str) -> list[Version]:
    """All versions of an article, the newest first, with who wrote and decided, and how many cases each answered. Raises
    NotFound for a code never used."""
    found: list[Version] = []
    for one in (Version.objects.filter(article__code=code[:40]).order_by("-number")
                .select_related("article", "category", "area", "unit", "written_by", "decided_by").annotate(times=Count("uses"))):
        one.answered = one.times
        found.append(one)
    if not found:
        raise NotFound
    return found


def drafts(units: frozenset[int] | None = None) -> QuerySet[Version]:
    """Drafts that wait for approval, the oldest first; of some units, or of all."""
    found = Version.objects.filter(state=VersionState.DRAFT).select_related("article", "unit", "written_by")
    return (found if units is None else found.filter(unit_id__in=units)).order_by("written_at")


def open_reports(units: frozenset[int] | None = None) -> QuerySet[Report]:
    """Reports that wait for an answer, what falls due first at the top; of some units, or of all."""
    found = Report.objects.filter(state=ReportState.OPEN).select_related("version__article", "unit")
    return (found if units is None else found.filter(unit_id__in=units)).order_by("due_at", "id")


def reviews_due(on: date, units: frozenset[int] | None = None) -> QuerySet[Version]:
    """Versions in use whose review falls due within 30 days or is overdue, the first due at the top."""
    found = Version.objects.filter(state=VersionState.APPROVED, review_by__lte=on + REVIEW_AHEAD).select_related("article", "unit")
    return (found if units is None else found.filter(unit_id__in=units)).order_by("review_by", "article__code")


def reports_of(code: str) -> QuerySet[Report]:
    """What was said against an article, the newest first."""
    return (Report.objects.filter(version__article__code=code).order_by("-reported_at")
            .select_related("version__article", "unit", "reported_by", "answered_by", "corrected"))


def access_report(pk: uuid.UUID) -> Report:
    """One report; raises NotFound."""
    found = Report.objects.select_related("version__article").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def units_of(actor: Actor) -> frozenset[int]:
    """The units for which somebody works."""
    return frozenset(grant.unit_id for grant in actor.grants)


__all__ = ["Found", "access_report", "article", "articles", "drafts", "history", "in_force", "open_reports", "reports_of",
           "reviews_due", "search", "units_of"]
