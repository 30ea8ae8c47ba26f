"""What a load would undo: changes of the catalogue that were approved at the desk and that the files do not hold."""

from __future__ import annotations

from django.utils.translation import gettext as _

from lianxin.cases.catalogue.content import Difference, Line, compare, content_of, newest
from lianxin.cases.models import CatalogueSource, CatalogueVersion

from .plan import Plan


class Undoing(Exception):
    """Loading these files would undo what was decided at the desk; nothing was written."""

    def __init__(self, undone: list[Difference]) -> None:
        self.undone = undone
        super().__init__(_("装入会撤销派单目录里 %d 处经审定的改动，没有改动数据库。") % len(undone))


def changes(plan: Plan) -> list[Difference]:
    """What the catalogue of the files would change in the newest version."""
    latest = newest()
    return compare(content_of(latest) if latest is not None else (), (rule.said() for rule in plan.rules))


def undone(plan: Plan) -> list[Difference]:
    """Of these, what was decided at the desk since a file was loaded last. A file that holds the same undoes nothing."""
    latest = newest()
    if latest is None or latest.source == CatalogueSource.FILES:
        return []
    loaded = CatalogueVersion.objects.filter(source=CatalogueSource.FILES).order_by("-number").first()
    before = content_of(loaded) if loaded is not None else ()
    decided = {one.key for one in compare(before, content_of(latest))}
    return [one for one in changes(plan) if one.key in decided]


def _units(line: Line | None) -> str:
    if line is None:
        return _("没有这一条")
    return " + ".join((line.lead, *line.assisting))


def said(one: Difference) -> str:
    """One difference as a line of the terminal: category, area, now, and in the files."""
    line = one.line
    return _("%(category)s × %(area)s（%(day)s 起）：现为 %(now)s，文件为 %(then)s") % {
        "category": line.category or "*", "area": line.area or "*", "day": line.valid_from or "…",
        "now": _units(one.before), "then": _units(one.after)}
