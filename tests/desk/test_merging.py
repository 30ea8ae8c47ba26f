"""Merging at the desk: what is suggested, side by side, one key; the family on the case page; a call about a known matter."""

from __future__ import annotations

import html
import re
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.cases import actions as a
from lianxin.cases import duplicates
from lianxin.cases.models import Case, Distinct, Event, State
from lianxin.kernel.clock import Frozen
from lianxin.kernel.ids import uuid7
from tests.cases.ways import VILLAGE, take
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db


def said(words: str) -> Case:
    made = a.register(intake=a.Intake(words=words, area=VILLAGE, phone="13812342201", name="王小明"), by=RESIDENT)
    return Case.objects.get(pk=made.case_id)


def client_for(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world.staff[name])
    return client


def page(client: Client, name: str, *args: object, status: int = 200, **query: str) -> str:
    answer = client.get(reverse(f"desk:{name}", args=args), query)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.fixture
def two(world: World, monday: Frozen) -> tuple[Case, Case]:
    first = said("花园社区停水一整天了。")
    monday.move(minutes=120)
    return first, said("我家停水了，什么时候来水？")


def test_a_case_page_suggests_and_the_queue_does(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    dispatcher = client_for(world, "dispatcher")
    for address in (("case", second.pk), ("pane", second.pk), ("alike",)):
        shown = page(dispatcher, *address)
        assert "同在花园社区 · 相隔 2 小时 · 都说“停水”" in shown
        either = (reverse("desk:compare", args=pair) for pair in ([second.pk, first.pk], [first.pk, second.pk]))
        assert any(address in shown for address in either)
    assert "同在花园社区 · 相隔 2 小时" not in page(client_for(world, "reviewer"), "case", second.pk)
    assert reverse("desk:alike") in page(dispatcher, "board", "queue")
    for name in ("urban", "reviewer"):
        page(client_for(world, name), "alike", status=403)
        page(client_for(world, name), "compare", first.pk, second.pk, status=403)


def test_the_queue_is_looked_through_in_parts(world: World, monday: Frozen) -> None:
    """The next part comes when the last of this one is in sight, or by the link; nothing is listed that is like nothing."""
    alone = [said(words) for words in ("滑梯松动。", "公告栏看不清。", "喷泉池很脏。", "长椅少木板。")]
    pairs = [said(f"{n}栋停水了。") for n in range(14)]
    dispatcher = client_for(world, "dispatcher")
    first = page(dispatcher, "alike")
    assert 3 < first.count('class="desk-focus"') <= duplicates.QUEUED - len(alone)  # each pair once
    assert first.count('data-key="="') == 1
    [address] = re.findall('hx-get="([^"]*)" hx-trigger="revealed"', first)
    answer = dispatcher.get(html.unescape(address), headers={"HX-Request": "true"})
    rest = answer.content.decode()
    assert "<html" not in rest
    assert 'data-key="="' not in rest
    assert "revealed" not in rest
    assert "没有像同一件事的" not in rest
    assert {case.number for case in pairs[10:]} <= set(re.findall(r"\d\d-\d+-\d", rest))
    # By the link it is a page; with nothing on it that is said.
    assert page(dispatcher, "alike", after=parse_qs(urlsplit(html.unescape(address)).query)["after"][0]).count("<h1") == 1
    for case in pairs:
        take(world, case.pk, "withdraw")
    assert "这一页没有像同一件事的" in page(dispatcher, "alike")
    assert not {case.number for case in alone} & set(re.findall(r"\d\d-\d+-\d", page(dispatcher, "alike")))


def test_side_by_side_and_one_key_merges(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    dispatcher = client_for(world, "dispatcher")
    shown = page(dispatcher, "compare", second.pk, first.pk)
    assert first.words in shown
    assert second.words in shown
    assert "王小明" not in shown
    assert shown.index(first.number) < shown.index(second.number)  # the older is the master
    address = reverse("desk:compare", args=[second.pk, first.pk])
    form = {"do": "merge", "master": str(first.pk), "version": str(first.version), "submission": str(uuid7()), "reason": "同一次停水。"}
    answer = dispatcher.post(address, form | {"reason": " "})
    assert answer.status_code == 422
    assert "请填写这一项" in answer.content.decode()
    answer = dispatcher.post(address, form)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("desk:case", args=[first.pk])
    merged = Case.objects.get(pk=second.pk)
    assert (merged.state, merged.master_id) == (State.MERGED, first.pk)
    # Sent again, it is not done again.
    assert dispatcher.post(address, form).status_code == 302
    assert Event.objects.filter(action="merge").count() == 1
    # On both pages it says so; in the list the master counts for two and the other stands aside.
    assert second.number in page(dispatcher, "case", first.pk)
    assert first.number in page(dispatcher, "case", second.pk)
    queue = page(dispatcher, "board", "queue")
    assert "×2" in queue
    assert second.number not in queue
    assert second.number in page(dispatcher, "board", "all", q=second.number)
    # And in the printed file.
    assert second.number in page(dispatcher, "print", first.pk)
    assert first.number in page(dispatcher, "print", second.pk)
    # A wish that comes too late is told so.
    answer = dispatcher.post(address, form | {"submission": str(uuid7())})
    assert answer.status_code == 409


def test_the_other_way_round(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    dispatcher = client_for(world, "dispatcher")
    shown = page(dispatcher, "compare", second.pk, first.pk, swap="1")
    assert f'name="master" value="{second.pk}"' in shown
    dispatcher.post(reverse("desk:compare", args=[second.pk, first.pk]), {
        "do": "merge", "master": str(second.pk), "submission": str(uuid7()), "reason": "同一次停水。"})
    assert Case.objects.get(pk=first.pk).master_id == second.pk


def test_not_the_same_is_remembered(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    dispatcher = client_for(world, "dispatcher")
    answer = dispatcher.post(reverse("desk:compare", args=[second.pk, first.pk]), {"do": "apart", "next": reverse("desk:alike")})
    assert answer["Location"] == reverse("desk:alike")
    assert Distinct.objects.count() == 1
    assert "可能是同一件事</h3>" not in page(dispatcher, "case", second.pk)
    assert "这一页没有像同一件事的" in page(dispatcher, "alike")


def test_the_forms_merge_and_take_apart(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    dispatcher = client_for(world, "dispatcher")
    address = reverse("desk:act", args=[first.pk, "merge"])
    answer = dispatcher.post(address, {"duplicates": "26-0000000-0，什么", "reason": "同一件。", "submission": "a"})
    assert answer.status_code == 422
    assert "什么" in answer.content.decode()
    assert dispatcher.post(address, {"duplicates": f" {second.number}、", "reason": "同一件。", "submission": "b"}).status_code == 302
    assert "拆分" in page(dispatcher, "case", second.pk)
    answer = dispatcher.post(reverse("desk:act", args=[second.pk, "unmerge"]), {"reason": "另一处。", "submission": "c"})
    assert answer.status_code == 302
    assert Case.objects.get(pk=second.pk).state == State.REGISTERED


def test_the_unit_sees_whom_to_contact_and_records_each(world: World, two: tuple[Case, Case]) -> None:
    first, second = two
    take(world, first.pk, "accept")
    take(world, first.pk, "merge", duplicates=[second.number])
    take(world, first.pk, "dispatch", assisting_units=[])
    take(world, first.pk, "sign")
    clerk = client_for(world, "urban")
    shown = page(clerk, "case", first.pk)
    assert "另有 1 位诉求人" in shown
    assert reverse("desk:act", args=[second.pk, "record_contact"]) in shown
    assert "查看姓名和电话" in page(clerk, "case", second.pk)
    form = page(clerk, "act", first.pk, "record_contact")
    assert f'value="{second.number}"' in form
    answer = clerk.post(reverse("desk:act", args=[first.pk, "record_contact"]), {
        "means": "message", "reached": "yes", "duplicates": second.number, "submission": "d"})
    assert answer.status_code == 302
    assert Event.objects.filter(case=second.pk, action="record_contact").exists()
    assert "已联系" in page(clerk, "case", first.pk)


def test_a_call_about_a_known_matter_is_registered_and_merged(world: World, two: tuple[Case, Case]) -> None:
    first, _second = two
    operator = client_for(world, "operator")
    shown = operator.post(reverse("desk:suggest"), {"words": "花园社区这边停水了，没有水用", "area": VILLAGE}).content.decode()
    assert f'value="merge:{first.pk}"' in shown
    answer = operator.post(reverse("desk:call"), {
        "do": f"merge:{first.pk}", "words": "花园社区这边停水了，没有水用", "area": VILLAGE, "phone": "13900004404",
        "submission": str(uuid7())})
    assert answer.status_code == 302
    made = Case.objects.latest("id")
    assert (made.state, made.master_id, made.channel) == (State.MERGED, first.pk, "phone")
    # The case stands even when what it should be merged with is gone.
    count = Case.objects.count()
    for gone in ("nonsense", str(uuid.uuid4())):
        assert operator.post(reverse("desk:call"), {
            "do": f"merge:{gone}", "words": "花园社区又停水了", "submission": str(uuid7())}).status_code == 302
    assert Case.objects.count() == count + 2


def test_a_unit_reads_of_a_family_only_what_it_may_see(world: World, two: tuple[Case, Case]) -> None:
    master, other = two
    a.accept(world.on(master.pk, "operator"), category="010102", area=VILLAGE, kind="complaint", urgency="normal")
    take(world, master.pk, "dispatch")
    take(world, master.pk, "merge", duplicates=[other.number])
    unit = Case.objects.get(pk=master.pk).lead_unit
    assert unit
    name = unit.code
    assert other.words in page(client_for(world, name), "case", master.pk)
    Case.objects.filter(pk=other.pk).update(unit_ids=[])
    assert other.words not in page(client_for(world, name), "case", master.pk)
    assert other.words in page(client_for(world, "dispatcher"), "case", master.pk)
