"""Changing the grids of a village, by those who organise the town's field work – and whose grid it is afterwards.

`places.grids` does the drawing. Here stands who may, and that nobody loses their grid by it: who had a grid that was cut has both
parts, who had one that was merged away has what it became.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from shapely.geometry.base import BaseGeometry

from lianxin.cases import reference as city
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import RoleGrant
from lianxin.places import grids
from lianxin.places.drawing import Drawn
from lianxin.places.grids import Changed
from lianxin.places.models import Area

from .leads import access_village


def _give(grant: RoleGrant, area_id: int, by: Actor) -> None:
    if not RoleGrant.objects.filter(staff=grant.staff_id, role=grant.role, unit=grant.unit_id, area_id=area_id,
                                    ended_at__isnull=True).exists():
        RoleGrant.objects.create(staff_id=grant.staff_id, role=grant.role, unit_id=grant.unit_id, area_id=area_id,
                                 granted_at=now(), granted_by_id=by.staff_id)


def _follow(done: Changed, by: Actor) -> None:
    """Grants follow the land."""
    named = {code for pair in (*done.made, *done.ended) for code in pair if code}
    ids = dict(Area.objects.filter(code__in=named).values_list("code", "pk"))
    standing = RoleGrant.objects.filter(ended_at__isnull=True)
    for new, source in done.made:
        for grant in standing.filter(area_id=ids[source]) if source else ():
            _give(grant, ids[new], by)
    for gone, heir in done.ended:
        for grant in standing.filter(area_id=ids[gone]):
            _give(grant, ids[heir], by)
            grant.ended_at = now()
            grant.save(update_fields=["ended_at"])


def _do(village: str, by: Actor, change: Callable[..., Changed], **given: Any) -> Changed:
    held = access_village(by, village)
    if by.staff_id is None:
        raise AssertionError("grids are changed by a person")
    with transaction.atomic():
        done = change(village=held.code, by_id=by.staff_id, **given)
        _follow(done, by)
        transaction.on_commit(city.forget)
    return done


def split(*, village: str, version: int, grid: str, line: BaseGeometry, name: str, why: str, by: Actor, kept_name: str = "") -> Changed:
    """拆分, see `places.grids.split`. Raises NotFound for a village that is not the actor's, NotAllowed, Invalid and Conflict."""
    return _do(village, by, grids.split, version=version, grid=grid, line=line, name=name, kept_name=kept_name, why=why)


def merge(*, village: str, version: int, grid: str, other: str, why: str, by: Actor, name: str = "") -> Changed:
    """合并, see `places.grids.merge`. A grid that the dispatch catalogue names stays: its rules would speak of nothing. Raises as
    `split` does."""
    access_village(by, village)
    known = city.reference()
    goes = known.places_by_code.get(other)
    if goes is not None and any(area == goes.id for _category, area in known.rules):
        raise Conflict(_("派单目录里有专门写给“%s”的规则。请先改目录，再合并。") % goes.name, code="in_catalogue")
    return _do(village, by, grids.merge, version=version, grid=grid, other=other, name=name, why=why)


def rename(*, village: str, version: int, grid: str, name: str, why: str, by: Actor) -> Changed:
    """改名. Raises as `split` does."""
    return _do(village, by, grids.rename, version=version, grid=grid, name=name, why=why)


def redraw(*, village: str, version: int, drawn: Sequence[Drawn], why: str, by: Actor) -> Changed:
    """重新画界, see `places.grids.redraw`. Raises as `split` does, and `Misdrawn`."""
    return _do(village, by, grids.redraw, version=version, drawn=drawn, why=why)
