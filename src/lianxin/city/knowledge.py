"""Writing articles and synonyms: what the files say anew becomes a version in use, what the desk has written since stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lianxin.knowledge import index
from lianxin.knowledge.models import Article, SynonymGroup, Version, VersionState

from .plan import Plan
from .store import Ids
from .tables import Row

_PLAIN = ("title", "questions", "keywords", "answer", "basis", "source", "valid_from", "valid_until", "review_by", "public")


def _columns(row: Row, ids: Mapping[str, Ids]) -> dict[str, Any]:
    return {name: row[name] for name in _PLAIN} | {f"{name}_id": found.get(row[name]) for name, found in ids.items()}


def _end(version: Version, state: VersionState, at: datetime) -> None:
    version.state, version.ended_at = state, at
    version.save(update_fields=["state", "ended_at"])
    index.leave(version)


def articles(plan: Plan, ids: Mapping[str, Ids], at: datetime) -> int:
    """Articles by code. A row that says something else than the last version from a file is the next version, approved, for the
    files are decided outside; a row that says the same changes nothing, whatever the desk has written since. One that is gone
    from the files is withdrawn, unless it was never in them. Returns the number of rows."""
    of_files: dict[str, Version] = {}
    current: dict[str, Version] = {}
    last: dict[str, int] = {}
    for version in Version.objects.select_related("article").order_by("number"):
        code = version.article.code
        last[code] = version.number
        if version.written_by_id is None:
            of_files[code] = version
        if version.state == VersionState.APPROVED:
            current[code] = version
    fresh: list[Version] = []
    for row in plan.articles:
        code, said = row["code"], _columns(row, ids)
        before = of_files.get(code)
        back = before is not None and before.state == VersionState.WITHDRAWN and before.ended_by_id is None
        if before is not None and not back and all(getattr(before, name) == value for name, value in said.items()):
            continue
        article, _made = Article.objects.get_or_create(code=code)
        if code in current:
            _end(current[code], VersionState.REPLACED, at)
        fresh.append(Version(article=article, number=last.get(code, 0) + 1, state=VersionState.APPROVED, written_at=at,
                             decided_at=at, **said))
    Version.objects.bulk_create(fresh)
    index.enter(fresh)
    listed = {row["code"] for row in plan.articles}
    for code in of_files.keys() - listed:
        if code in current and current[code].written_by_id is None:
            _end(current[code], VersionState.WITHDRAWN, at)
    return len(plan.articles)


def synonyms(plan: Plan) -> int:
    """The groups of words as the file has them; the index is made again when they changed."""
    held = [list(words) for words in SynonymGroup.objects.order_by("id").values_list("words", flat=True)]
    changed = held != plan.synonyms
    if changed:
        SynonymGroup.objects.all().delete()
        SynonymGroup.objects.bulk_create([SynonymGroup(words=words) for words in plan.synonyms])
    if changed or not index.filled():
        index.rebuild()
    return len(plan.synonyms)
