"""What was said about a matter goes when its time is over; who did what when stays."""

from __future__ import annotations

import pytest

from lianxin.cases import actions as a
from lianxin.kernel.clock import Frozen, now
from lianxin.linkage import deciding
from lianxin.linkage.housekeeping import keep_house
from lianxin.linkage.models import Handover, HandoverStep, Outgoing, OutgoingState
from tests.linkage.peer import Peer, partner
from tests.world import World

pytestmark = pytest.mark.django_db


def test_words_go_with_their_case_and_what_never_became_one_by_itself(world: World, monday: Frozen, settings: object) -> None:
    settings.LIANXIN_RETENTION_DAYS = {**settings.LIANXIN_RETENTION_DAYS, "words": 100}  # type: ignore[attr-defined]
    desk = partner()
    by = world.actor("operator")
    refused, taken, waiting = Peer(desk), Peer(desk), Peer(desk)
    deciding.refuse(by, refused.offer(reason="像是噪声"), reason="other", words="请找社区。")
    case = deciding.accept(by, taken.offer(reason="邻里纠纷"), category="010102")
    waiting.offer()
    a.answer_on_the_spot(world.on(case.pk, "operator"), public_answer="已调解。", means="phone")
    taken.say("close", Handover.objects.get(matter_id=taken.matter).pk)
    Outgoing.objects.update(state=OutgoingState.SENT, sent_at=now())
    steps = HandoverStep.objects.count()
    monday.move(days=31)
    done = keep_house(now())
    assert done["messages"] == Outgoing.objects.count()
    assert done["words"] == 0
    monday.move(days=80)
    assert keep_house(now())["words"] > 0
    assert HandoverStep.objects.count() == steps
    kept = {one.matter_id: (one.payload is not None, one.steps.filter(words__isnull=False).exists()) for one in Handover.objects.all()}
    assert kept == {refused.matter: (False, False), taken.matter: (False, False), waiting.matter: (True, False)}
    assert keep_house(now())["words"] == 0
