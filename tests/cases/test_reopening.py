"""Reopening when there is nobody to give the case back to: it waits for dispatch."""

from __future__ import annotations

from datetime import date

import pytest

from lianxin.cases import actions as a
from lianxin.cases import reference
from lianxin.cases.models import Case, State
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.quality import actions as q
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_case_that_no_unit_ever_had_waits_for_dispatch(world: World, monday: Frozen) -> None:
    case_id = world.accepted("010103")
    a.answer_on_the_spot(world.on(case_id, "operator"), public_answer="水费可以在网上交。", means="phone")
    q.reopen(world.on(case_id, "supervisor"), reason="答非所问。")
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.round, case.lead_unit_id, case.outcome) == (State.ACCEPTED, 2, None, "")
    assert case.due_at is not None
    assert differences(case_id) == []


def test_a_case_whose_unit_is_closed_by_now_waits_for_dispatch(world: World, monday: Frozen) -> None:
    case_id = world.accepted("010102")
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.sign(world.on(case_id, "housing"))
    a.reply(world.on(case_id, "housing"), public_answer="已停工。", solved=True, means="phone")
    q.approve(world.on(case_id, "reviewer"))
    world.units["housing"].active_to = date(2026, 11, 23)
    world.units["housing"].save()
    reference.forget()
    q.reopen(world.on(case_id, "callback"), reason="昨夜又施工。")
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.lead_unit_id) == (State.ACCEPTED, None)
    assert differences(case_id) == []
