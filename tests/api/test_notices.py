"""Notices and clocks over the API."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from lianxin.knowledge import actions as reporting
from lianxin.organisations.models import Role, RoleGrant
from tests.api.test_actions import ok
from tests.cases.test_clocks import local
from tests.cases.test_sweep import alone
from tests.cases.ways import take
from tests.knowledge.made import article
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_head_reads_and_opens_what_the_clocks_told(world: World, machines: Any, monday: Frozen) -> None:
    case_id = alone(world)
    monday.set(local("2026-11-30 10:00"))
    sweep()
    head = machines("urban_head")
    listed = ok(head.get("/notices?unseen=true"))["items"]
    assert [(one["level"], one["kind"], one["unit"], one["case_id"], one["seen_at"]) for one in listed] == [
        ("escalation", "resolve", "urban", str(case_id), None)]
    seen = ok(head.post(f"/notices/{listed[0]['id']}/seen", {}))
    assert (seen["seen_by"], seen["seen_at"] is not None) == ("urban_head甲", True)
    assert ok(head.get("/notices?unseen=true"))["items"] == []
    assert machines("housing").post(f"/notices/{listed[0]['id']}/seen", {}).status_code == 404
    assert head.get("/notices?after=nowhere").status_code == 422


def test_what_is_said_against_an_article_stands_among_them(world: World, machines: Any, monday: Frozen) -> None:
    """In the order of time, page by page, each once; by level; opened like the others."""
    RoleGrant.objects.create(staff=world.staff["urban_head"], role=Role.CLERK, unit=world.units["urban"])
    alone(world)
    article("lamp", "路灯不亮怎么报", unit=world.units["urban"])
    report = reporting.report(by=world.actor("operator"), code="lamp", fault="outdated", words="电话换了。")
    monday.set(max(local("2026-11-30 10:00"), report.due_at))
    out = StringIO()
    call_command("sweep", stdout=out)
    assert "知识库提醒 1 条" in out.getvalue()
    head = machines("urban_head")
    whole = ok(head.get("/notices"))
    assert whole["next"] is None
    assert {(one["about"], one["level"]) for one in whole["items"]} >= {
        ("article", "reported"), ("article", "overdue"), ("case", "escalation")}
    assert [one["at"] for one in whole["items"]] == sorted((one["at"] for one in whole["items"]), reverse=True)
    seen: list[str] = []
    address = "/notices?limit=1"
    while address:
        one = ok(head.get(address))
        seen += [row["id"] for row in one["items"]]
        address = (one["next"] or "").removeprefix("/api/v1")
    assert seen == [one["id"] for one in whole["items"]]
    assert head.get("/notices?level=overdue&after=nowhere").status_code == 422
    [late] = ok(head.get("/notices?level=overdue"))["items"]
    assert (late["article"], late["unit"], late["case_id"], late["to"]) == ("lamp", "urban", None, "owner")
    assert [one["about"] for one in ok(head.get("/notices?level=escalation"))["items"]] == ["case"]
    assert ok(head.post(f"/notices/{late['id']}/seen", {}))["seen_by"] == "urban_head甲"
    assert late["id"] not in {one["id"] for one in ok(head.get("/notices?unseen=true"))["items"]}
    assert machines("housing").post(f"/notices/{late['id']}/seen", {}).status_code == 404
    assert ok(machines("housing").get("/notices"))["items"] == []


def test_a_case_says_how_its_clocks_stand(world: World, machines: Any, monday: Frozen) -> None:
    case_id = alone(world)
    take(world, case_id, "suspend")
    read = ok(machines("urban").get(f"/cases/{case_id}"))
    assert (read["paused"], read["overdue"]) == (True, False)
    clock = next(one for one in read["clocks"] if one["kind"] == "resolve")
    assert (clock["state"], clock["paused_at"] is not None) == ("paused", True)
    take(world, case_id, "resume_work")
    monday.set(local("2026-12-01 10:00"))
    read = ok(machines("urban").get(f"/cases/{case_id}"))
    assert next(one for one in read["clocks"] if one["kind"] == "resolve")["state"] == "overdue"
    assert read["overdue"]
