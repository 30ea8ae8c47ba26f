"""Where the bridge's events go: through `receiving.receive`, as if the telephone system had posted them itself."""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError, close_old_connections

from lianxin.kernel.errors import Conflict, DomainError
from lianxin.organisations.actors import SYSTEM

from ..models import OVER, Agent, AgentSpell, AgentState, Call
from ..receiving import Said, receive
from .bridge import Unkept
from .events import Told

log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)


class Database:
    """See `bridge.Keeper`."""

    def keep(self, told: Told) -> None:
        said = Said(id=told.id, call=told.call, kind=told.kind, at=told.at, line=told.queue, number=told.number,
                    extension=told.extension, to=told.to, recording=told.recording)
        try:
            receive(said, by=SYSTEM)
        except AWAY as error:
            close_old_connections()
            raise Unkept(type(error).__name__) from error
        except Conflict as error:
            if error.code == "held_by_another":
                raise Unkept(error.code) from error
            log.debug("%s of %s: told before, or too late (%s)", told.kind, told.call, error.code)
        except DomainError as error:  # nothing will ever make it right; the next event is not kept waiting for it
            log.warning("%s of %s was left aside: %s %s", told.kind, told.call, error.code, sorted(error.fields))

    def open_calls(self) -> list[str]:
        try:
            return list(Call.objects.exclude(state__in=OVER).values_list("system_id", flat=True))
        except AWAY as error:
            close_old_connections()
            raise Unkept(type(error).__name__) from error

    def telephones(self) -> list[tuple[str, bool, str]]:
        try:
            states = {spell.agent_id: spell for spell in AgentSpell.objects.filter(ended_at__isnull=True)}
            found: list[tuple[str, bool, str]] = []
            for agent in Agent.objects.exclude(extension=""):
                spell = states.get(agent.pk)
                if spell is None or spell.state != AgentState.ON_CALL:  # one that is talking is not rung as it is
                    ready = spell is not None and spell.state == AgentState.READY
                    found.append((agent.extension, ready, "" if ready or spell is None else spell.reason or spell.state))
            return found
        except AWAY as error:
            close_old_connections()
            raise Unkept(type(error).__name__) from error
