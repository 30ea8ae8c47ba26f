"""Who works the link with other desks: the hotline's people, for the whole city."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role
from lianxin.organisations.scopes import named

WORKERS = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR)
KEEPERS = (Role.SUPERVISOR, Role.ADMINISTRATOR)
REVIEWERS = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER)
WORK = named("linkage", _("与其他单位的移交：发出、答复、复核"))
KEEP = named("keep_linkage", _("与其他单位的连接：维护对照、密钥和送不出去的消息"))


def works(actor: Actor) -> bool:
    """Whether somebody takes and makes offers: operators, dispatchers and supervisors of the hotline."""
    return actor.holds_in_hotline(*WORKERS) and actor.scoped(WORK)


def keeps(actor: Actor) -> bool:
    """Whether somebody looks after the link itself – letters that cannot be sent, mappings, keys: supervisors and administrators."""
    return actor.holds_in_hotline(*KEEPERS) and actor.scoped(KEEP)


def rules(actor: Actor) -> bool:
    """Whether somebody settles with another desk whose a category is: supervisors."""
    return actor.holds_in_hotline(Role.SUPERVISOR) and actor.scoped(KEEP)


def reviews(actor: Actor) -> bool:
    """Whether somebody reads the weekly figures. They name no person."""
    return actor.holds_in_hotline(*REVIEWERS) and actor.scoped(WORK)
