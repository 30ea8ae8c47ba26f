"""Who sees how the telephones stand. Who tells of calls: `receiving.can_tell`; who sits at one: `agents.is_agent`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role

HEARERS = (Role.OPERATOR, Role.DISPATCHER, Role.REVIEWER, Role.CALLBACK, Role.SUPERVISOR)
READERS = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR, Role.LEADER, Role.SWITCHBOARD)


def reads(by: Actor) -> bool:
    """Whether somebody sees the counts of queues and agents: those of the hotline who work with them or lead it."""
    return by.holds_in_hotline(*READERS)


def hears(by: Actor) -> bool:
    """Whether somebody sees the calls of a case and where their recordings are, if they may read who raised it, too: the hotline,
    which speaks with reporters; units work from what was written down."""
    return by.holds_in_hotline(*HEARERS)


def need_reader(by: Actor) -> None:
    """Raises NotAllowed for who does not."""
    if not reads(by):
        raise NotAllowed(_("话务数字给热线的话务员、派单员和督办员看。"))
