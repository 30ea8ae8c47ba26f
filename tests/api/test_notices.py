"""Notices and clocks over the API."""

from __future__ import annotations

from typing import Any

import pytest

from lianxin.cases.sweep import sweep
from lianxin.kernel.clock import Frozen
from tests.api.test_actions import ok
from tests.cases.test_clocks import local
from tests.cases.test_sweep import alone
from tests.cases.ways import take
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
