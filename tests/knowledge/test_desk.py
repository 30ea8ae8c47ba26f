"""The knowledge base at the desk: found, read, written, approved, reported and answered in pages."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.urls import reverse

from lianxin.kernel.clock import Frozen
from lianxin.knowledge import actions
from lianxin.knowledge.models import Report, Use, Version
from tests.desk.conftest import SignIn
from tests.desk.conftest import as_ as as_
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db
TYPED = {
    "title": "路灯不亮怎么报", "questions": "路灯坏了找谁？\n灯不亮", "keywords": "路灯，灯不亮", "answer": "请说清灯杆编号。",
    "basis": "《城市照明管理规定》", "unit": "urban", "category": "010101", "valid_from": "2026-01-01", "review_by": "2027-12-31",
    "public": "on", "note": "第一次写",
}


def page(client: object, name: str, *args: object, **query: str) -> str:
    answer = client.get(reverse(f"desk:{name}", args=args), query)  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_everybody_on_the_staff_finds_and_reads(world: World, as_: SignIn, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", "请说清灯杆编号。", unit=world.units["urban"])
    article("water", "水费怎么交", public=False)
    client = as_("grid")
    assert "路灯不亮怎么报" in page(client, "knowledge")
    found = client.get(reverse("desk:knowledge"), {"q": "灯不亮"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in found
    assert "路灯不亮怎么报" in found
    assert "<mark>灯不亮</mark>" in found
    assert "水费" not in found
    assert "没有找到" in page(client, "knowledge", q="户口")
    assert "请说清灯杆编号。" in page(client, "article", "lamp")
    assert client.get(reverse("desk:article", args=["none"])).status_code == 404
    assert client.get(reverse("desk:article_edit", args=["lamp"])).status_code == 403


def test_written_approved_and_changed_in_pages(world: World, as_: SignIn, monday: Frozen) -> None:
    owner, head = as_("urban"), as_("urban_head")
    bad = owner.post(reverse("desk:article_new"), TYPED | {"basis": "", "unit": "nobody"})
    assert bad.status_code == 422
    assert "请说清灯杆编号。" in bad.content.decode(), "what was typed stays"
    for _again in range(2):
        made = owner.post(reverse("desk:article_new"), TYPED | {"submission": "s"})
        assert made.status_code == 302
    fresh = owner.get(reverse("desk:article_new")).content.decode()
    assert re.findall('data-draft-done="([^"]*)"', fresh)[0] in re.findall('data-draft="([^"]*)"', fresh), "the browser forgets it"
    version = Version.objects.get()
    code = version.article.code
    assert (version.keywords, version.questions, version.note) == (["路灯", "灯不亮"], ["路灯坏了找谁？", "灯不亮"], "第一次写")
    assert "审定，开始用" not in page(owner, "article", code)
    assert "审定，开始用" in page(head, "article", code)
    assert owner.post(reverse("desk:article_act", args=[code, "approve"]), {"number": 1}).status_code == 403
    assert head.post(reverse("desk:article_act", args=[code, "approve"]), {"number": 1}).status_code == 302
    assert owner.post(reverse("desk:article_edit", args=[code]), TYPED | {"answer": "新答案", "seen": "1"}).status_code == 302
    clash = owner.post(reverse("desk:article_edit", args=[code]), TYPED | {"answer": "另一个", "seen": "1"})
    assert clash.status_code == 409
    assert "另一个" in clash.content.decode()
    compared = page(head, "article_compare", code)
    assert "<del>" in compared
    assert "新答案" in compared
    assert "路灯坏了找谁" not in compared, "what did not change is not shown"
    assert head.post(reverse("desk:article_act", args=[code, "refuse"]), {"number": 2, "reason": ""}).status_code == 422
    assert head.post(reverse("desk:article_act", args=[code, "refuse"]), {"number": 2, "reason": "太短"}).status_code == 302
    late = head.post(reverse("desk:article_act", args=[code, "refuse"]), {"number": 2, "reason": "太短"})
    assert late.status_code == 409
    assert "这一版已经有了决定" in late.content.decode(), "said although the form is gone"
    assert head.post(reverse("desk:article_act", args=[code, "withdraw"]), {"reason": "不归我们"}).status_code == 302
    assert "现在不在用" in page(owner, "article", code)
    assert head.post(reverse("desk:article_act", args=[code, "nonsense"])).status_code == 404


def test_a_report_reaches_the_owner_s_list_and_is_late_there(world: World, as_: SignIn, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"], review_by=date(2026, 12, 1))
    operator, owner = as_("operator"), as_("urban")
    address = reverse("desk:article_act", args=["lamp", "report"])
    assert operator.post(address, {"fault": "wrong", "words": ""}).status_code == 422
    for _again in range(2):
        sent = operator.post(address, {"fault": "wrong", "words": "电话换了", "submission": "s"})
        assert sent.status_code == 302
    after = page(operator, "article", "lamp")
    assert re.findall('data-draft-done="([^"]*)"', after)[0] in re.findall('data-draft="([^"]*)"', after), "the browser forgets it"
    made = Report.objects.get()
    shown = page(owner, "knowledge_waiting")
    assert "电话换了" in shown
    assert "已逾期" not in shown
    assert "12 月 1 日（周二）" in shown, "a review due stands in the same list"
    assert "电话换了" not in page(as_("water"), "knowledge_waiting")
    assert "电话换了" in page(as_("supervisor"), "knowledge_waiting")
    monday.move(days=4)
    assert "已逾期" in page(owner, "knowledge_waiting")
    answer = reverse("desk:answer_report", args=[made.pk])
    assert as_("water").post(answer, {"answer": "没有错", "how": "kept"}).status_code == 403
    assert owner.post(answer, {"how": "kept"}).status_code == 422
    early = owner.post(answer, {"answer": "电话已经改成新的。", "how": "corrected"})
    assert early.status_code == 409
    assert "电话已经改成新的。</textarea>" in early.content.decode(), "what was typed stays"
    assert "还没有审定的新版本" in early.content.decode()
    assert owner.post(answer, {"answer": "核对过，没有换。", "how": "kept"}).status_code == 302
    assert "核对过，没有换。" in page(operator, "article", "lamp")
    assert "没有要答复的反映" in page(owner, "knowledge_waiting")


def test_search_asks_little_of_the_database(world: World, as_: SignIn, monday: Frozen, django_assert_max_num_queries: object) -> None:
    for number in range(30):
        article(f"a-{number}", f"路灯第{number}种问题怎么报", unit=world.units["urban"])
    client = as_("operator")
    page(client, "knowledge", q="路灯")
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        client.get(reverse("desk:knowledge"), {"q": "路灯坏了"}, headers={"HX-Request": "true"})


def test_an_answer_on_the_spot_names_its_article(world: World, as_: SignIn, monday: Frozen) -> None:
    article("water", "水费怎么交", unit=world.units["water"])
    case = world.accepted("010103")
    client = as_("operator")
    listed = client.get(reverse("desk:choices", args=["articles"]), {"q": "水费"}).json()["options"]
    assert listed == ["water@1 水费怎么交"]
    done = client.post(reverse("desk:act", args=[case, "answer_on_the_spot"]), {
        "public_answer": "可以在网上交。", "article": listed[0], "submission": "one"})
    assert done.status_code in (200, 302), done.content.decode()[:400]
    assert Use.objects.get().version.article.code == "water"
    assert "用来答复过 1 件" in page(client, "article", "water")
    assert "水费怎么交" in page(client, "case", case)


def test_an_article_that_is_nobody_s_is_taken_over_and_its_reports_are_the_hotline_s(
        world: World, as_: SignIn, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报")
    made = actions.report(by=None, code="lamp", fault="wrong", words="电话换了")
    owner, edit = as_("urban"), reverse("desk:article_edit", args=["lamp"])
    assert "不用改" not in page(owner, "article", "lamp")
    assert owner.get(edit).status_code == 200
    assert as_("operator").get(edit).status_code == 403
    assert owner.post(edit, TYPED | {"unit": "water"}).status_code == 403, "for another unit it is not theirs to write"
    assert owner.post(edit, TYPED | {"submission": "s", "seen": "1"}).status_code == 302
    assert as_("urban_head").post(reverse("desk:article_act", args=["lamp", "approve"]), {"number": 2}).status_code == 302
    # What was said before stays with whom it was said to.
    assert owner.post(reverse("desk:answer_report", args=[made.pk]), {"how": "corrected"}).status_code == 403
    keeper = as_("supervisor")
    assert "不用改" in page(keeper, "article", "lamp")
    assert keeper.post(reverse("desk:answer_report", args=[made.pk]), {"how": "corrected"}).status_code == 302


def test_what_is_no_longer_in_force_takes_no_report(world: World, as_: SignIn, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"], review_by=date(2026, 11, 1))
    client = as_("operator")
    shown = page(client, "article", "lamp")
    assert "核对以前不会推荐" in shown
    assert "告诉责任单位" not in shown
    sent = client.post(reverse("desk:article_act", args=["lamp", "report"]), {"fault": "wrong", "words": "电话换了"})
    assert sent.status_code == 404
    assert "没有找到" in sent.content.decode()


def test_someone_of_no_unit_waits_for_nothing(world: World, as_: SignIn, monday: Frozen) -> None:
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    actions.report(by=None, code="lamp", fault="wrong", words="电话换了")
    assert "没有要答复的反映" in page(as_("grid"), "knowledge_waiting")
