"""Whose figures a person may read: the city's, their county's, or their own unit's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext_lazy as _

from lianxin.cases import policy
from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role, Unit
from lianxin.places.models import Area

from .source import Asked

READERS: Final = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER, Role.HEAD, Role.CLERK)
NO_READER: Final = _("您的岗位不看统计报告。")


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit or county to choose: its code and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What a person may ask for. `city` is everything; else the counties and units named, in the order of their codes."""

    city: bool
    counties: tuple[Choice, ...]
    units: tuple[Choice, ...]

    def fitted(self, asked: Asked) -> Asked:
        """The same question narrowed to what this person may read: without a unit or a county, the first that is theirs.
        Raises NotAllowed for another's."""
        if self.city:
            return asked
        units = {choice.code for choice in self.units}
        counties = {choice.code for choice in self.counties}
        if asked.unit in units or asked.county in counties:
            return asked
        if asked.unit or asked.county:
            raise NotAllowed(_("您只能看本单位或本县市区的统计。"))
        if self.counties:
            return replace(asked, county=self.counties[0].code)
        if self.units:
            return replace(asked, unit=self.units[0].code)
        raise NotAllowed(NO_READER)


def reach_of(actor: Actor) -> Reach:
    """From the same rule that says which cases a person may see, for the roles that read reports."""
    if actor.kind is Kind.SYSTEM:
        return Reach(True, _counties(None), _units(None))
    reading = replace(actor, grants=tuple(grant for grant in actor.grants if grant.role in READERS))
    scope = policy.scope_of(reading)
    if scope.everything:
        return Reach(True, _counties(None), _units(None))
    return Reach(False, _counties(scope.county_ids), _units(scope.unit_ids))


def _counties(ids: frozenset[int] | None) -> tuple[Choice, ...]:
    found = Area.objects.filter(level="county", active=True).order_by("code")
    if ids is not None:
        found = found.filter(pk__in=ids)
    return tuple(Choice(area.code, area.said) for area in found.only("code", "name", "name_en"))


def _units(ids: frozenset[int] | None) -> tuple[Choice, ...]:
    found = Unit.objects.order_by("code")
    if ids is not None:
        found = found.filter(pk__in=ids)
    return tuple(Choice(unit.code, unit.said) for unit in found.only("code", "name", "name_en"))
