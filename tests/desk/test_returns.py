"""The desk's pages of returns and of the catalogue: who sees what, every number a link, faults that keep what was typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases import ledger
from lianxin.cases.models import CatalogueProposal, CatalogueVersion, Clock, Return
from lianxin.cases.queries import Filters
from lianxin.kernel.clock import Frozen
from lianxin.organisations.models import Role, RoleGrant, Staff
from tests.cases.test_returns import give_back, joint, sent
from tests.cases.ways import VILLAGE
from tests.desk.conftest import forgotten
from tests.world import World

pytestmark = pytest.mark.django_db


def page(world: World, name: str, address: str, status: int = 200, **more: Any) -> str:
    client = Client()
    client.force_login(world.staff[name])
    response = client.post(address, more["post"]) if "post" in more else client.get(address)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


@pytest.fixture
def returned(world: World, monday: Frozen) -> World:
    """Four returns: housing's upheld, water's and urban's after it, one waiting in the west."""
    case_id = sent(world, "housing", "water", "urban")
    give_back(world, case_id, "urban")
    monday.move(minutes=30)
    joint(world, case_id)
    west = world.accepted("010101", area="990102")
    a.dispatch(world.on(west, "dispatcher"), lead_unit="west")
    give_back(world, west, "west")
    monday.move(minutes=1)
    return world


@pytest.mark.parametrize(("name", "count"), [
    ("supervisor", 4), ("dispatcher", 4), ("leader", 4), ("east_supervisor", 3), ("housing", 1), ("urban", 1), ("urban_head", 1),
    ("west", 1), ("east", 3), ("bridge", 0),
])
def test_each_sees_their_own(returned: World, name: str, count: int) -> None:
    actor = returned.actor(name)
    assert ledger.total(actor, ledger.Narrow()).total == count
    assert len(ledger.page(actor, ledger.Narrow()).rows) == count
    assert sum(row.total for row in ledger.tallies(actor, ledger.Narrow(), "unit")) == count
    shown = page(returned, name, "/desk/returns/entries/")
    assert shown.count("lx-number") == count
    for number in re.findall(r'href="(/desk/cases/[^"]+)"', shown):
        page(returned, name, number)


@pytest.mark.parametrize("name", ["operator", "reviewer", "callback", "grid", "admin"])
def test_others_do_not(returned: World, name: str) -> None:
    page(returned, name, "/desk/returns/", 403)
    page(returned, name, "/desk/returns/entries/", 403)
    assert ledger.total(returned.actor(name), ledger.Narrow()).total == 0


@pytest.mark.parametrize("by", ["unit", "category", "reason", "rule"])
def test_every_number_leads_to_as_many_entries(returned: World, by: str) -> None:
    shown = page(returned, "supervisor", f"/desk/returns/?by={by}")
    links = re.findall(r'<a class="desk-count" href="(/desk/returns/entries/\?[^"]+)">(\d+)</a>', shown)
    assert len(links) > 4
    for address, count in links:
        assert page(returned, "supervisor", address.replace("&amp;", "&")).count("lx-number") == int(count), address


def test_rules_are_counted_by_what_they_say(returned: World) -> None:
    found = {row.key: (row.total, row.upheld, row.joint, row.waiting) for row in ledger.tallies(
        returned.actor("supervisor"), ledger.Narrow(), "rule")}
    assert found == {"none": (2, 1, 1, 0), "010102~~housing": (1, 1, 0, 0), "010101~990102~west": (1, 0, 0, 1)}
    whole = ledger.total(returned.actor("supervisor"), ledger.Narrow())
    assert whole.minutes == 0  # two were ruled on in the same minute, one after thirty
    jointly = ledger.total(returned.actor("supervisor"), ledger.Narrow(ruling="joint"))
    assert (jointly.total, jointly.minutes) == (1, 30)


def test_a_page_follows_another(returned: World) -> None:
    actor, seen, after = returned.actor("supervisor"), [], ""
    while True:
        found = ledger.page(actor, ledger.Narrow(), after=after, limit=3)
        seen += [entry.pk for entry in found.rows]
        after = found.after
        if not after:
            break
    assert seen == list(Return.objects.order_by("-raised_at", "-id").values_list("pk", flat=True))


@pytest.mark.parametrize("query", ["since=never", "until=2026-13-40", "unit=%00", "ruling=x", "rule=a~b", "after=zzz", "by=x",
                                   "number=1", "since=2030-01-01&until=2020-01-01", "category=999", "until=9999-12-31"])
def test_nonsense_is_no_fault(returned: World, query: str) -> None:
    page(returned, "supervisor", f"/desk/returns/?{query}")
    page(returned, "supervisor", f"/desk/returns/entries/?{query}")


def test_rulings_are_listed_by_when_they_are_due(world: World, monday: Frozen) -> None:
    late, soon, third = (sent(world, "housing") for _ in range(3))
    give_back(world, late, "housing")
    monday.move(minutes=30)
    give_back(world, third, "housing")
    give_back(world, soon, "housing")
    # The case that is due first is not the ruling that is due first.
    board = ledger.to_rule(world.actor("dispatcher"), filters=Filters())
    assert [case.pk for case in board.rows] == [late, *sorted((soon, third), key=lambda pk: Clock.objects.get(
        case=pk, kind="ruling").pk)]
    first = ledger.to_rule(world.actor("dispatcher"), filters=Filters(), limit=2)
    rest = ledger.to_rule(world.actor("dispatcher"), filters=Filters(), after=first.after, limit=2)
    assert [case.pk for case in (*first.rows, *rest.rows)] == [case.pk for case in board.rows]
    assert rest.after == ""
    monday.move(hours=23, minutes=45)  # a working day and a quarter of an hour after the first
    shown = page(world, "dispatcher", "/desk/board/returns/")
    assert shown.count("裁定超时") == 1
    overdue = page(world, "dispatcher", "/desk/board/returns/?due=overdue")
    assert str(late) in overdue
    assert str(soon) not in overdue
    assert str(late) in page(world, "dispatcher", "/desk/board/returns/?q=打桩")
    assert str(late) not in page(world, "dispatcher", "/desk/board/returns/?q=路灯")


def test_the_desk_says_why_it_has_to_be_joint(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing", "water", "urban")
    give_back(world, case_id, "urban")
    shown = page(world, "dispatcher", f"/desk/cases/{case_id}/")
    assert "已是第 3 次退单，须联合裁定" in shown
    form = page(world, "dispatcher", f"/desk/cases/{case_id}/do/rule_jointly/")
    assert 'value="housing 市住建局"' in form
    assert 'value="urban 市城管局"' in form
    refused = page(world, "dispatcher", f"/desk/cases/{case_id}/do/uphold_return/", 409, post={"ruling": "同意。"})
    assert "须联合裁定" in refused
    assert "同意。" in refused


def second(world: World) -> None:
    person = Staff.objects.create(username="supervisor2", name="督办乙", unit=world.units["hotline"])
    RoleGrant.objects.create(staff=person, role=Role.SUPERVISOR, unit=world.units["hotline"])
    world.staff["supervisor2"] = person


def test_from_the_ruling_to_the_next_version(returned: World, monday: Frozen) -> None:
    second(returned)
    entry = Return.objects.get(ruling="joint")
    case = page(returned, "dispatcher", f"/desk/cases/{entry.case_id}/")
    address = f"/desk/catalogue/propose/?return={entry.pk}"
    assert address in case
    assert address not in page(returned, "housing", f"/desk/cases/{entry.case_id}/")
    form = page(returned, "dispatcher", address)
    assert 'value="市政府办〔2024〕12 号第三条"' in form
    assert 'value="urban 市城管局"' in form
    typed = {"category": "010102", "area": "", "lead_unit": "water", "assisting_units": "", "basis": "三定方案", "why": "",
             "return": str(entry.pk), "submission": "s"}
    assert "三定方案" in page(returned, "dispatcher", "/desk/catalogue/propose/", 422, post=typed)
    client = Client()
    client.force_login(returned.staff["dispatcher"])
    after = client.post("/desk/catalogue/propose/", typed | {"why": "三次退单。"}, follow=True)
    assert after.redirect_chain[-1][1] == 302
    assert forgotten(form, after.content.decode())
    assert client.post("/desk/catalogue/propose/", typed | {"why": "三次退单。"}).status_code == 302  # sent twice
    proposal = CatalogueProposal.objects.get()
    own = f"/desk/catalogue/proposals/{proposal.pk}/"
    assert "由热线的督办员审定" in page(returned, "dispatcher", own)
    shown = page(returned, "supervisor", own)
    for which, count in (("all", 4), ("not_did", 3), ("not_rule", 4)):
        assert f'<a class="desk-count" href="{own}cases/{which}/">{count}</a>' in shown, which
        assert page(returned, "supervisor", f"{own}cases/{which}/").count(str(entry.case_id)) >= 1
    assert "第 1 版" in page(returned, "supervisor", f"{own}decide/approve/", 409, post={"on": "", "seen": "9"})
    assert "不能改到过去" in page(returned, "supervisor", f"{own}decide/approve/", 422, post={"on": "2020-01-01", "seen": "1"})
    page(returned, "supervisor", f"{own}decide/refuse/", 422, post={"no-reason": ""})
    page(returned, "dispatcher", f"{own}decide/approve/", 403, post={"on": "", "seen": "1"})
    page(returned, "supervisor", f"{own}decide/approve/", 302, post={"on": "", "seen": "1"})
    assert CatalogueVersion.objects.get(number=2).proposal == proposal
    assert "第 2 版" in page(returned, "urban", own)
    assert "市水务公司" in page(returned, "supervisor", "/desk/catalogue/compare/?from=1&to=2")
    assert "内容相同" in page(returned, "supervisor", "/desk/catalogue/compare/?from=2&to=2")
    monday.move(minutes=5)
    back = "/desk/catalogue/versions/1/restore/"
    page(returned, "dispatcher", back, 403)
    form = page(returned, "supervisor", back)
    assert "恢复会改" in form
    bad = page(returned, "supervisor", back, 422, post={"reason": "", "seen": "2"})
    assert re.search(r'<textarea name="reason"[^>]* aria-invalid="true"[^>]* aria-describedby="id_reason_error"', bad)
    assert 'id="id_reason_error"' in bad
    client = Client()
    client.force_login(returned.staff["supervisor"])
    listed = client.post(back, {"reason": "试行结束。", "seen": "2", "on": ""}, follow=True).content.decode()
    assert forgotten(form, listed)
    assert "试行结束。" in listed
    assert "恢复旧版" in listed
    page(returned, "supervisor", "/desk/catalogue/compare/?from=1&to=99", 404)
    page(returned, "grid", "/desk/catalogue/", 403)


def test_after_upholding_the_dispatcher_may_propose_at_once(world: World, monday: Frozen) -> None:
    case_id = sent(world, "housing")
    give_back(world, case_id, "housing", "urban")
    a.uphold_return(world.on(case_id, "dispatcher"), ruling="同意。")
    entry = Return.objects.get(case_id=case_id)
    assert f"propose/?return={entry.pk}" in page(world, "dispatcher", f"/desk/cases/{case_id}/do/dispatch/")
    form = page(world, "dispatcher", f"/desk/catalogue/propose/?return={entry.pk}")
    assert 'value="urban 市城管局"' in form  # whose it was said to be
    assert VILLAGE not in form  # the county is the place of a rule, not the village
    assert 'value="990101 东区"' in form
    page(world, "dispatcher", "/desk/catalogue/propose/?return=nonsense")


def test_the_row_of_cases_without_a_category_leads_to_those(returned: World) -> None:
    some = Return.objects.order_by("raised_at").first()
    assert some
    Return.objects.filter(pk=some.pk).update(category=None)
    counts = page(returned, "supervisor", "/desk/returns/?by=category")
    assert "未定事项" in counts
    link = re.search(r'href="([^"]+category=none[^"]*)"', counts)
    assert link
    assert [row.pk for row in ledger.page(returned.actor("supervisor"), ledger.Narrow(category="none")).rows] == [some.pk]
    shown = page(returned, "supervisor", link[1].replace("&amp;", "&"))
    assert shown.count(some.case.number) >= 1
    assert shown.count('class="lx-number"') <= 2


def test_values_that_no_column_holds_are_a_page_that_says_so(returned: World) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(returned.staff["supervisor"])
    for query in ("reason=%00", "number=%00", "rule=a%00~b~c"):
        answer = client.get(f"/desk/returns/?{query}")
        assert answer.status_code in (200, 400), query
    assert client.get("/desk/returns/?reason=%00").status_code == 400


def test_the_catalogue_is_in_the_menu_of_everyone_who_may_read_it(returned: World) -> None:
    for name in ("urban", "reviewer", "dispatcher"):
        assert "派单目录" in page(returned, name, "/desk/catalogue/")
