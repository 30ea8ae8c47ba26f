"""Who looks after other systems, and who reads of them: the hotline's keepers all of it, a unit's people what is their unit's."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role
from lianxin.organisations.scopes import named

KEEPERS = (Role.SUPERVISOR, Role.ADMINISTRATOR)
OF_UNITS = (Role.CLERK, Role.HEAD)
KEEP = named("keep_exchange", _("外部系统：维护对照，重新发送，核对"))


def keeps(actor: Actor) -> bool:
    """Whether somebody looks after the systems – letters that cannot be sent, mappings, what differs: supervisors and administrators
    of the hotline."""
    return actor.holds_in_hotline(*KEEPERS) and actor.scoped(KEEP)


def reads(actor: Actor) -> bool:
    """Whether somebody has a page about other systems at all."""
    return keeps(actor) or (actor.scopes is None and actor.has(*OF_UNITS))


def visible_to(actor: Actor) -> Q:
    """The systems somebody reads of: all for keepers, else those of the units whose clerk or head they are."""
    if keeps(actor):
        return Q()
    return Q(unit__in=[grant.unit_id for grant in actor.grants if grant.role in OF_UNITS]) if reads(actor) else Q(pk__in=[])


def settles(actor: Actor, unit_id: int | None) -> bool:
    """Whether somebody decides about a prepared reply of a unit: its clerks."""
    return actor.scopes is None and any(grant.role is Role.CLERK and grant.unit_id == unit_id for grant in actor.grants)
