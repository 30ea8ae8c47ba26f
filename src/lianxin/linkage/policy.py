"""Who works the link with other desks: the hotline's people, for the whole city."""

from __future__ import annotations

from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

WORKERS = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR)
KEEPERS = (Role.SUPERVISOR, Role.ADMINISTRATOR)
REVIEWERS = (Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER)
WORK, KEEP = "linkage", "keep_linkage"  # what a token's scopes call them


def _scoped(actor: Actor, scope: str) -> bool:
    return actor.scopes is None or bool(actor.scopes & {scope, "*"})


def works(actor: Actor) -> bool:
    """Whether somebody takes and makes offers: operators, dispatchers and supervisors of the hotline."""
    return actor.holds_in_hotline(*WORKERS) and _scoped(actor, WORK)


def keeps(actor: Actor) -> bool:
    """Whether somebody looks after the link itself – letters that cannot be sent, mappings, keys: supervisors and administrators."""
    return actor.holds_in_hotline(*KEEPERS) and _scoped(actor, KEEP)


def rules(actor: Actor) -> bool:
    """Whether somebody settles with another desk whose a category is: supervisors."""
    return actor.holds_in_hotline(Role.SUPERVISOR) and _scoped(actor, KEEP)


def reviews(actor: Actor) -> bool:
    """Whether somebody reads the weekly figures. They name no person."""
    return actor.holds_in_hotline(*REVIEWERS) and _scoped(actor, WORK)
