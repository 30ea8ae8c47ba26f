"""联动 at the desk: offers that wait, one handover and its steps, alarms, the case's panel, the emergency keys, the link's keeping."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event, State
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.crypto import encrypt
from lianxin.linkage.models import (
    Handover,
    HandoverState,
    JointRule,
    Mapping,
    MappingChange,
    Outgoing,
    OutgoingState,
    Partner,
    Unmapped,
)
from tests.desk.conftest import SignIn, forgotten
from tests.linkage.peer import NAME, Peer, partner
from tests.world import World

pytestmark = pytest.mark.django_db
PAGE = "/desk/linkage/"


@pytest.fixture
def desk(world: World, monday: Frozen) -> Partner:
    return partner(fallback_phone="0730-8110000")


def out(world: World, desk: Partner, **more: Any) -> Handover:
    case_id = world.accepted(phone="13711239876", name="文景之")
    a.offer_handover(world.on(case_id, "dispatcher"), **{"partner": desk.code, "reason": "有人持械打架", **more})
    return Handover.objects.select_related("matter__partner").get(matter__case_id=case_id)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_it_is_for_those_who_work_the_link(world: World, desk: Partner, as_: SignIn) -> None:
    for username, status in (("operator", 200), ("dispatcher", 200), ("supervisor", 200), ("reviewer", 403), ("urban", 403),
                             ("east_supervisor", 403), ("admin", 403)):
        client = as_(username)
        assert client.get(PAGE).status_code == status, username
        assert ('href="/desk/linkage/"' in text(client.get("/desk/notices/"))) is (status == 200)
    for username, keeps, reviews in (("operator", 403, 403), ("dispatcher", 403, 200), ("supervisor", 200, 200), ("admin", 200, 403),
                                     ("leader", 403, 200)):
        client = as_(username)
        assert client.get("/desk/linkage/partners/").status_code == keeps, username
        assert client.get("/desk/linkage/review/").status_code == reviews, username


def test_empty_it_says_what_will_come(world: World, desk: Partner, as_: SignIn) -> None:
    page = text(as_("operator").get(PAGE))
    assert "没有等答复的" in page
    assert "没有在移交的" in page


def test_an_offer_waits_with_its_words_and_opening_it_tells_the_partner(world: World, desk: Partner, as_: SignIn) -> None:
    calm, urgent = Peer(desk), Peer(desk)
    calm.offer(words="楼上漏水，已平静", category={"code": "JF-3", "name": "邻里纠纷"})
    key = urgent.offer(words="有人要跳桥", emergency=True, place={"text": "洞庭大桥"},
                       caller={"shared": "full", "name": "文景之", "phone": "13711239876"})
    client = as_("operator")
    page = text(client.get(PAGE))
    assert page.index("有人要跳桥") < page.index("楼上漏水")
    assert "洞庭大桥" in page
    assert "对方称“邻里纠纷”" in page
    assert "文景之" not in page
    assert "13711239876" not in page
    assert re.search(r'data-due="2026-11-23T02:00:30\+00:00"[^>]*>剩 30 秒<', page)
    opened = client.post(f"{PAGE}{key}/open/", follow=True)
    assert Handover.objects.get(pk=key).state == HandoverState.ACKNOWLEDGED
    assert urgent.heard()[0][0] == "acknowledge"
    assert "137****9876" in text(opened)
    assert "文景之" not in text(opened)
    client.post(f"{PAGE}{key}/open/")
    assert len(urgent.heard()) == 1


def test_taken_it_is_a_case_with_the_partners_words(world: World, desk: Partner, as_: SignIn) -> None:
    Mapping.objects.create(partner=desk, what="category", ours="010102", theirs="ZS-1")
    peer = Peer(desk)
    key = peer.offer(category={"code": "ZS-1", "name": "噪声"})
    client = as_("operator")
    form = text(client.get(f"{PAGE}{key}/do/accept/"))
    assert 'value="010102 施工噪声"' in form
    done = client.post(f"{PAGE}{key}/do/accept/", {"category": "010102 施工噪声", "note": "马上派"}, follow=True)
    case = Case.objects.get()
    assert done.redirect_chain[-1][0] == f"/desk/cases/{case.pk}/"
    assert (case.state, case.category_id) == (State.ACCEPTED, world.categories["010102"].pk)
    assert forgotten(form, text(done))
    assert "与其他单位的移交" in text(done)
    assert "马上派" in text(done)


def test_refusing_needs_a_reason_and_keeps_what_was_typed(world: World, desk: Partner, as_: SignIn) -> None:
    peer = Peer(desk)
    key = peer.offer()
    client = as_("dispatcher")
    wrong = client.post(f"{PAGE}{key}/do/refuse/", {"reason": "", "words": "是交警的事"})
    assert wrong.status_code == 422
    assert "是交警的事" in text(wrong)
    client.post(f"{PAGE}{key}/do/refuse/", {"reason": "other", "words": "是交警的事"})
    assert Handover.objects.get(pk=key).refusal == "other"
    again = client.post(f"{PAGE}{key}/do/accept/", {})
    assert again.status_code == 409
    assert client.get(f"{PAGE}{key}/do/nothing/").status_code == 404
    assert client.get(f"{PAGE}{uuid.uuid4()}/").status_code == 404


def test_talking_and_telephoning_are_written_down(world: World, desk: Partner, as_: SignIn, monday: Frozen) -> None:
    handover = out(world, desk, emergency=True)
    monday.move(seconds=40)
    client = as_("operator")
    page = text(client.get(f"{PAGE}{handover.pk}/"))
    assert "0730-8110000" in page
    assert "超时 10 秒" in page
    later = client.post(f"{PAGE}{handover.pk}/do/phone/", {"spoke_with": "0731", "at": "2026-11-24T10:00", "agreed": "accepted"})
    assert later.status_code == 422
    client.post(f"{PAGE}{handover.pk}/do/phone/", {
        "spoke_with": "0731", "at": "2026-11-23T10:00", "agreed": "accepted", "words": "说马上出警"})
    client.post(f"{PAGE}{handover.pk}/do/negotiate/", {
        "spoke_with": "0731", "agreed": "theirs", "three_way": "on", "words": "三方通话，归110"}, headers={"hx-request": "true"})
    client.post(f"{PAGE}{handover.pk}/do/supplement/", {"words": "又来了两个人"})
    page = text(client.get(f"{PAGE}{handover.pk}/"))
    for said in ("与 0731 通话", "说接收", "说马上出警", "三方通话", "归对方", "又来了两个人"):
        assert said in page, said
    assert [kind for kind, _body in Peer.of(handover).heard()] == ["offer", "phone", "negotiate", "supplement"]


def test_the_case_shows_both_desks_words_and_what_can_be_done_to_the_hotline(world: World, desk: Partner, as_: SignIn) -> None:
    handover = out(world, desk)
    peer = Peer.of(handover)
    peer.say("acknowledge", handover.pk, operator="0731")
    peer.say("refuse", handover.pk, reason="not_police", words="不涉警，请城管看", operator="0731")
    case_id = handover.matter.case_id
    assert case_id is not None
    page = text(as_("dispatcher").get(f"/desk/cases/{case_id}/"))
    assert "与其他单位的移交" in page
    assert "不涉警，请城管看" in page
    assert "0731" in page
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    unit = text(as_("urban").get(f"/desk/cases/{case_id}/"))
    assert "与其他单位的移交" in unit
    assert "不涉警，请城管看" in unit
    assert f"{PAGE}{handover.pk}/" not in unit


def state(client: Client) -> dict[str, Any]:
    return dict(client.get(f"{PAGE}state/").json())


def test_what_is_heard(world: World, desk: Partner, as_: SignIn, monday: Frozen) -> None:
    client = as_("operator")
    assert state(client) == {"waiting": 0, "late": 0, "key": "", "words": "", "sound": "", "address": PAGE}
    peer = Peer(desk)
    key = peer.offer(emergency=True, words="有人要跳桥")
    told = state(client)
    assert (told["waiting"], told["late"], told["sound"]) == (1, 0, "urgent")
    assert "1 件紧急移交等您接：山城110" in told["words"]
    assert told["address"] == f"{PAGE}{key}/"
    client.post(f"{PAGE}{key}/open/")
    assert state(client)["sound"] == ""
    handover = out(world, desk)
    monday.move(minutes=16)
    told = state(client)
    assert told["late"] == 2  # the emergency was looked at and not answered, the other not looked at
    assert "移交山城110的超时" in told["words"]
    client.post(f"{PAGE}{handover.pk}/do/phone/", {"spoke_with": "0731", "at": "2026-11-23T10:16", "agreed": "unclear"})
    assert state(client)["late"] == 1


def test_an_emergency_not_taken_is_heard_until_somebody_sees_to_it(
        world: World, desk: Partner, as_: SignIn, monday: Frozen) -> None:
    client, handover = as_("operator"), out(world, desk, emergency=True)
    Peer.of(handover).say("refuse", handover.pk, reason="not_police", operator="0731")
    monday.move(seconds=1)
    told = state(client)
    assert (told["sound"], told["address"]) == ("urgent", f"{PAGE}{handover.pk}/")
    assert "山城110不接收紧急移交" in told["words"]
    a.refer_emergency(world.on(handover.matter.case_id, "operator"), service="119")
    assert state(client)["sound"] == ""


def pressed(**more: str) -> dict[str, str]:
    return {"submission": str(uuid.uuid4()), "words": "", "category": "", "area": "", "place_text": "", "lon": "", "lat": "",
            "name": "", "phone": "", **more}


def test_one_press_and_the_rest_follows_and_the_save_ends_it(world: World, desk: Partner, as_: SignIn) -> None:
    client, said = as_("operator"), pressed(words="花园社区有人打架")
    answer = client.post("/desk/call/emergency/110/", said)
    assert answer.status_code == 200
    case = Case.objects.get()
    handover = Handover.objects.get()
    assert f'data-number="{case.number}"' in text(answer)
    assert f'data-handover="{handover.pk}"' in text(answer)
    assert "data-undecided" in text(answer)
    assert "请马上用话机拨 110" in text(answer)  # no telephone system here
    more = client.post("/desk/call/emergency/more/", said | {"n": "1", "piece": "，拿着刀"})
    assert more.status_code == 200
    Peer.of(handover).say("acknowledge", handover.pk, operator="0731")
    seen = text(client.get("/desk/call/emergency/state/", {"submission": said["submission"]}))
    assert "0 秒后看到" in seen
    saved = client.post("/desk/call/", said | {"words": "花园社区有人打架，拿着刀，跑了", "do": "register", "n": "2", "piece": "，跑了",
                                              "category": "010102 施工噪声"}, follow=True)
    assert "已补齐" in text(saved)
    assert "data-draft-done" in text(saved)
    assert Case.objects.count() == 1
    case.refresh_from_db()
    assert case.category_id == world.categories["010102"].pk
    assert [body["words"] for kind, body in Peer.of(handover).heard() if kind == "supplement"] == ["，拿着刀", "，跑了"]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_piece_on_its_way_when_the_form_is_saved_comes_once(arrived: bool, world: World, desk: Partner, as_: SignIn) -> None:
    client, said = as_("operator"), pressed(words="花园社区有人打架")
    client.post("/desk/call/emergency/110/", said)
    if arrived:
        client.post("/desk/call/emergency/more/", said | {"n": "1", "piece": "，拿着刀"})
    client.post("/desk/call/", said | {
        "words": "花园社区有人打架，拿着刀，跑了", "do": "register", "n": "2", "piece": "，跑了",
        "under_way_n": "1", "under_way_piece": "，拿着刀"})
    assert [body["words"] for kind, body in Peer.of(Handover.objects.get()).heard() if kind == "supplement"] == ["，拿着刀", "，跑了"]


def test_the_case_just_made_is_not_offered_as_another_one_alike(world: World, desk: Partner, as_: SignIn) -> None:
    client, said = as_("operator"), pressed(words="花园社区楼下工地半夜打桩打架", area="990101001001")
    client.post("/desk/call/emergency/110/", said)
    number = Case.objects.get().number
    assert number in text(client.post("/desk/call/suggest/", said))
    assert number not in text(client.post("/desk/call/suggest/", said | {"pressed": said["submission"]}))


def test_a_press_that_cannot_be_taken_says_to_dial(world: World, desk: Partner, as_: SignIn) -> None:
    client = as_("operator")
    assert client.post("/desk/call/emergency/122/", pressed(words="车祸")).status_code == 422
    failed = client.post("/desk/call/emergency/110/", pressed(words="车祸", submission=""))
    assert failed.status_code == 422
    assert "请马上用话机拨 110" in text(failed)
    assert client.post("/desk/call/emergency/more/", pressed()).status_code == 404
    assert client.get("/desk/call/emergency/state/").status_code == 404
    assert as_("grid").post("/desk/call/emergency/110/", pressed()).status_code == 403
    assert Case.objects.count() == 0


def test_without_script_the_key_registers_and_offers(world: World, desk: Partner, as_: SignIn) -> None:
    page = as_("operator").post("/desk/call/", pressed(words="花园社区有人打架") | {"do": "110"}, follow=True)
    assert "已移交山城110" in text(page)
    assert Handover.objects.get().emergency
    page = as_("operator").post("/desk/call/", pressed(words="着火了") | {"do": "119"}, follow=True)
    assert "已记录转接 119" in text(page)


def agreed(world: World, desk: Partner, taken_by: str = "them", category: str = "010102") -> JointRule:
    return JointRule.objects.create(
        partner=desk, category=world.categories[category], taken_by=taken_by, proposed_by="us", proposer=world.staff["dispatcher"],
        approver=world.staff["supervisor"], approved_by_us_at=now(), approved_by_them_at=now(), words="会商定的")


def test_what_a_joint_rule_says_is_theirs_goes_in_one_key(world: World, desk: Partner, as_: SignIn) -> None:
    client = as_("operator")
    asked = {"words": "工地半夜打桩吵人", "category": "010102 施工噪声"}
    assert "F10" not in text(client.post("/desk/call/suggest/", asked))
    agreed(world, desk)
    assert f'value="transfer:{NAME}"' in text(client.post("/desk/call/suggest/", asked))
    page = client.post("/desk/call/", pressed(**asked) | {"do": f"transfer:{NAME}", "wish": "agrees"}, follow=True)
    assert "已移交山城110，等对方接收" in text(page)
    handover = Handover.objects.get()
    assert (handover.basis, handover.wish, handover.emergency) == ("clear", "agrees", False)
    against = client.post("/desk/call/", pressed(**asked) | {"do": f"transfer:{NAME}", "wish": "against"}, follow=True)
    assert "不愿意转" in text(against)
    assert Handover.objects.count() == 1
    other = client.post("/desk/call/", pressed(words="路灯不亮了", category="010101 路灯") | {"do": f"transfer:{NAME}"}, follow=True)
    assert "联合规则已经变了" in text(other)


def letter(desk: Partner) -> Outgoing:
    pk = uuid.uuid4()
    return Outgoing.objects.create(id=pk, partner=desk, kind="ping", body=encrypt("{}", context=f"outgoing:{pk}:body"),
                                   state=OutgoingState.DEAD, attempts=9, last_error="422 not_in_this_state")


def test_partners_with_their_links_and_letters(world: World, desk: Partner, as_: SignIn) -> None:
    partner("119.hill", kind="fire", name="山城119", active=False)
    dead = letter(desk)
    client = as_("supervisor")
    page = text(client.get("/desk/linkage/partners/"))
    assert "有送不出去的" in page
    assert "停用" in page
    page = text(client.get(f"/desk/linkage/partners/{NAME}/"))
    assert "422 not_in_this_state" in page
    assert "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" not in page
    assert f"lianxin linkage secret new {NAME}" in page
    client.post(f"/desk/linkage/partners/{NAME}/letters/{dead.pk}/resend/")
    dead.refresh_from_db()
    assert dead.state == OutgoingState.WAITING
    twice = client.post(f"/desk/linkage/partners/{NAME}/letters/{dead.pk}/resend/", follow=True)
    assert "没有这封送不出去的消息" in text(twice)
    assert client.get("/desk/linkage/partners/nobody/").status_code == 404


def test_words_are_mapped_with_who_did_it(world: World, desk: Partner, as_: SignIn) -> None:
    Unmapped.objects.create(partner=desk, what="category", inbound=True, value="JF-3", times=4)
    client = as_("admin")
    at = f"/desk/linkage/partners/{NAME}/"
    page = text(client.get(f"{at}?what=category&inbound=1&value=JF-3"))
    assert "4 次" in page
    assert 'value="JF-3"' in page
    wrong = client.post(f"{at}words/", {"what": "category", "inbound": "1", "value": "JF-3", "to": "999999"})
    assert wrong.status_code == 422
    assert "没有这个代码" in text(wrong)
    client.post(f"{at}words/", {"what": "category", "inbound": "1", "value": "JF-3", "to": "010105 无人管的事"})
    assert Mapping.objects.get().ours == "010105"
    assert MappingChange.objects.get().by == world.staff["admin"]
    assert not Unmapped.objects.exists()
    page = text(client.get(at))
    assert "admin甲" in page
    csv = client.get(f"{at}words.csv").content.decode("utf-8-sig")
    assert csv.splitlines() == ["what,direction,ours,theirs", "category,in,010105,JF-3"]
    Unmapped.objects.create(partner=desk, what="result", inbound=True, value="=1+1", times=1)
    assert ",'=1+1," in client.get(f"{at}words.csv?of=unmapped").content.decode("utf-8-sig")


def test_a_rule_goes_from_one_row_to_both_approvals(world: World, desk: Partner, as_: SignIn) -> None:
    proposed = as_("dispatcher").post("/desk/linkage/rules/new/", {
        "partner": NAME, "category": "010102 施工噪声", "taken_by": "us", "words": "噪声一律归热线"}, follow=True)
    assert "等本热线同意" in text(proposed)
    rule = JointRule.objects.get()
    at = f"/desk/linkage/rules/{rule.pk}"
    assert as_("dispatcher").post(f"{at}/approve/").status_code == 403
    client = as_("supervisor")
    assert "等对方同意" in text(client.post(f"{at}/approve/", follow=True))
    assert Outgoing.objects.get().kind == "rule"
    JointRule.objects.update(approved_by_them_at=now())
    page = text(client.get("/desk/linkage/review/"))
    assert "已生效" in page
    link = re.search(r'href="(/desk/catalogue/propose/\?[^"]+)"', page)
    assert link
    form = text(client.get(link.group(1).replace("&amp;", "&")))
    assert 'value="010102 施工噪声"' in form
    assert "联合规则" in form
    assert "噪声一律归热线" in form
    nothing = client.post(f"{at}/reject/", {"words": ""}, follow=True)
    assert "请填写这一项" in text(nothing)
    client.post(f"{at}/reject/", {"words": "与三定不符"})
    rule.refresh_from_db()
    assert rule.ended_at is not None
    assert Event.objects.count() == 0


def test_the_week_in_figures_with_what_is_behind_them(world: World, desk: Partner, as_: SignIn) -> None:
    handover = out(world, desk)
    peer = Peer.of(handover)
    peer.say("refuse", handover.pk, reason="not_police", words="不涉警", operator="0731")
    out(world, desk)
    client = as_("dispatcher")
    page = text(client.get("/desk/linkage/review/?week=2026-11-23"))
    assert "施工噪声" in page
    assert re.search(r'>1</a><span class="meta"> / 2</span>', page)
    link = re.search(r'href="(/desk/linkage/review/entries/\?[^"]*which=refused[^"]*category=010102[^"]*)"', page)
    assert link
    behind = text(client.get(link.group(1).replace("&amp;", "&")))
    assert Case.objects.get(pk=handover.matter.case_id).number in behind
    assert behind.count("<tr>") == 2
    csv = client.get("/desk/linkage/review/file.csv?week=2026-11-23").content.decode("utf-8-sig").splitlines()
    assert csv[1] == "010102,施工噪声,2,2,1,0,0,0,2,0"
    assert "这一周没有移交" in text(client.get("/desk/linkage/review/?week=2026-11-02"))
    assert "operator甲" not in page
    assert client.get("/desk/linkage/review/entries/?which=nothing").status_code == 404
