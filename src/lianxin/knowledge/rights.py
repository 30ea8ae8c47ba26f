"""Who may do what with an article. Everybody on the staff reads and reports; owners write; others decide."""

from __future__ import annotations

from lianxin.organisations.actors import Actor, Kind
from lianxin.organisations.models import Role

from .models import Report, Version

WRITERS = (Role.CLERK, Role.HEAD)
KEEPERS = (Role.SUPERVISOR, Role.HEAD)  # of the hotline


def _in_unit(actor: Actor, unit_id: int | None, *roles: Role) -> bool:
    return any(grant.unit_id == unit_id and grant.role in roles for grant in actor.grants)


def is_keeper(actor: Actor) -> bool:
    """A supervisor or head of the hotline, who answers for the whole of the knowledge base."""
    return actor.kind is Kind.STAFF and actor.holds_in_hotline(*KEEPERS)


def may_write(actor: Actor, unit_id: int | None) -> bool:
    """Write the next version of what a unit answers for: its clerks and heads, and the hotline's keepers."""
    return actor.kind is Kind.STAFF and (is_keeper(actor) or _in_unit(actor, unit_id, *WRITERS))


def may_begin(actor: Actor, unit_id: int | None = None) -> bool:
    """Open the form for what a unit answers for; without one, for what is new or nobody's: whoever writes for any unit."""
    if unit_id is not None:
        return may_write(actor, unit_id)
    return actor.kind is Kind.STAFF and (is_keeper(actor) or actor.has(*WRITERS))


def may_decide(actor: Actor, version: Version) -> bool:
    """Approve or refuse a draft: the owner's head or a keeper, and never its author."""
    return (actor.kind is Kind.STAFF and actor.staff_id != version.written_by_id
            and (is_keeper(actor) or _in_unit(actor, version.unit_id, Role.HEAD)))


def may_withdraw(actor: Actor, version: Version) -> bool:
    return actor.kind is Kind.STAFF and (is_keeper(actor) or _in_unit(actor, version.unit_id, Role.HEAD))


def may_answer(actor: Actor, report: Report) -> bool:
    """Answer what was said against an article."""
    return may_write(actor, report.unit_id)


__all__ = ["is_keeper", "may_answer", "may_begin", "may_decide", "may_withdraw", "may_write"]
