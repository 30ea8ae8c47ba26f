"""Buttons, the API's list of actions and the engine say the same: also to somebody with posts in two units of one case."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from lianxin.api.reads import actions_for
from lianxin.cases.models import Assignment, Case, State
from lianxin.cases.queries_clocks import not_now
from lianxin.desk.reading import choices_for
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, Invalid, NotAllowed
from lianxin.organisations.models import Role, RoleGrant
from lianxin.supervision import actions as supervising
from tests.cases.desks import other_desk
from tests.cases.ways import STEPS, at_state, take
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", [State.DISPATCHED, State.IN_HAND, State.CALLBACK])
def test_what_is_offered_is_what_is_taken(world: World, monday: Frozen, state: State) -> None:
    # `water` assists as a clerk and supervises in `urban`, which has the lead.
    RoleGrant.objects.create(staff=world.staff["water"], role=Role.SUPERVISOR, unit=world.units["urban"])
    case_id = at_state(world, state)
    with other_desk():
        _agree(world, case_id)


def _agree(world: World, case_id: uuid.UUID) -> None:
    case, open_ones = Case.objects.get(pk=case_id), list(Assignment.objects.filter(case=case_id, ended_at__isnull=True))
    idle = not_now(case) | supervising.not_now(case)
    for name in ("water", "urban", "west", "dispatcher", "callback"):
        actor = world.actor(name)
        offered = {choice.action: choice.allowed for choice in choices_for(actor, case, open_ones)}
        listed = {row["action"]: row["allowed"] for row in actions_for(actor, case, open_ones)}
        assert offered.items() <= listed.items()
        taken = {}
        for action in listed.keys() & STEPS.keys():
            with transaction.atomic():
                try:
                    take(world, case_id, action, by=name)
                    taken[action] = True
                except NotAllowed:
                    taken[action] = False
                except Invalid:  # the fields are another unit's; the step was allowed
                    taken[action] = True
                except Conflict:  # it was allowed, but may have nothing to act on
                    taken[action] = action not in idle
                transaction.set_rollback(True)
        assert listed == taken, name
        assert taken["attach"] or name in ("dispatcher", "callback")
