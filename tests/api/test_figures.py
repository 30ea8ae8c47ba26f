"""Figures over the API: what the command prints, for those who read reports, and no further than they may."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from lianxin.kernel.clock import Frozen
from tests.analysis.conftest import Town, october, town
from tests.api.test_actions import ok
from tests.world import World

__all__ = ["october", "town"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, settings: Any) -> None:
    settings.LIANXIN_ANALYSIS_DIR = str(tmp_path)


def test_the_same_as_the_command_prints(town: Town, machines: Any) -> None:
    got = ok(machines("supervisor").get("/figures?period=2026-10&unit=urban"))
    out = StringIO()
    call_command("analysis", "figures", "--period", "2026-10", "--unit", "urban", "--json", stdout=out)
    printed = json.loads(out.getvalue())
    assert (got | {"as_of": ""}) == (printed | {"as_of": ""})
    assert got["figures"]["response"]["denominator"] == 6


def test_each_reads_what_is_theirs(town: Town, machines: Any) -> None:
    urban = machines("urban")
    own = ok(urban.get("/figures?period=2026-10"))
    assert own["scope"] == {"unit": town.world.units["urban"].pk, "county": None, "category": None}
    assert urban.get("/figures?period=2026-10&unit=housing").status_code == 403
    assert machines("callback").get("/figures?period=2026-10").status_code == 403


@pytest.mark.parametrize(("query", "status"), [
    ("", 422), ("period=x", 422), ("period=0001", 422), ("period=2030-01", 422), ("period=2026-10&unit=nowhere", 404)])
def test_a_bad_question(world: World, monday: Frozen, machines: Any, query: str, status: int) -> None:
    assert machines("supervisor").get(f"/figures?{query}").status_code == status
