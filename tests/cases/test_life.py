"""The life of a case from first word to closing, through the real actions."""

from __future__ import annotations

import pytest

from lianxin.cases import actions as a
from lianxin.cases.models import Case, State
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Conflict, NotAllowed, NotFound
from lianxin.quality import actions as q
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_long_way_of_one_case(world: World, monday: Frozen) -> None:
    case_id = world.case()
    on = world.on
    a.accept(on(case_id, "operator"), category="010102", area="990101001001")
    a.dispatch(on(case_id, "dispatcher"), lead_unit="urban")
    monday.move(minutes=30)
    a.raise_return(on(case_id, "urban"), reason="not_ours", evidence="施工噪声归住建局管。", suggested_unit="housing")
    a.uphold_return(on(case_id, "dispatcher"), ruling="同意，改派住建局。")
    a.dispatch(on(case_id, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    a.sign(on(case_id, "housing"))
    a.assist_sign(on(case_id, "urban"))
    a.assist_reply(on(case_id, "urban"), private_note="已巡查。")
    a.record_contact(on(case_id, "housing"), means="phone", reached=True)
    a.reply(on(case_id, "housing"), public_answer="已责令停工。", solved=True, private_note="罚款另案。")
    q.send_back(on(case_id, "reviewer"), reason="没有写明何时停工。")
    a.reply(on(case_id, "housing"), public_answer="已责令 22 时后停工。", solved=True)
    q.approve(on(case_id, "reviewer"))
    q.record_callback_attempt(on(case_id, "callback"), outcome="reached", solved=False, satisfaction="dissatisfied")
    assert Case.objects.get(pk=case_id).round == 2, "redone by itself"
    a.sign(on(case_id, "housing"))
    a.reply(on(case_id, "housing"), public_answer="已派人值守。", solved=True, means="phone")
    q.approve(on(case_id, "reviewer"))
    q.record_callback_attempt(on(case_id, "callback"), outcome="no_answer")
    with pytest.raises(Conflict):
        q.close(on(case_id, "callback"))
    q.record_callback_attempt(on(case_id, "callback"), outcome="reached", solved=True, satisfaction="satisfied")
    q.close(on(case_id, "callback"))
    case = Case.objects.get(pk=case_id)
    assert (case.state, case.outcome, case.returns) == (State.CLOSED, "solved", 1)
    assert differences(case_id) == []


def test_a_version_seen_earlier_is_told(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher", version=2), lead_unit="housing")
    with pytest.raises(Conflict) as caught:
        a.dispatch(world.on(case_id, "dispatcher", version=2), lead_unit="urban")
    assert caught.value.current["state"] == "dispatched"


def test_the_same_write_sent_again_happens_once(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    first = a.dispatch(world.on(case_id, "dispatcher", key=b"k" * 32), lead_unit="housing")
    again = a.dispatch(world.on(case_id, "dispatcher", key=b"k" * 32), lead_unit="housing")
    assert again.replayed
    assert again.event_id == first.event_id
    with pytest.raises(Conflict):
        a.dispatch(world.on(case_id, "dispatcher", key=b"k" * 32), lead_unit="urban")


def test_another_unit_does_not_even_see_it(world: World, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    with pytest.raises(NotFound):
        a.sign(world.on(case_id, "water"))
    with pytest.raises(NotAllowed):
        a.sign(world.on(case_id, "operator"))
