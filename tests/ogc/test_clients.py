"""Other people's programs: GDAL, as QGIS opens layers, and Schemathesis over the described API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lianxin.ogc.catalogue import COLLECTIONS
from lianxin.ogc.checking.runner import run
from lianxin.ogc.checking.site import Site
from lianxin.ogc.management.commands.ogc import _fetch
from tests.ogc.conftest import Town


@pytest.fixture
def application() -> Iterator[WSGIHandler]:
    """The program as a web server calls it, in the test's own transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def told(town: Town) -> Town:
    town.records(7, stage="with_unit")
    town.records(4, stage="closed", lon=113.7, lat=29.2, precision="cell", day=3)
    town.records(2, stage="closed", lon=None, lat=None, precision="city", area=None, dated="month")
    town.stand()
    return town


def test_schemathesis_finds_nothing_that_is_not_as_described(told: Town, application: WSGIHandler) -> None:
    schema = schemathesis.openapi.from_wsgi("/ogc/api?f=json", application)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
                  phases=[Phase.explicit, Phase.generate])
        def conforms(case: Any) -> None:
            nonlocal tried
            tried += 1
            # Nobody unpacks between; that south lies below north, or a time ends after it begins, OpenAPI has no words for.
            case.call_and_validate(headers={"Accept-Encoding": "identity"}, excluded_checks=[positive_data_acceptance])

        conforms()
    assert tried > 60


# GDAL holds the interpreter while it waits for the server, which is a thread of this one: it reads in a program of its own.
READ = """
import json, sys, pyogrio
root = sys.argv[1]
told = {}
for name, kind in pyogrio.list_layers(f"OAPIF:{root}"):
    meta, fids, shapes, values = pyogrio.raw.read(f"OAPIF:{root}", layer=name, datetime_as_string=True)
    told[name] = {"crs": meta["crs"], "fields": list(meta["fields"]), "bare": sum(one is None for one in shapes),
                  "keys": [str(one) for one in dict(zip(meta["fields"], values))["number" if name == "cases" else "code"]]}
box = pyogrio.raw.read(f"OAPIF:{root}", layer="cases", bbox=(113.6, 29.1, 113.8, 29.3))[2]
told["boxed"] = sum(one is not None for one in box)
told["closed"] = len(pyogrio.raw.read(f"OAPIF:{root}", layer="cases", where="stage = 'closed'")[2])
print(json.dumps(told))
"""


@pytest.mark.slow
def test_gdal_reads_every_layer_as_it_is(live_server: Any, transactional_db: None) -> None:
    from tests.world import World

    town = Town(World.make())
    town.records(1_205, stage="with_unit", dated="month")
    town.records(4, stage="closed", lon=113.7, lat=29.2, precision="cell", day=3)
    town.records(2, stage="closed", lon=None, lat=None, precision="city", area=None, dated="month")
    town.stand()
    root = f"{live_server.url}/ogc/"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", READ, root], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told.pop("boxed"), told.pop("closed")) == (4, 6)
    assert set(told) == set(COLLECTIONS)
    counts = {"cases": 1_211, "areas-county": 2, "sites": 2}
    for name, collection in COLLECTIONS.items():
        layer = told[name]
        expected = [one["id"] for one in Site(root, _fetch).features(name)]
        assert len(expected) == counts.get(name, 1)
        assert sorted(layer["keys"]) == sorted(expected)
        assert {one.name for one in collection.properties} <= set(layer["fields"])
        assert "4326" in layer["crs"] or "CRS84" in layer["crs"]
        assert layer["bare"] == {"cases": 2, "sites": 1}.get(name, 0)
    # And the command, over HTTP as anybody runs it.
    assert {one.said for one in run(Site(root, _fetch))} == {"passed"}
