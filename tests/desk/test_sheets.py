"""导出表格: a list that is taken away holds what its page holds, no more of each case, and it is written down who took it."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils.timezone import localtime
from openpyxl import load_workbook

from lianxin.cases import actions as a
from lianxin.cases.models import Case
from lianxin.desk import sheets
from lianxin.desk.models import SheetTaken
from lianxin.desk.sheets import cases as case_sheets
from lianxin.desk.views.sheets import LISTS
from lianxin.exchange import systems
from lianxin.kernel.clock import Frozen, now
from lianxin.triage.models import Offer, What
from tests.desk.conftest import SignIn
from tests.i18n.reading import chinese_in
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db

PERSON = {"name": "欧阳试验人", "phone": "13987654321", "address": "夹竹桃巷7号", "email": "ouyang@example.org"}
# Where each list is led to from, for whom.
PAGES = {
    "orders": ("supervisor", "/desk/supervision/"), "listings": ("supervisor", "/desk/supervision/listings/"),
    "overview": ("supervisor", "/desk/overview/"), "hot": ("supervisor", "/desk/hot/"), "returns": ("dispatcher", "/desk/returns/"),
    "return-entries": ("dispatcher", "/desk/returns/entries/"), "missed-calls": ("operator", "/desk/missed-calls/"),
    "checks": ("reviewer", "/desk/checks/"), "campaigns": ("supervisor", "/desk/campaigns/"),
    "readings": ("supervisor", "/desk/office/readings/"), "exchange": ("admin", "/desk/exchange/"),
    "knowledge": ("operator", "/desk/knowledge/"), "heard": ("supervisor", "/desk/heard/"),
}


def book(response: Any) -> Any:
    assert response.status_code == 200, response.content[:400]
    return load_workbook(io.BytesIO(b"".join(response.streaming_content)))


def sheet(code: str, query: str = "") -> str:
    return reverse("desk:board_sheet", args=[code]) + query


def column(page: Any, at: int = 1) -> list[Any]:
    return [row[at - 1] for row in page.iter_rows(min_row=2, values_only=True)]


def test_a_clerks_sheet_holds_just_what_the_page_holds(world: World, as_: SignIn, monday: Frozen) -> None:
    own, foreign = [world.case(words=f"{number} 号楼的路灯坏了。", **PERSON) for number in (1, 2)], world.accepted()
    for case_id in own:
        a.accept(world.on(case_id, "operator"), category="010101", area="990101001001")
        a.dispatch(world.on(case_id, "dispatcher"), lead_unit="urban")
    a.dispatch(world.on(foreign, "dispatcher"), lead_unit="housing")
    client = as_("urban")
    for code in ("mine", "all"):
        page = client.get(reverse("desk:board", args=[code]))
        assert f'href="{sheet(code)}"' in page.content.decode()
        held = book(client.get(sheet(code)))
        assert column(held.worksheets[0]) == [case.number for case in page.context["page"].rows]
        told = "".join(str(cell) for one in held for row in one.iter_rows(values_only=True) for cell in row)
        assert not [value for value in PERSON.values() if value in told]
    assert Case.objects.get(pk=foreign).number not in told
    assert column(book(client.get(sheet("mine", "?due=overdue"))).worksheets[0]) == []
    assert client.get(sheet("queue")).status_code == 404


def test_times_are_dates_on_the_wall_and_no_text_is_a_formula(world: World, as_: SignIn, monday: Frozen) -> None:
    case = Case.objects.get(pk=world.case(words='=HYPERLINK("http://x","y")'))
    response = as_("dispatcher").get(sheet("queue"))
    disposition = response.headers["Content-Disposition"]
    held = book(response).worksheets[0]
    head = [cell.value for cell in held[1]]
    words, registered = held.cell(2, head.index("诉求") + 1), held.cell(2, head.index("登记时间") + 1)
    assert (words.value, words.data_type, words.quotePrefix) == ('=HYPERLINK("http://x","y")', "s", True)
    assert isinstance(registered.value, datetime)
    assert abs((registered.value - localtime(case.registered_at).replace(tzinfo=None)).total_seconds()) < 1
    assert "%E5%BE%85%E5%8F%97%E7%90%86" in disposition  # 待受理 …
    assert re.search(r"-\d{4}-\d\d-\d\d-\d{4}\.xlsx", disposition)


def test_a_list_that_is_cut_off_says_so(world: World, as_: SignIn, monday: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [world.case(words=f"{number} 号楼的路灯坏了。") for number in range(5)]
    monkeypatch.setattr("lianxin.desk.views.sheets.STEP", 2)
    monkeypatch.setattr(case_sheets, "STEP", 2)
    client = as_("dispatcher")
    numbers = {case.number for case in Case.objects.filter(pk__in=made)}
    assert set(column(book(client.get(sheet("queue"))).worksheets[0])) == numbers  # over pages, each once
    monkeypatch.setattr(sheets, "MOST", 3)
    held = book(client.get(sheet("queue", "?urgency=normal&q=路灯")))
    assert len(column(held.worksheets[0])) == 4
    assert column(held.worksheets[0])[3] == sheets.said_cap()
    assert any(sheets.said_cap() in str(said) for said in column(held.worksheets[1], 2))
    whole, last = SheetTaken.objects.order_by("id")
    assert (whole.rows, whole.cut, whole.name) == (5, False, "board-queue")
    assert (last.rows, last.cut, last.staff, last.narrowed) == (3, True, world.staff["dispatcher"], "一般 · 有查找的词")
    told = as_("supervisor").get("/desk/office/readings/").content.decode()
    assert "board-queue" in told
    assert "路灯" not in told
    for step in (lambda: SheetTaken.objects.update(rows=0), SheetTaken.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            step()


@pytest.mark.parametrize("name", sorted(set(LISTS) - {"knowledge"}))  # which everybody reads
def test_who_may_not_see_a_page_does_not_get_its_list(world: World, as_: SignIn, name: str) -> None:
    assert as_("grid").get(reverse("desk:list_sheet", args=[name])).status_code in (403, 404)
    assert not SheetTaken.objects.exists()


def test_every_list_opens_in_english_and_is_led_to(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    a.raise_return(world.on(case_id, "housing"), reason="not_ours", evidence="归城管局。")
    for name, (username, page) in PAGES.items():
        client = as_(username)
        address = reverse("desk:list_sheet", args=[name])
        if name in ("overview", "returns", "return-entries"):
            assert address in client.get(page).content.decode(), name
        client.cookies["django_language"] = "en"
        held = book(client.get(address))
        heads = [str(cell.value) for one in held for cell in one[1]]
        assert not [said for said in (*held.sheetnames, *heads) if chinese_in(f"<p>{said}</p>")], name
    entries = book(as_("dispatcher").get(reverse("desk:list_sheet", args=["return-entries"]))).worksheets[0]
    assert column(entries) == [Case.objects.get(pk=case_id).number]
    whole = book(as_("dispatcher").get(reverse("desk:list_sheet", args=["returns"]))).worksheets[0]
    assert column(whole, 2) == [1, 1]  # the unit's, and all
    assert as_("dispatcher").get("/desk/sheets/nothing.xlsx").status_code == 404


def test_other_systems_knowledge_and_what_was_heard_as_their_pages(world: World, as_: SignIn, monday: Frozen) -> None:
    systems.save(None, "urban.system", name="城管系统", name_en="Urban system", url="https://urban.example.org/v2", unit="urban",
                 identity="masked", key="secret-of-theirs")
    systems.save(None, "housing.system", name="住建系统", name_en="Housing system", url="https://housing.example.org/v2", unit="housing",
                 identity="masked")
    article("K1", "停水怎么办")
    article("K2", "公园几点开门", public=False)
    Offer.objects.create(case_id=world.case(**PERSON), what=What.URGENCY, offered=["normal"], chosen="normal", at=now())
    monday.move(minutes=1)

    def taken(username: str, name: str, query: str = "") -> Any:
        return book(as_(username).get(reverse("desk:list_sheet", args=[name]) + query))

    for username, page in (("supervisor", "exchange"), ("grid", "knowledge"), ("supervisor", "heard")):
        assert reverse("desk:list_sheet", args=[page]) in as_(username).get(reverse(f"desk:{page}")).content.decode(), page
    every, own = taken("supervisor", "exchange"), taken("urban", "exchange")
    assert sorted(column(every.worksheets[0])) == ["housing.system", "urban.system"]
    assert column(own.worksheets[0]) == ["urban.system"]  # a unit's people: their unit's
    told = "".join(str(cell) for one in every for row in one.iter_rows(values_only=True) for cell in row)
    assert not [secret for secret in ("example.org", "secret-of-theirs") if secret in told]
    assert sorted(column(taken("grid", "knowledge").worksheets[0])) == ["K1", "K2"]
    assert column(taken("grid", "knowledge", "?q=停水怎么办").worksheets[0]) == ["K1"]
    assert column(taken("supervisor", "heard").worksheets[0], 3) == [1]
    monday.move(days=10)
    assert column(taken("supervisor", "heard", "?days=7").worksheets[0], 3) == []
    names = ["exchange", "exchange", "knowledge", "knowledge", "heard", "heard"]
    rows = SheetTaken.objects.order_by("id").values_list("name", "rows", "narrowed")
    assert [name for name, _rows, _said in rows] == names
    assert [count for _name, count, _said in rows] == [2, 1, 2, 1, 1, 0]
    assert rows[3][2] == "有查找的词"
