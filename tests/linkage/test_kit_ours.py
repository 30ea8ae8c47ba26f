"""The same kit against the hotline itself, over HTTP, with its own sender: what is asked of others is kept here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from lianxin.cases import actions as a
from lianxin.linkage import deciding, signing
from lianxin.linkage.checking.findings import Untried, Verdict
from lianxin.linkage.checking.listener import Listener
from lianxin.linkage.checking.running import chosen, line, run
from lianxin.linkage.checking.session import Session
from lianxin.linkage.delivering import Sender
from lianxin.linkage.models import Handover, Partner
from lianxin.organisations.actors import reporter_for
from tests.linkage.peer import NAME, SECRET, partner
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NEXT = "whsec_bWV0YS1zZWNyZXQtZm9yLXRoZS1leGFtcGxlcy0wMDI="


@dataclass(slots=True)
class People:
    """The people of this hotline, by the services that their pages call."""

    world: World
    desk: Partner

    def do(self, what: str, *, handover: str, reference: str, **fields: Any) -> None:
        by = self.world.actor("operator")
        match what:
            case "acknowledge":
                deciding.acknowledge(by, UUID(handover))
            case "accept":
                deciding.accept(by, UUID(handover), category="010101")
            case "refuse":
                deciding.refuse(by, UUID(handover), reason=fields["reason"], words=fields["words"],
                                defaulted=fields.get("defaulted", False))
            case "negotiate":
                deciding.negotiate(by, UUID(handover), words=fields["words"], spoke_with="K001", three_way=True, agreed=fields["agreed"])
            case "progress":
                a.dispatch(self.world.on(self._case(handover), "dispatcher"), lead_unit="urban")
            case "outcome" if not fields.get("follow_up"):
                case_id = self._case(handover)
                a.withdraw(a_reporter(case_id), reason="双方和好，不用办了。")
            case "offer":
                made = self.world.accepted(words=fields["words"])
                a.offer_handover(self.world.on(made, "operator"), partner=self.desk.code, reason="属警务职责")
            case "withdraw":
                a.withdraw_handover(self.world.on(self._case(handover), "operator"), reason=fields["reason"])
            case "close":
                pass  # the hotline takes note of an outcome by itself
            case _:
                raise Untried("the hotline leaves nothing behind an outcome")

    def _case(self, handover: str) -> UUID:
        case_id = Handover.objects.values_list("matter__case_id", flat=True).get(pk=handover)
        assert case_id is not None
        return case_id


def a_reporter(case_id: UUID) -> Any:
    from lianxin.cases.engine import On

    return On(case_id, reporter_for(case_id))


def test_the_hotline_keeps_every_rule(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LIANXIN_LINKAGE_RETRY_MILLISECONDS", 200)
    world, desk = World.make(), partner()
    signing.add_secret(desk, NEXT)
    with Listener("127.0.0.1", 0, NAME, settings.LIANXIN_LINKAGE_NAME, [SECRET, NEXT]) as listener:
        Partner.objects.filter(pk=desk.pk).update(url=f"http://127.0.0.1:{listener.port}")
        sender = Sender(threads=2)
        sender.start()
        try:
            session = Session(live_server.url, NAME, settings.LIANXIN_LINKAGE_NAME, [SECRET, NEXT], listener, People(world, desk),
                              patience=10.0, by_hand=10.0)
            found = run(session, chosen([]))
        finally:
            sender.stop()
    assert [line(finding) for finding in found if finding.verdict is Verdict.FAILED] == []
    assert [finding.check.name for finding in found if finding.verdict is Verdict.UNTRIED] == ["life.followup"]
