"""Full text in Chinese: two characters inside a sentence are found, newest first, from an index.

The index on pairs of characters (`kernel.bigrams`) knows every case that has a pair, in no order. What few cases of a
list have is asked of it at once, together with the indexes on what the list is narrowed by. A common word is in a hundred
thousand cases, of which a page shows fifty: there the list is simply walked in its own order until the page is full, or so
many were looked at that the guess must have been wrong. A word between is asked of the index first among the newest cases,
then among all. Which is which PostgreSQL has in its statistics.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, DateTimeField, Model, QuerySet, TextField
from django.db.models.expressions import RawSQL

from lianxin.kernel.bigrams import bigrams, fold
from lianxin.kernel.ids import normalise_case_number, valid_case_number

from .likeness import EVEN, Rarity
from .models import Case

# What full text is searched in: the expression of the index `case_grams`, word for word.
SPOKEN = "cases_case.title || ' ' || cases_case.words || ' ' || cases_case.place_text"
WORDS = 6
COMMON = 0.02  # of all cases: a page of fifty is full after walking 2,500
WALKED = 5_000  # cases looked at on the way before the index is asked after all: ten microseconds each
WALKED_ALONE = 20_000  # the same for one character alone, which the index does not know
PAGES = 3  # so many pages are expected in the stretch of newest cases that is asked first
# Matches stand all over the table, a page of it for each: what they cost is the disk where memory does not hold the table.
FEW = 1_000  # matches that may as well be sorted at once
RARE = 60  # cases of a word that the statistics do not know that are fetched to see whether there are more
FRESH_FOR = 600.0  # seconds
TELLING, TELLING_PAIRS = 1_000, 200  # cases, and pairs known, from which it can be said what is rare
# Orders that no index has. PostgreSQL would else sometimes walk an index in order and take every message on the way apart,
# sure to meet enough that match; this way it lets the index on pairs find them and sorts what was found.
_NEWEST_FIRST = RawSQL("cases_case.id::text COLLATE \"C\"", [], TextField()).desc()
_DUE_FIRST = RawSQL("cases_case.due_at + interval '0'", [], DateTimeField()).asc()

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class _Known:
    """How many cases there are, in what share of them the common pairs stand, and ids that cut them into parts of equal
    number, oldest first, as PostgreSQL's statistics say. No pair they do not know has a share above `least`."""

    cases: float
    shares: dict[str, float]
    bounds: list[UUID]
    read_at: float
    rarity: Rarity = EVEN
    least: float = 0.0

    def edge(self, reach: float) -> UUID | None:
        """An id with about `reach` cases from it on; None when there are not so many. Any id would be right, this one
        makes the stretch a good one."""
        parts = len(self.bounds) - 1
        if parts < 1 or reach >= self.cases:
            return None
        place = parts * (1 - reach / self.cases)
        part = min(int(place), parts - 1)
        low, high = (bound.int for bound in self.bounds[part:part + 2])
        return UUID(int=low + int((high - low) * (place - part)))


_known: _Known | None = None


def forget() -> None:
    """Drop the statistics: between tests."""
    global _known
    _known = None


def _statistics() -> _Known:
    global _known
    if _known is None or time.monotonic() - _known.read_at > FRESH_FOR:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats WHERE schemaname = "
                "current_schema() AND tablename = 'case_grams'")
            grams, shares = cursor.fetchone() or (None, None)
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'cases_case'::regclass")
            cases = cursor.fetchone()[0]
            cursor.execute(
                "SELECT histogram_bounds::text::uuid[] FROM pg_stats WHERE schemaname = current_schema() AND "
                "tablename = 'cases_case' AND attname = 'id'")
            bounds = (cursor.fetchone() or (None,))[0]
        grams, shares = grams or [], shares or []
        # The last three numbers are the least and greatest share and that of nothing.
        found = dict(zip(grams, shares, strict=False))
        enough = cases >= TELLING and len(found) >= TELLING_PAIRS
        _known = _Known(max(cases, 0.0), found, bounds or [], time.monotonic(), Rarity(found) if enough else EVEN,
                        shares[len(grams)] if len(shares) > len(grams) else 0.0)
    return _known


def rarity() -> Rarity:
    """How rare pairs of characters are in the city's own cases, as PostgreSQL's statistics say; all the same in a city with
    few cases."""
    return _statistics().rarity


def share(text: str, unknown: float = 0.0) -> float:
    """In what share of all cases the words stand together, by guess; `unknown` for a pair that the statistics do not know."""
    known = _statistics().shares
    return prod(min((known.get(gram, unknown) for gram in bigrams(word)), default=1.0) for word in _words(text))


def passing(queryset: QuerySet[Case], *, limit: int) -> tuple[float, bool]:
    """How many cases the filters of `queryset` let through, by PostgreSQL's guess, and whether `limit` of them, newest
    first, are read without passing others by. It is planned, nothing is read."""
    if not queryset.query.where:
        return _statistics().cases, True
    said = queryset.order_by("-id").values("id")[:limit].explain(format="json")
    if not said:  # a filter that nothing passes, such as an unknown category: Django does not even ask
        return 0.0, True
    [plan] = json.loads(said)
    source = plan["Plan"].get("Plans", [plan["Plan"]])[0]  # what the limit stands over
    return float(source["Plan Rows"]), source["Node Type"].startswith("Index") and "Filter" not in source


def has_pairs(text: str) -> bool:
    """Whether the index knows any of it."""
    return any(bigrams(word) for word in _words(text))


def is_common(text: str) -> bool:
    """Whether a list had better be walked than the index asked."""
    return not number_in(text) and (not has_pairs(text) or share(text) >= COMMON)


def _words(text: str) -> list[str]:
    return text.replace("\x00", "").split()[:WORDS]


def _said(queryset: QuerySet[M], word: str) -> QuerySet[M]:
    return queryset.filter(RawSQL(f"strpos(lianxin_fold({SPOKEN}), %s) > 0", [fold(word)], BooleanField()))


def number_in(text: str) -> str:
    """The case number that `text` is, or nothing. A telephone number has as many digits, but seldom the right check digit."""
    return normalise_case_number(text) if valid_case_number(text) else ""


def matching(queryset: QuerySet[Case], text: str) -> QuerySet[Case]:
    """Cases whose title, words or place hold every word of `text`; two characters inside a sentence are found.

    The index on bigrams finds the candidates; a plain search confirms them where the bigrams alone do not. A case
    number finds its case.
    """
    if number := number_in(text):
        return queryset.filter(number=number)
    for word in _words(text):
        grams = bigrams(word)
        if grams:
            queryset = queryset.filter(RawSQL(f"lianxin_bigrams({SPOKEN}) @> %s", [grams], BooleanField()))
        if len(grams) != 1 or grams[0] != fold(word):  # one pair that is the whole word needs no second look
            queryset = _said(queryset, word)
    return queryset


def walking(queryset: QuerySet[M], text: str) -> QuerySet[M]:
    """The same as `matching`, each row looked at: for what is few. Works on what is joined with its case, too."""
    for word in _words(text):
        queryset = _said(queryset, word)
    return queryset


def walked(queryset: QuerySet[Case], text: str, *columns: str, limit: int) -> list[tuple[Any, ...]] | None:
    """`columns` of the first `limit` cases of an ordered `queryset` that hold every word of `text`.

    None when too many cases were looked at in vain.
    """
    most = WALKED if has_pairs(text) else WALKED_ALONE
    try:
        inner, values = queryset.values(*columns, "title", "words", "place_text")[:most].query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing passes, such as an unknown category
        return []
    words = [fold(word) for word in _words(text)]
    tests = " AND ".join([f"strpos(lianxin_fold({SPOKEN}), %s) > 0"] * len(words)) or "true"
    with connection.cursor() as cursor:
        # PostgreSQL stops the walk inside as soon as it has enough, and keeps its order.
        cursor.execute(f"SELECT {', '.join(columns)} FROM ({inner}) AS cases_case WHERE {tests} LIMIT %s",
                       [*values, *words, limit])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    if len(found) == limit or most == WALKED_ALONE or not queryset.values("id")[most:most + 1].exists():
        return found
    return None


def _if_few(queryset: QuerySet[Case], text: str) -> list[UUID] | None:
    """Ids of all cases of `queryset` that hold every word of `text`, newest first; None when they are more than `RARE`."""
    try:
        inner, values = matching(queryset, text).order_by().values("id").query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        # Planned as if all were wanted – by the index on pairs, not by reading on until there are enough – and ended early.
        cursor.execute(f"WITH found AS MATERIALIZED ({inner}) SELECT id FROM found LIMIT %s", [*values, RARE + 1])
        found: list[UUID] = sorted((row[0] for row in cursor.fetchall()), reverse=True)
    return found if len(found) <= RARE else None


def newest_matching(queryset: QuerySet[Case], text: str, *, limit: int) -> list[UUID]:
    """Ids of at most `limit` cases of `queryset` that hold every word of `text`, newest first."""
    known, part = _statistics(), 0.0 if number_in(text) else share(text)
    held, in_order = passing(queryset, limit=int(min(limit / part, known.cases + 1)) if part else limit)
    expected = part * held
    # Fewer to fetch than to pass by: a list in whose order no index is had better not be walked for them.
    fewer = 0 < expected**2 < limit * known.cases
    if is_common(text) and (in_order or not fewer):
        on_the_way = walked(queryset.order_by("-id"), text, "id", limit=limit)
        if on_the_way is not None:
            return [row[0] for row in on_the_way]
    found = matching(queryset, text).order_by(_NEWEST_FIRST).values_list("id", flat=True)
    if not part and not number_in(text):
        # No more is known than that it is seldomer than all that is known: a handful, or thousands.
        expected = share(text, unknown=known.least) * held
        if expected >= FEW:
            all_there_are = _if_few(queryset, text)
            if all_there_are is not None:
                return all_there_are[:limit]
    edge = known.edge(PAGES * limit * known.cases / expected) if expected >= FEW else None
    if edge is None:
        return list(found[:limit])
    ids = list(found.filter(id__gte=edge)[:limit])
    return ids if len(ids) == limit else ids + list(found.filter(id__lt=edge)[:limit - len(ids)])


def due_matching(queryset: QuerySet[Case], text: str, *, limit: int) -> list[tuple[datetime, UUID]]:
    """Due times and ids of at most `limit` open cases of `queryset` that hold every word of `text`, due first."""
    if is_common(text):
        on_the_way = walked(queryset.order_by("due_at", "id"), text, "due_at", "id", limit=limit)
        if on_the_way is not None:
            return [(row[0], row[1]) for row in on_the_way]
    return list(matching(queryset, text).order_by(_DUE_FIRST, "id").values_list("due_at", "id")[:limit])  # type: ignore[arg-type]
