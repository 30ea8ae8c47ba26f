"""What articles are found by: grams of two characters with weights, and whole words, in one table of PostgreSQL.

A gram's weight is that of BM25 (Robertson and Zaragoza, 2009, with k1 = 1.2, b = 0.4) over the fields of the version, the title
counting most and the answer least; its rarity is counted when somebody asks, so that one article's change touches no other
row. Whole words are the version's keywords, and the words that the city's synonyms put beside what stands in its title,
questions and keywords.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lianxin.kernel.bigrams import bigrams, fold

from .models import SynonymGroup, Term, Version, VersionState

FIELDS = (("title", 3.0), ("questions", 2.0), ("keywords", 2.5), ("answer", 0.5))
K1, B, USUAL = 1.2, 0.4, 120  # `USUAL` grams are a version's usual length
KEYWORD, SYNONYM = 3.0, 2.0
LONGEST = 40

Groups = Sequence[Sequence[str]]


def _texts(version: Version, field: str) -> list[str]:
    value = getattr(version, field)
    return [value] if isinstance(value, str) else list(value)


def whole_words(version: Version, groups: Groups) -> dict[str, float]:
    """The whole words that find a version: its keywords, and their synonyms, folded."""
    found = {fold(word)[:LONGEST]: KEYWORD for word in version.keywords if word.strip()}
    said = [fold(text) for field in ("title", "questions", "keywords") for text in _texts(version, field)]
    for group in groups:
        words = [fold(word)[:LONGEST] for word in group]
        if any(word in text for word in words for text in said):
            for word in words:
                found.setdefault(word, SYNONYM)
    return found


def terms_of(version: Version, groups: Groups) -> list[Term]:
    """The entries of one version."""
    counts: Counter[str] = Counter()
    for field, weight in FIELDS:
        for text in _texts(version, field):
            for gram in bigrams(text):
                counts[gram] += weight  # type: ignore[assignment]
    length = 1 - B + B * len(counts) / USUAL
    grams = [Term(version=version, term=gram, weight=count * (K1 + 1) / (count + K1 * length))
             for gram, count in counts.items()]
    words = [Term(version=version, term=word, whole=True, weight=weight)
             for word, weight in whole_words(version, groups).items()]
    return grams + words


def groups() -> Groups:
    return [list(words) for words in SynonymGroup.objects.values_list("words", flat=True)]


def enter(versions: Iterable[Version]) -> None:
    """Put versions that came into use into the index, in place of what stood there of them."""
    chosen = list(versions)
    held = groups()
    Term.objects.filter(version__in=chosen).delete()
    Term.objects.bulk_create([term for version in chosen for term in terms_of(version, held)], batch_size=2000)


def leave(version: Version) -> None:
    """Take a version that is no longer in use out of the index."""
    Term.objects.filter(version=version).delete()


def rebuild() -> int:
    """Make the whole index again, after the synonyms have changed. Returns the number of versions in it."""
    in_use = list(Version.objects.filter(state=VersionState.APPROVED))
    Term.objects.exclude(version__in=in_use).delete()
    enter(in_use)
    return len(in_use)


def filled() -> bool:
    """Whether every version in use is in the index: it is not after an update of the program that brought the index."""
    return not Version.objects.filter(state=VersionState.APPROVED, terms__isnull=True).exists()
