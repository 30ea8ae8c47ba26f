"""Finding an answer to read out."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from lianxin.kernel.bigrams import bigrams

from .models import Article


def search(text: str, *, on: date, category_codes: tuple[str, ...] = (), limit: int = 3) -> list[Article]:
    """Articles in force whose title, questions or keywords share the most with the text.

    A keyword in the text weighs most; an article of a suggested category gets a head start.
    """
    grams = set(bigrams(text))
    if not grams:
        return []
    scored: list[tuple[float, Article]] = []
    in_force = Article.objects.filter(active=True, valid_from__lte=on).select_related("category")
    for article in in_force.filter(Q(review_by__isnull=True) | Q(review_by__gte=on)):
        asked = [article.title, *article.questions]
        best = max(len(grams & set(bigrams(q))) / max(len(set(bigrams(q))), 1) for q in asked)
        score = best + 0.5 * sum(word in text for word in article.keywords)
        if article.category and article.category.code in category_codes:
            score += 0.4
        if score >= 0.5:
            scored.append((score, article))
    scored.sort(key=lambda item: -item[0])
    return [article for _score, article in scored[:limit]]
