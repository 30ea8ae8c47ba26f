"""Reading over HTTP: pages, filters, one case, the city's tables – with their query counts pinned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lianxin.api import city, reads, residents, shapes, suggestions
from lianxin.kernel.clock import Frozen
from lianxin.publishing.records import refresh
from tests.api.conftest import Machine, token
from tests.api.test_actions import ok
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db
WORDS = "楼下工地半夜还在打桩，声音很大。"


@contextmanager
def queries(count: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as found:
        yield
    assert len(found) == count, [query["sql"][:120] for query in found]


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """For lists read in several short stretches of their index, however they are put together."""
    with CaptureQueriesContext(connection) as found:
        yield
    assert len(found) <= count, [query["sql"][:120] for query in found]


def many(world: World, monday: Frozen, count: int) -> list[str]:
    made = []
    for _ in range(count):
        monday.move(minutes=7)
        made.append(str(world.accepted()))
    return made


def walk(machine: Machine, path: str, between: Any = None) -> list[str]:
    """Every id of a list, following `next`."""
    seen: list[str] = []
    link: str | None = path
    while link:
        answer = machine.get(link)
        page = ok(answer)
        if page["next"]:
            assert answer.headers["Link"] == f'<{page["next"]}>; rel="next"'
        seen += [item["case"]["id"] if "case" in item else item.get("id") or item["number"] for item in page["items"]]
        link = page["next"]
        if between:
            between()
    return seen


@pytest.mark.parametrize("order", ["recent", "due"])
def test_pages_are_complete_and_without_doubles_while_rows_are_added(
    world: World, machines: Any, monday: Frozen, order: str
) -> None:
    before = many(world, monday, 23)

    def one_more() -> None:
        monday.move(minutes=1)
        world.accepted()

    seen = walk(machines("dispatcher"), f"/cases?order={order}&limit=5&state=accepted&kind=complaint", one_more)
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    ordered = [pk for pk in seen if pk in before]
    assert ordered == (before if order == "due" else before[::-1])


def test_a_list_takes_filters_and_refuses_what_it_does_not_know(world: World, machines: Any, monday: Frozen) -> None:
    one = str(world.accepted())
    world.accepted("010101", lon=113.1, lat=29.1)
    machine = machines("dispatcher")
    for query, count in (("category=010102", 1), ("category=01", 2), ("county=990101", 1), ("channel=web", 0),
                         ("urgency=urgent", 0), ("kind=complaint", 1), ("overdue=true", 0), ("q=打桩", 2), ("q=不存在", 0),
                         ("q=打&category=99", 0), ("q=打", 2), ("q=打&category=99&order=due", 0),
                         ("state=accepted&state=registered", 2), ("returned=true", 0), ("since=2026-11-24T00:00:00Z", 0)):
        page = ok(machine.get(f"/cases?{query}"))
        assert len(page["items"]) == count, query
        shapes.CasePage.model_validate(page)
    monday.move(days=30)
    assert {row["overdue"] for row in ok(machine.get("/cases?overdue=true"))["items"]} == {True}
    for query in ("state=lost", "limit=0", "limit=201", "limit=x", "order=best", "after=%00", "after=WyJ4Il0", "kind=%00",
                  "category=%00", "q=" + "长" * 61, "since=yesterday", "since=2026-11-24T00:00:00", "overdue=perhaps",
                  "order=due&after=WyIyMDI2LTEyLTAyVDA5OjMwOjAwIiwgIjAxOWEwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMCJd"):
        answer = machine.get(f"/cases?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
        assert answer.json()["errors"], query
    number = ok(machine.get(f"/cases/{one}"))["number"]
    assert [row["id"] for row in ok(machine.get(f"/cases?q={number}"))["items"]] == [one]


def test_query_counts(world: World, machines: Any, monday: Frozen) -> None:
    one = many(world, monday, 12)[0]
    dispatcher, housing = machines("dispatcher"), machines("housing")
    ok(dispatcher.act(one, "dispatch", lead_unit="housing"))
    ok(housing.get("/me"))
    with queries(1):
        ok(dispatcher.get("/cases"))
    with queries(2):
        ok(dispatcher.get("/cases?order=due&state=accepted"))
    with queries(3):  # case, assignments, clocks
        ok(dispatcher.get(f"/cases/{one}"))
    with queries(3):  # case, events, words
        ok(dispatcher.get(f"/cases/{one}/timeline"))
    with queries(2):
        ok(dispatcher.get(f"/cases/{one}/attachments"))
    with at_most(4):  # the heads of three states, then the rows
        ok(housing.get("/tasks"))
    with queries(3):  # by state, in all, and those nobody was reached for
        ok(dispatcher.get("/standings"))
    for path in ("/me", "/categories", "/dispatch?category=010102"):
        with queries(0):
            ok(dispatcher.get(path))
    with queries(1):
        ok(Machine().get("/public/cases"))


def test_one_case_says_what_may_be_done(world: World, machines: Any, monday: Frozen) -> None:
    one = world.accepted(lon=113.1, lat=29.1)
    ok(machines("dispatcher").act(one, "dispatch", lead_unit="housing"))
    seen = ok(machines("housing").get(f"/cases/{one}"))
    shapes.CaseOut.model_validate(seen)
    may = {row["action"]: row for row in seen["actions"]}
    assert may["sign"]["allowed"]
    assert not may["assist_sign"]["allowed"]
    assert may["assist_sign"]["reason"]
    assert (may["answer_supervision"]["allowed"], may["answer_supervision"]["reason"]) == (False, "现在没有要办的这一步。")
    assert [place["name"] for place in seen["area_path"]] == ["试验市", "东区", "桥头街道", "花园社区"]
    assert {clock["kind"] for clock in seen["clocks"]} == {"sign_for", "first_contact", "resolve"}
    assert seen["assignments"][0]["unit"] == {"code": "housing", "name": "市住建局"}
    assert (seen["identity"]["allowed"], seen["has_reporter"]) == (True, True)
    english = machines("housing").get(f"/cases/{one}", Accept_Language="en")
    assert english.headers["Content-Language"] == "en"
    shapes.Timeline.model_validate(ok(machines("housing").get(f"/cases/{one}/timeline")))


def test_tasks_are_ones_own_units(world: World, machines: Any, monday: Frozen) -> None:
    ours = many(world, monday, 7)
    for case_id in ours[:6]:
        ok(machines("dispatcher").act(case_id, "dispatch", lead_unit="housing"))
    ok(machines("dispatcher").act(ours[6], "dispatch", lead_unit="water"))
    assert sorted(walk(machines("housing"), "/tasks?limit=2")) == sorted(ours[:6])
    assert walk(machines("operator"), "/tasks") == []
    reads_page = ok(machines("housing").get("/tasks?officer=me"))
    shapes.TaskPage.model_validate(reads_page)
    assert len(reads_page["items"]) == 6
    reads.Standings.model_validate(ok(machines("supervisor").get("/standings")))


def test_the_citys_tables(world: World, machines: Any, monday: Frozen) -> None:
    machine = machines("operator")
    me = city.Me.model_validate(ok(machine.get("/me")))
    assert (me.name, [grant.role for grant in me.grants], me.scopes) == ("operator甲", ["operator"], ["*"])
    categories = city.Categories.model_validate(ok(machine.get("/categories"))).items
    assert {c.parent for c in categories if c.leaf} == {"0101"}
    assert [a.code for a in city.Areas.model_validate(ok(machine.get("/areas"))).items] == ["990101", "990102"]
    assert machine.get("/areas?parent=none").status_code == 404
    units = {u.code for u in city.Units.model_validate(ok(machine.get("/units"))).items}
    assert "housing" in units
    assert "closed" not in units
    assert [p["code"] for p in ok(machine.get("/phrases?list=return_reason"))["items"]] == ["not_ours"]
    assert machine.get("/phrases?list=secrets").status_code == 422
    found = city.Responsible.model_validate(ok(machine.get("/dispatch?category=010101&area=990102")))
    assert found.lead_unit is not None
    assert (found.lead_unit.code, [u.code for u in found.assisting_units]) == ("west", ["housing"])
    assert ok(machine.get("/dispatch?category=010105"))["lead_unit"] is None
    assert machine.get("/dispatch?category=nothing").status_code == 404
    spot = city.Where.model_validate(ok(machine.get("/areas/at?lon=113.106&lat=29.097&coordinate_system=gcj02")))
    assert spot.area is not None
    assert spot.area.code == "990101001001"
    assert abs(spot.lon - 113.1) < 0.001
    outside = ok(machine.get("/areas/at?lon=116&lat=40"))
    assert (outside["inside"], outside["area"]) == (False, None)
    assert machine.get("/areas/at?lon=NaN&lat=1").status_code == 422


def test_public_cases_need_no_token(world: World, machines: Any, monday: Frozen) -> None:
    for number in range(3):
        made = ok(machines("operator").post("/cases", {
            "words": f"{WORDS}电话 13812342201", "publication_title": f"第 {number} 件", "publication_body": "夜间施工。",
            "category": "010102", "accept": True, "lon": 113.1, "lat": 29.1}))
        assert len(walk(Machine(), "/public/cases?limit=1")) == number
        ok(machines("reviewer").act(made["id"], "clear_publication", title=f"第 {number} 件", body="夜间施工。"))
        monday.move(minutes=1)
        refresh()
    seen = walk(Machine(), "/public/cases?limit=1")
    assert len(seen) == len(set(seen)) == 3
    page = residents.PublicPage.model_validate(ok(Machine().get("/public/cases?category=0101&county=990101")))
    assert [item.title for item in page.items] == ["第 2 件", "第 1 件", "第 0 件"]
    assert "13812342201" not in page.model_dump_json()
    assert made["id"] not in page.model_dump_json(), "a key holds the millisecond of reporting"
    ok(machines("reviewer").act(made["id"], "refuse_publication", reason="内容涉及他人隐私。"))
    refresh()
    assert len(walk(Machine(), "/public/cases")) == 2
    assert Machine().get("/public/cases?after=zzz").status_code == 422
    # A token that is wrong is no reason to refuse what is public.
    assert Machine("lx_wrong").get("/public/cases").status_code == 200


def test_what_the_words_say(world: World, machines: Any, monday: Frozen) -> None:
    category = world.categories["010101"]
    category.keywords = {"路灯": 3}
    category.save()
    near = str(world.accepted("010101", lon=113.1, lat=29.1))
    article("lamp", "路灯不亮怎么办", "城管局 24 小时内修。", questions=["路灯不亮找谁"])
    said = {"words": "花园社区路灯不亮，工地半夜还在打桩", "lon": 113.1, "lat": 29.1}
    found = suggestions.Suggestions.model_validate(ok(machines("operator").post("/suggestions", said)))
    assert [(c.code, c.lead_unit and c.lead_unit.code) for c in found.categories] == [("010101", "bridge")]
    assert found.places[0].area is not None
    assert found.places[0].area.code == "990101001001"
    assert [str(case.id) for case in found.similar] == [near]
    assert [article.code for article in found.articles] == ["lamp"]
    assert (found.places[0].said, found.places[0].read_as, found.ask_place) == ("花园社区", "花园社区", [])
    other, = world.namesakes()
    asks = suggestions.Suggestions.model_validate(ok(machines("operator").post("/suggestions", said)))
    assert asks.ask_place == ["990101001001", other] == [place.code for place in asks.places]
    assert asks.places[0].ambiguous == [other]
    chosen = ok(machines("operator").post("/suggestions", said | {"area": other}))
    assert chosen["ask_place"] == [], "it was said which"
    world.namesakes("荣家湾镇", level="town")
    slip = ok(machines("operator").post("/suggestions", {"words": "荣加湾镇的路灯不亮"}))["places"][0]
    assert (slip["said"], slip["read_as"], slip["slip"]) == ("荣加湾镇", "荣家湾镇", True)
    danger = ok(machines("operator").post("/suggestions", {"words": "着火了，里面还有人"}))
    assert "119" in {alarm["service"] for alarm in danger["alarms"]}
    assert ok(machines("water").post("/suggestions", said))["similar"] == []


def test_a_county_sees_its_own(world: World, machines: Any, monday: Frozen) -> None:
    here = str(world.accepted(lon=113.1, lat=29.1))
    world.accepted(lon=113.7, lat=29.1)
    assert [row["id"] for row in ok(machines("east").get("/cases"))["items"]] == [here]
    assert ok(Machine(token(world, "east", unit="bridge")).get("/cases"))["items"] == []
