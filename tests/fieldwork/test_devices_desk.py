"""The desk's pages of the field: today's grids, tasks given to others, cover, telephones, and borders without a map."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.cases import actions as a
from lianxin.cases.engine import On
from lianxin.cases.models import Assignment, Case
from lianxin.cases.queries import cursor_of
from lianxin.desk import field_work
from lianxin.fieldwork import devices, staffing
from lianxin.fieldwork.models import Cover, Device
from lianxin.kernel.clock import Frozen, now
from lianxin.organisations.models import Role, RoleGrant
from lianxin.places import grids
from lianxin.places.models import Area
from tests.fieldwork.town import VILLAGE, staffed
from tests.world import World


@pytest.fixture
def four(world: World, monday: Frozen) -> list[Area]:
    return staffed(world)


def client(world: World, username: str) -> Client:
    made = Client()
    made.force_login(world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
    return made


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()[:2000]
    return str(response.content.decode())


PAGES = ("grids", "grid_tasks", "grid_cover", "phones")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("who", "status"), [("lead", 200), ("bridge_head", 200), ("bridge_admin", 200), ("admin", 200),
                                             ("urban", 403), ("operator", 403), ("urban_head", 403)])
def test_who_sees_the_pages(world: World, four: list[Area], page: str, who: str, status: int) -> None:
    text(client(world, who).get(reverse(f"desk:{page}")), status)


def test_a_lead_begins_the_day_with_the_grids(world: World, four: list[Area]) -> None:
    assert client(world, "lead").get("/desk/").headers["Location"] == reverse("desk:grids")


def test_grids_without_anybody_stand_out(world: World, four: list[Area]) -> None:
    RoleGrant.objects.filter(staff=world.staff["grid3"]).update(area=four[0])
    shown = text(client(world, "lead").get(reverse("desk:grids")))
    assert "今天没有人的网格" in shown
    assert f'href="#grid-{four[3].code}"' in shown
    assert f'href="#grid-{four[1].code}"' not in shown


def test_a_case_is_given_to_another_worker(world: World, four: list[Area]) -> None:
    case_id = world.accepted("010101", area=VILLAGE)
    a.dispatch(On(case_id, world.actor("dispatcher")), lead_unit="bridge")
    lead = client(world, "lead")
    shown = text(lead.get(reverse("desk:grid_tasks"), {"area": VILLAGE}))
    assert str(case_id) in shown
    assert '<option value="grid2">' in shown
    assert str(case_id) not in text(lead.get(reverse("desk:grid_tasks"), {"area": four[0].code}))
    said = {"case": case_id, "officer": "grid2", "submission": "x", "unit": "bridge"}
    assert "已转给grid2甲" in text(lead.post(reverse("desk:hand_over"), said, follow=True))
    assert Assignment.objects.get(case_id=case_id, ended_at__isnull=True).officer == world.staff["grid2"]
    assert "只能转给" in text(lead.post(reverse("desk:hand_over"), said | {"officer": "urban", "submission": "y"}, follow=True))
    for broken in ({"case": "nonsense", "officer": "grid2"}, {}):
        text(lead.post(reverse("desk:hand_over"), broken), 422)


def test_open_tasks_come_page_by_page_and_each_once(
    world: World, four: list[Area], monday: Frozen, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cases and checks in one order; two that are due at the same moment, and one without a due time, at the seam of two pages."""
    monkeypatch.setattr(field_work, "TASKS_SHOWN", 2)
    cases = []
    for turn in range(5):
        case_id = world.accepted("010101", area=VILLAGE)
        a.dispatch(On(case_id, world.actor("dispatcher")), lead_unit="bridge")
        cases.append(case_id)
        if turn % 2:
            monday.move(minutes=30)
    Assignment.objects.filter(case_id=cases[3]).update(due_at=None)
    lead, address, seen = client(world, "lead"), reverse("desk:grid_tasks") + f"?unit=bridge&area={VILLAGE}", []
    numbers = {str(number): str(pk) for pk, number in Case.objects.values_list("pk", "number")}
    for _page in range(3):
        shown = text(lead.get(address))
        assert "5 件在办" in shown
        seen += [numbers[number] for number in re.findall(r'class="lx-number"[^>]*>([^<]+)<', shown)]
        found = re.search(r'rel="next" href="([^"]+)"', shown)
        address = reverse("desk:grid_tasks") + found[1].replace("&amp;", "&") if found else ""
    assert address == ""
    due = dict(Assignment.objects.filter(case_id__in=cases).values_list("case_id", "due_at"))
    assert sorted(seen) == sorted(map(str, cases))
    assert seen[-1] == str(cases[3])
    assert [due[uuid.UUID(pk)] for pk in seen[:-1]] == sorted(due[pk] for pk in cases if due[pk])
    for broken in ("nonsense", cursor_of("2026-11-23T10:00:00", cases[0]), cursor_of("x"), "W10"):
        text(lead.get(reverse("desk:grid_tasks"), {"after": broken}), 422)


def test_grids_are_given_on_the_workers_page(world: World, four: list[Area]) -> None:
    lead, page = client(world, "lead"), reverse("desk:grid_worker", args=["grid2"])
    shown = text(lead.get(page))
    assert f'name="areas" value="{four[1].code}" checked' in shown
    assert f'name="areas" value="{four[0].code}"> ' in shown
    seen = f"{four[1].code},{four[2].code}"
    assert "至少留一个网格" in text(lead.post(page, {"seen": seen}), 422)
    assert "刚被改过" in text(lead.post(page, {"seen": "old", "areas": [four[3].code]}), 409)
    assert "分工已改" in text(lead.post(page, {"seen": seen, "areas": [four[3].code]}, follow=True))
    assert staffing.seen_by(staffing.standing(world.units["bridge"].pk, world.staff["grid2"].pk)) == four[3].code
    text(lead.get(reverse("desk:grid_worker", args=["urban"])), 404)


def test_cover_is_arranged_and_called_off(world: World, four: list[Area]) -> None:
    lead, page = client(world, "lead"), reverse("desk:grid_cover")
    said = {"absent": "grid", "stand_in": "grid2", "starts_on": "2026-11-23", "ends_on": "2026-11-27", "submission": "x"}
    assert "已安排grid2甲替grid甲" in text(lead.post(page, said, follow=True))
    lead.post(page, said)
    assert Cover.objects.count() == 1
    assert "已由grid2甲代班" in text(lead.post(page, said | {"stand_in": "grid3", "submission": "y"}), 409)
    assert "lx-error" in text(lead.post(page, said | {"ends_on": "never"}), 422)
    assert "还没有人代班" in text(lead.post(page, said | {"absent": "grid3", "stand_in": "", "submission": "z"}, follow=True))
    made = Cover.objects.get(absent=world.staff["grid"])
    assert "已取消" in text(lead.post(reverse("desk:end_cover", args=[made.pk]), follow=True))
    assert "已经结束或取消" in text(lead.post(reverse("desk:end_cover", args=[made.pk]), follow=True))


def telephone(world: World, who: str = "grid") -> Device:
    made = devices.enrol(staff=world.staff[who], name=f"{who}的华为", by=world.actor(who)).device
    devices.note_seen(made, at=now(), version="1.2", waiting=3)
    return made


def test_telephones_say_when_they_were_here_and_what_waits(world: World, four: list[Area]) -> None:
    telephone(world)
    shown = text(client(world, "lead").get(reverse("desk:phones")))
    assert "grid的华为" in shown
    assert "1.2" in shown
    assert "它说还有 3 条" in shown
    assert "lxd_" not in shown


@pytest.mark.parametrize("who", ["lead", "bridge_head", "bridge_admin", "admin"])
def test_a_lost_telephone_is_shut_out_and_given_back(world: World, four: list[Area], who: str) -> None:
    phone, by = telephone(world), client(world, who)
    out, back = (reverse(f"desk:{name}", args=[phone.pk]) for name in ("shut_out_phone", "give_back_phone"))
    assert "请写明原因" in text(by.post(out, {"why": " "}, follow=True))
    assert "已停用" in text(by.post(out, {"why": "掉在湖里了"}, follow=True))
    phone.refresh_from_db()
    assert (phone.shut_out_by, phone.why) == (world.staff[who], "掉在湖里了")
    assert "掉在湖里了" in text(by.get(reverse("desk:phones")))
    assert "已恢复" in text(by.post(back, follow=True))
    phone.refresh_from_db()
    assert phone.shut_out_at is None


def test_a_worker_shuts_out_their_own_and_no_other(world: World, four: list[Area]) -> None:
    mine, other, by = telephone(world), telephone(world, "grid2"), client(world, "grid")
    shown = text(by.get(reverse("desk:phones")))
    assert "grid的华为" in shown
    assert "grid2的华为" not in shown
    assert "不归您管" in text(by.post(reverse("desk:shut_out_phone", args=[other.pk]), {"why": "x"}, follow=True))
    assert "已停用" in text(by.post(reverse("desk:shut_out_phone", args=[mine.pk]), {"why": "丢了"}, follow=True))
    assert "请由网格长" in text(by.post(reverse("desk:give_back_phone", args=[mine.pk]), follow=True))


def edit(world: World, step: str, who: str = "lead", **said: Any) -> Any:
    return client(world, who).post(reverse("desk:grid_map", args=[VILLAGE]),
                                   {"step": step, "version": 0, "why": "分工调整"} | said, follow=True)


def line_across(grid: Area) -> str:
    west, south, east, north = grids.shape_of(grid).bounds
    return f"{west},{(south + north) / 2}\n{east},{(south + north) / 2}"


def test_borders_are_changed_by_typing_alone(world: World, four: list[Area]) -> None:
    assert "已改好" in text(edit(world, "split", grid=four[0].code, line=line_across(four[0]), system="wgs84", name="湖边网格"))
    assert "湖边网格" in [grid.name for grid in grids.held(VILLAGE).grids]
    shown = text(edit(world, "rename", version=2, grid=four[0].code, name="老街网格"))
    assert "已改好" in shown
    assert "分工调整" in shown
    fresh = next(grid for grid in grids.held(VILLAGE).grids if grid.name == "湖边网格")
    assert "已改好" in text(edit(world, "merge", version=3, grid=four[0].code, other=fresh.code))
    assert grids.faults_of(grids.held(VILLAGE)) == []


def test_what_was_typed_stays_when_it_is_refused(world: World, four: list[Area]) -> None:
    shown = text(edit(world, "split", grid=four[0].code, line="1,1\n2,2", system="wgs84", name="湖边网格"), 422)
    assert "没有把网格切开" in shown
    assert 'value="湖边网格"' in shown
    features = grids.as_features(grids.held(VILLAGE))
    features["features"][0]["geometry"] = features["features"][1]["geometry"]
    shown = text(edit(world, "redraw", features=json.dumps(features), system="wgs84"), 422)
    assert "重叠" in shown
    assert "data-faults" in shown
    assert "&quot;square_metres&quot;" in shown


def test_who_was_slower_sees_how_it_stands(world: World, four: list[Area]) -> None:
    edit(world, "rename", grid=four[0].code, name="老街网格")
    shown = text(edit(world, "rename", "bridge_head", grid=four[0].code, name="新街网格"), 409)
    assert "刚被lead甲改过（改名）" in shown
    assert 'value="新街网格"' in shown
    assert 'name="version" value="2"' in shown


@pytest.mark.parametrize("broken", [
    {"step": "split"}, {"step": "nothing"}, {"step": "redraw", "features": "{"}, {"step": "merge", "version": "²"},
    {"step": "split", "system": "mars", "line": "x"}, {"step": "rename", "grid": "nowhere", "name": "x"},
])
def test_nonsense_is_answered(world: World, four: list[Area], broken: dict[str, str]) -> None:
    assert client(world, "lead").post(reverse("desk:grid_map", args=[VILLAGE]), broken).status_code in (200, 409, 422)
    assert grids.held(VILLAGE).version == 0


@pytest.mark.parametrize("page", ["grid_map", "grid_shapes"])
def test_another_towns_village_is_not_there(world: World, four: list[Area], page: str) -> None:
    west = Area.objects.create(code="990102001001", name="西村", level="village", parent=world.areas["990102"])
    assert client(world, "lead").get(reverse(f"desk:{page}", args=[west.code])).status_code == 404
    assert client(world, "urban").get(reverse(f"desk:{page}", args=[VILLAGE])).status_code == 403


def test_the_map_is_given_what_it_draws(world: World, four: list[Area]) -> None:
    found = client(world, "lead").get(reverse("desk:grid_shapes", args=[VILLAGE]))
    assert "no-store" in found.headers["Cache-Control"]
    assert len(found.json()["grids"]["features"]) == 4
    assert found.json()["village"]["features"][0]["properties"] == {"code": VILLAGE}


def test_nobody_leads_by_a_role_in_another_unit(world: World, four: list[Area]) -> None:
    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.TEAM_LEAD, unit=world.units["urban"])
    text(client(world, "urban").get(reverse("desk:grids")), 403)
