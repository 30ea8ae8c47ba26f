"""Two desks in two windows: the hotline's pages and the screen of `lianxin-110-desk`, a program of its own with its own database, with
signed messages in between. Both directions and every way in which an offer ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from playwright.sync_api import expect

from lianxin.cases import actions as a
from lianxin.cases.models import Case, Event, EventText
from lianxin.cases.rebuild import differences
from lianxin.kernel.clock import now
from lianxin.linkage.delivering import Sender
from lianxin.linkage.models import Handover, HandoverStep, Mapping, Matter, Outgoing, Partner
from tests.browser import new_page
from tests.demo.demos import free_port, until
from tests.journeys.conftest import Open
from tests.journeys.wire import passing
from tests.linkage.peer import NAME, SECRET, partner
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WORDS = "花园社区门口有人打架，一个人倒在地上。"


@pytest.fixture(scope="module")
def their_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The other desk, started once for all of them; its peer is wherever the file says. Gives its address and the hotline's port."""
    port, ours = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "lianxin_110_desk", "--data", str(tmp_path_factory.mktemp("desk")), "--port", str(port), "--name", NAME,
         "--peer", settings.LIANXIN_LINKAGE_NAME, "--peer-url", f"http://127.0.0.1:{ours}", "--secret", SECRET, "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        yield f"http://127.0.0.1:{port}", str(ours)
    finally:
        process.terminate()
        process.wait(20)


class Pair:
    """Both desks. `us(path)` and `them(path)` open pages; the hotline's people are signed in."""

    def __init__(self, url: str, desk_url: str, desk: Partner, world: World, open_as: Open, browser: Any) -> None:
        self.url, self.desk_url, self.desk, self.world, self.open_as = url, desk_url, desk, world, open_as
        self.theirs, self.sender = new_page(browser), Sender(threads=2)

    def us(self, path: str, who: str = "operator") -> Any:
        return self.open_as(who, path)

    def them(self, matter: UUID | None = None) -> Any:
        """The other window, on its board or on one matter."""
        self.theirs.goto(self.desk_url + (f"/matters/{matter}" if matter else "/"))
        return self.theirs

    def offered(self, **more: Any) -> Handover:
        """A call taken and handed over, which the other desk has; for journeys about what comes after."""
        case_id = self.world.accepted(words=WORDS, name="文景之", phone="13711239876")
        a.offer_handover(self.world.on(case_id, "operator"), **{"partner": self.desk.code, "reason": "有人打架", **more})
        handover = Handover.objects.get(matter__case_id=case_id)
        self.arrived(handover)
        return handover

    def comes_in(self, words: str = "楼下烧烤摊半夜放音响，睡不着。") -> Handover:
        """A matter typed at the other desk and handed over."""
        page = self.theirs
        page.goto(self.desk_url + "/new")
        page.get_by_label("什么事").fill(words)
        page.get_by_label("地点").fill("花园社区")
        page.locator("[name=category]").select_option("噪声扰民")
        page.get_by_label("移交事由").fill("非警务")
        page.get_by_label("来电人姓名").fill("陈女士")
        page.get_by_label("来电人电话").fill("13711230000")
        page.get_by_role("button", name="记下并移交").click()
        page.wait_for_url("**/matters/**")
        matter = UUID(page.locator("#matter").get_attribute("data-matter"))
        until(lambda: Handover.objects.filter(matter_id=matter).exists(), 20, lambda: "the offer did not come in")
        return Handover.objects.get(matter_id=matter)

    def arrived(self, handover: Handover) -> None:
        until(lambda: not Outgoing.objects.filter(matter_id=handover.matter_id).exclude(state="sent").exists(), 20,
              lambda: list(Outgoing.objects.exclude(state="sent").values("kind", "seq", "state", "last_error")))

    def stands(self, handover: Handover, state: str, holder: str) -> None:
        """Our side has heard, and both sides agree."""
        until(lambda: Handover.objects.get(pk=handover.pk).state == state, 20, lambda: Handover.objects.get(pk=handover.pk).state)
        self.arrived(handover)
        page = self.them(handover.matter_id)
        theirs = {"us": "them", "them": "us"}[holder]
        expect(page.locator(f"[data-holder='{theirs}']")).to_be_visible()
        assert Matter.objects.get(pk=handover.matter_id).holder == holder
        matter = Matter.objects.get(pk=handover.matter_id)
        if matter.case_id is not None:
            assert differences(matter.case_id) == []


@pytest.fixture
def pair(served: Any, their_program: tuple[str, str], open_as: Open, browser: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """The hotline served here, its sender running, connected with the other desk through a port that stays the same."""
    monkeypatch.setattr(settings, "LIANXIN_LINKAGE_RETRY_MILLISECONDS", 200)
    desk_url, port = their_program
    desk = partner(url=desk_url, fallback_phone="0730-110")
    Mapping.objects.create(partner=desk, what="category", ours="010102", theirs="noise", inbound=True)
    with passing(int(port), served.url):
        made = Pair(served.url, desk_url, desk, served.world, open_as, browser)
        made.sender.start()
        try:
            yield made
        finally:
            made.sender.stop()
            made.theirs.context.close()


def act(page: Any, key: str, **fields: str) -> None:
    """Press the key of a step on our page, fill its form, send it with Ctrl+Enter."""
    expect(page.locator(f".desk-actions [data-key='{key}']").first).to_be_visible()
    page.keyboard.press(key)
    form = page.locator("form.desk-act")
    form.wait_for()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "checkbox":
            field.check()
        else:
            field.fill(value)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".lx-notice.good").first).to_be_visible()


def send(page: Any, what: str, **fields: str) -> None:
    """Fill a form of the other desk and send it; what lies folded is opened first."""
    form = page.locator(f"form[action$='/{what}']").first
    form.wait_for(state="attached")
    if not form.is_visible():
        page.locator("details", has=form).locator("summary").first.click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "checkbox":
            field.check()
        else:
            field.fill(value)
    form.locator("button").first.click()
    page.wait_for_load_state()


def resident_reads(browser: Any, pair: Pair, code: str) -> str:
    """What the reporter reads with the code they were given."""
    page = new_page(browser, width=360, height=740)
    page.goto(f"{pair.url}/track/")
    page.locator("[name=code]").fill(code)
    page.locator("main form button").first.click()
    page.wait_for_url("**/mine/**")
    text = str(page.inner_text("main"))
    page.context.close()
    return text


def test_an_emergency_goes_over_and_its_outcome_comes_back(pair: Pair, browser: Any) -> None:
    theirs = pair.them()
    ours = pair.us("/desk/call/#phone=13711239876")
    ours.keyboard.type(WORDS)
    ours.keyboard.press("F4")
    offer = theirs.locator(".offer[data-emergency]")
    expect(offer).to_contain_text("打架")  # without a reload: it has come up by itself
    expect(offer).to_have_attribute("data-visible-at", re.compile(r"\d+"))
    case, handover = Case.objects.get(), Handover.objects.get()
    ours.keyboard.type("穿黑衣服的往东跑了。")
    panel = ours.locator("[data-emergency]")
    code = panel.locator(".desk-readout").inner_text().strip()
    offer.get_by_role("link").click()
    expect(panel).to_contain_text("秒后看到", timeout=15_000)  # opened there, acknowledged here
    expect(theirs.locator("#matter")).to_contain_text("往东跑了", timeout=15_000)  # typed after the key, and there
    assert "13711239876" in theirs.inner_text("#matter")
    send(theirs, "accept")
    expect(theirs.locator("[data-holder=us]")).to_be_visible()
    expect(panel).to_contain_text("已接收", timeout=15_000)
    assert "110" in resident_reads(browser, pair, code)
    for step in ("已派警", "已到场"):
        theirs.get_by_role("button", name=re.compile(step)).click()
    pair.stands(handover, "in_progress", "them")
    send(theirs, "outcome", result="settled", words="双方已带离，伤者送医。", public_words="民警已到场处置，伤者已送医。")
    pair.stands(handover, "closed", "them")
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("closed", "handed_over")
    reads = resident_reads(browser, pair, code)
    assert "民警已到场处置，伤者已送医。" in reads
    assert "双方已带离" not in reads  # what the desks said to each other is theirs
    page = pair.us(f"/desk/linkage/{handover.pk}/")
    expect(page.locator("main")).to_contain_text("双方已带离")
    assert HandoverStep.objects.filter(handover=handover, kind="progress", data__reference__startswith="PD-").exists()
    assert ours.faults == theirs.faults == page.faults == []


def test_refused_with_a_reason_then_agreed_on_a_three_way_call(pair: Pair) -> None:
    handover = pair.offered()
    theirs = pair.them(handover.matter_id)
    send(theirs, "refuse", reason="insufficient", words="地点不清，请问清楚再转。")
    pair.stands(handover, "refused", "us")
    ours = pair.us(f"/desk/linkage/{handover.pk}/")
    expect(ours.locator("main")).to_contain_text("地点不清，请问清楚再转。")
    expect(ours.locator(".lx-badge").first).to_contain_text("不接收")
    case_id = handover.matter.case_id
    a.offer_handover(pair.world.on(case_id, "operator"), partner=pair.desk.code, reason="来电人说有刀", basis="unclear")
    again = Handover.objects.exclude(pk=handover.pk).get(matter__case_id=case_id)
    pair.arrived(again)
    ours = pair.us(f"/desk/linkage/{again.pk}/")
    act(ours, "n", words="三方通话：来电人说对方拿着刀。", spoke_with="110-01", three_way="yes", agreed="theirs")
    pair.arrived(again)
    theirs = pair.them(again.matter_id)
    expect(theirs.locator(".ledger")).to_contain_text("三方通话：来电人说对方拿着刀。")
    send(theirs, "negotiate", words="同意由我台接。", three_way="1", agreed="ours")
    send(theirs, "accept")
    pair.stands(again, "accepted", "them")
    assert Case.objects.get(pk=case_id).state == "handed_over"
    assert ours.faults == theirs.faults == []


def test_still_unclear_stays_with_the_first_receiver(pair: Pair) -> None:
    handover = pair.offered(basis="unclear")
    theirs = pair.them(handover.matter_id)
    send(theirs, "negotiate", words="说不清归谁。")
    send(theirs, "default")
    pair.stands(handover, "defaulted", "us")
    assert Case.objects.get(pk=handover.matter.case_id).linkage == ""
    expect(pair.us(f"/desk/linkage/{handover.pk}/").locator("main")).to_contain_text("归先接单位")


def test_withdrawn_in_time_and_too_late(pair: Pair) -> None:
    handover = pair.offered()
    case = Case.objects.get(pk=handover.matter.case_id)
    ours = pair.us(f"/desk/cases/{case.pk}/do/withdraw_handover/")
    ours.locator(".desk-act [name=reason]").fill("来电人说和好了")
    ours.keyboard.press("Control+Enter")
    expect(ours.locator(".lx-notice.good").first).to_be_visible()
    pair.stands(handover, "withdrawn", "us")
    assert Case.objects.get(pk=case.pk).linkage == ""
    # The acceptance is quicker: it is on its way when the withdrawal is written here.
    late = pair.offered()
    theirs = pair.them(late.matter_id)
    pair.sender.stop()  # our messages do not get out
    a.withdraw_handover(pair.world.on(late.matter.case_id, "operator"), reason="晚了一步")
    send(theirs, "accept")
    until(lambda: Matter.objects.get(pk=late.matter_id).holder == "them", 20, lambda: Handover.objects.get(pk=late.pk).state)
    pair.sender = Sender(threads=2)
    pair.sender.start()
    pair.stands(late, "accepted", "them")
    assert Case.objects.get(pk=late.matter.case_id).state == "handed_over"


def test_what_110_offers_is_accepted_or_refused(pair: Pair) -> None:
    handover = pair.comes_in()
    ours = pair.us("/desk/linkage/")
    expect(ours.locator("main")).to_contain_text("烧烤摊")
    ours.keyboard.press("o")
    ours.wait_for_url(f"**/desk/linkage/{handover.pk}/")
    pair.stands(handover, "acknowledged", "them")
    act(ours, "a", note="马上派人。")
    pair.stands(handover, "accepted", "us")
    case = Case.objects.get()
    assert (case.channel, case.state, case.category.code if case.category else "") == ("110", "accepted", "010102")
    expect(pair.them(handover.matter_id).locator(".ledger")).to_contain_text("马上派人。")
    a.answer_on_the_spot(pair.world.on(case.pk, "operator"), public_answer="城管已到场，音响关了。", category="010102",
                         means="phone")
    pair.stands(handover, "outcome_returned", "us")
    theirs = pair.them(handover.matter_id)
    expect(theirs.locator(".ledger")).to_contain_text("音响关了")
    send(theirs, "close", told="1")
    pair.stands(handover, "closed", "us")
    other = pair.comes_in("亲戚借钱不还。")
    ours = pair.us(f"/desk/linkage/{other.pk}/")
    act(ours, "x", reason="other", words="属民事纠纷，请向法院起诉。")
    pair.stands(other, "refused", "them")
    expect(pair.them(other.matter_id).locator(".ledger")).to_contain_text("请向法院起诉")
    assert Case.objects.count() == 1
    assert ours.faults == theirs.faults == []


def test_what_is_left_goes_to_mediation_with_both_desks_words(pair: Pair) -> None:
    handover = pair.offered()
    theirs = pair.them(handover.matter_id)
    send(theirs, "accept")
    send(theirs, "outcome", result="mediated", words="双方已冷静，纠纷没有了结。", public_words="民警已劝开双方。", follow_up="1",
         follow_up_words="请安排人民调解。")
    until(lambda: Handover.objects.filter(basis="followup", state="accepted").exists(), 20,
          lambda: list(Handover.objects.values_list("basis", "state")))
    back = Handover.objects.get(basis="followup")
    pair.stands(back, "accepted", "us")
    assert Handover.objects.get(pk=handover.pk).state == "closed"
    case = Case.objects.get()
    assert (case.pk, case.state) == (handover.matter.case_id, "accepted")
    ours = pair.us(f"/desk/cases/{case.pk}/", who="dispatcher")
    for words in (WORDS, "双方已冷静，纠纷没有了结。", "请安排人民调解。"):
        expect(ours.locator("main")).to_contain_text(words)
    a.dispatch(pair.world.on(case.pk, "dispatcher"), lead_unit="urban", note="请司法所安排调解。")
    pair.arrived(back)
    expect(pair.them(back.matter_id).locator(".ledger")).to_contain_text("已派")
    assert Event.objects.filter(case=case, action="take_back_handover").count() == 1
    assert EventText.objects.filter(case=case, body__contains="人民调解").exists()


def test_the_line_is_down_and_comes_back(pair: Pair) -> None:
    Partner.objects.filter(pk=pair.desk.pk).update(url="http://127.0.0.1:9")
    case_id = pair.world.accepted(words=WORDS)
    a.offer_handover(pair.world.on(case_id, "operator"), partner=pair.desk.code, reason="有人打架", emergency=True)
    handover = Handover.objects.get(matter__case_id=case_id)
    until(lambda: Outgoing.objects.filter(handover=handover, attempts__gt=0).exists(), 20, lambda: "not tried")
    Handover.objects.filter(pk=handover.pk).update(due_at=now() - timedelta(seconds=1))  # thirty seconds have passed
    ours = pair.us("/desk/linkage/")
    expect(ours.get_by_role("alert")).to_contain_text("请打电话")
    ours.goto(f"{pair.url}/desk/linkage/{handover.pk}/")
    expect(ours.locator("main")).to_contain_text("0730-110")
    act(ours, "p", spoke_with="110-07", agreed="accepted", words="电话里说马上出警。")
    assert Handover.objects.get(pk=handover.pk).state == "offered", "a telephone call decides nothing"
    assert Case.objects.get(pk=case_id).linkage == "offered"
    Partner.objects.filter(pk=pair.desk.pk).update(url=pair.desk_url)
    until(lambda: not Outgoing.objects.exclude(state="sent").exists(), 40, lambda: list(Outgoing.objects.values("kind", "last_error")))
    theirs = pair.them(handover.matter_id)
    expect(theirs.locator("#matter")).to_contain_text("电话里已说定")
    send(theirs, "accept")
    pair.stands(handover, "accepted", "them")
