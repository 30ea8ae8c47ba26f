"""The emergency key: rung first, registered whatever is typed, offered once; what is typed later follows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lianxin.cases.actions import Intake
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.models import Case, Event, EventText, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid, NotAllowed, NotFound
from lianxin.linkage import emergency
from lianxin.linkage.emergency import Rest, more, press
from lianxin.linkage.models import Disclosure, Handover, Partner
from lianxin.telephony import commands, popping
from lianxin.telephony.commands import Commanded
from tests.linkage.peer import Peer, partner
from tests.telephony.ways import rings, seated, told
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(world: World, monday: Frozen) -> Partner:
    return partner()


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What the telephone was told, with how many cases there were then."""
    told: list[tuple[str, int]] = []

    def ring(staff_id: int, service: str) -> Commanded:
        told.append((service, Case.objects.count()))
        return Commanded(True, "conference", f"正在把 {service} 接进通话。")

    monkeypatch.setattr(commands, "emergency", ring)
    return told


def pressed(world: World, submission: str, service: str = "110", **intake: Any) -> emergency.Pressed:
    return press(world.actor("operator"), service=service, submission=submission,
                 intake=Intake(**{"words": "花园社区有人持刀追人", "channel": "phone", **intake}))


def test_it_rings_first_then_registers_then_offers(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    done = pressed(world, "s1", phone="13711239876")
    assert rung == [("110", 0)]
    case = Case.objects.get(pk=done.case_id)
    assert (case.number, case.urgency, case.linkage, case.channel) == (done.number, "urgent", "offered", "phone")
    assert done.code
    assert done.handover is not None
    assert (done.handover.emergency, done.handover.mode, done.handover.matter.partner_id) == (True, "transfer", desk.pk)
    (kind, body), = Peer.of(done.handover).heard()
    assert (kind, body["emergency"], body["words"], body["caller"]["phone"]) == ("offer", True, "花园社区有人持刀追人", "13711239876")


def test_the_call_lies_on_the_case_and_its_recording_is_named(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    seated(world)
    call = rings()
    told("answered", extension="8001")
    told("recording", recording="2026/03/02/c1.wav")
    done = pressed(world, "s1")
    pressed(world, "s1")
    assert [one.call_id for one in popping.of_case(Case.objects.get(pk=done.case_id))] == [call.pk]
    assert done.handover is not None
    (_kind, body), = Peer.of(done.handover).heard()
    assert body["call"] == "2026/03/02/c1.wav"
    told("ended")
    later = pressed(world, "s2")
    assert popping.of_case(Case.objects.get(pk=later.case_id)) == []


def test_pressed_twice_it_is_one_case_and_one_handover(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    one, two = pressed(world, "s1"), pressed(world, "s1", words="花园社区有人持刀追人，往桥头跑了")
    assert (one.case_id, one.handover) == (two.case_id, two.handover)
    assert (Case.objects.count(), Handover.objects.count()) == (1, 1)
    assert pressed(world, "s2").case_id != one.case_id


def test_nothing_typed_and_nothing_right_stops_nothing(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    done = pressed(world, "s1", words="  ", phone="13", category="nothing", accept=True, area="nowhere", lon=1.0, lat=None)
    case = Case.objects.get(pk=done.case_id)
    assert "紧急来电" in case.words
    assert (case.state, case.category_id, case.area_id, case.reporter_id, case.lon) == (State.REGISTERED, None, None, None, None)
    assert done.handover is not None


def test_without_a_linked_desk_the_call_is_put_through_by_hand(world: World, monday: Frozen) -> None:
    done = pressed(world, "s1")
    assert done.handover is None
    assert "请用电话转接" in str(done.why)
    assert done.phone is not None
    assert (done.phone.done, done.phone.how) == (False, "dial")
    assert Event.objects.filter(case_id=done.case_id, action="refer_emergency").count() == 1
    pressed(world, "s1")
    assert Event.objects.filter(case_id=done.case_id, action="refer_emergency").count() == 1


def test_a_second_service_is_asked_for_its_own_part(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    partner("120.hill", kind="ambulance", name="山城120")
    one, two = pressed(world, "s1"), pressed(world, "s1", "120")
    assert two.case_id == one.case_id
    assert two.handover is not None
    assert (two.handover.mode, two.handover.matter.partner.code) == ("joint", "120.hill")
    assert [service for service, _cases in rung] == ["110", "120"]


def test_what_is_typed_later_goes_to_the_case_and_to_the_other_desk(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    done, by = pressed(world, "s1"), world.actor("operator")
    assert done.handover is not None
    rest = Rest(n=1, piece="，往桥头跑了", place_text="花园路 8 号", category="010102", area="990101001001", name="文景之",
                phone="13711239876")
    assert more(by, "s1", rest) == []
    assert more(by, "s1", rest) == []  # sent again: nothing more
    case = Case.objects.select_related("category", "area").get(pk=done.case_id)
    assert case.category is not None
    assert case.area is not None
    assert (case.category.code, case.area.code) == ("010102", "990101001001")
    added = EventText.objects.filter(case=case, event__action="add_information").values_list("body", flat=True)
    assert list(added) == ["，往桥头跑了\n详细地址：花园路 8 号"]
    assert read_identity(world.on(case.pk, "operator"), why="回电").phone == "13711239876"
    said = Peer.of(done.handover).heard()
    assert [kind for kind, _body in said] == ["offer", "supplement", "supplement"]
    assert said[1][1]["words"] == "，往桥头跑了\n详细地址：花园路 8 号"
    assert said[2][1]["caller"]["phone"] == "13711239876"
    assert Disclosure.objects.count() == 1


def test_once_it_is_theirs_what_was_chosen_later_is_said_in_words(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    done = pressed(world, "s1")
    assert done.handover is not None
    peer = Peer.of(done.handover)
    peer.say("acknowledge", done.handover.pk, operator="0731")
    peer.say("accept", done.handover.pk, reference="JQ-1")
    assert Case.objects.get(pk=done.case_id).state == State.HANDED_OVER
    assert more(world.actor("operator"), "s1", Rest(n=1, piece="伤了一人", category="010102", phone="13711239876")) == []
    assert [body.get("words") for kind, body in peer.heard() if kind == "supplement"] == ["伤了一人\n事项：施工噪声", ""]


def test_one_wrong_thing_keeps_no_other_back(world: World, desk: Partner, rung: list[tuple[str, int]]) -> None:
    done = pressed(world, "s1", phone="13711239876")
    faults = more(world.actor("operator"), "s1", Rest(n=1, piece="换了电话", phone="13900000000"))
    assert len(faults) == 1
    assert "登记过的不改" in str(faults[0])
    assert EventText.objects.filter(case_id=done.case_id, event__action="add_information").count() == 1


def test_who_may_not_and_what_is_not_there(world: World, desk: Partner) -> None:
    intake = Intake(words="有人落水", channel="phone")
    with pytest.raises(NotAllowed):
        press(world.actor("reviewer"), service="110", intake=intake, submission="s1")
    with pytest.raises(Invalid):
        press(world.actor("operator"), service="122", intake=intake, submission="s1")
    with pytest.raises(Invalid):
        press(world.actor("operator"), service="110", intake=intake, submission="")
    with pytest.raises(NotFound):
        more(world.actor("operator"), str(uuid.uuid4()), Rest(n=1, piece="x"))
