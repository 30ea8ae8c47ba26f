"""Other people's programs: GDAL, as QGIS opens layers, and Schemathesis over the described API."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pyogrio
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


@pytest.mark.slow
def test_gdal_reads_every_layer_as_it_is(live_server: Any, transactional_db: None) -> None:
    from tests.world import World

    town = Town(World.make())
    town.records(1_205, stage="with_unit", dated="month")
    town.records(4, stage="closed", lon=113.7, lat=29.2, precision="cell", day=3)
    town.records(2, stage="closed", lon=None, lat=None, precision="city", area=None, dated="month")
    town.stand()
    root = f"{live_server.url}/ogc/"
    source = f"OAPIF:{root}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert {name for name, _geometry in pyogrio.list_layers(source)} == set(COLLECTIONS)
        for name, collection in COLLECTIONS.items():
            meta, _fids, shapes, values = pyogrio.raw.read(source, layer=name, datetime_as_string=True)
            expected = [one["id"] for one in Site(root, _fetch).features(name)]
            assert len(expected) == {"cases": 1_211, "areas-county": 2, "sites": 2}.get(name, 1)
            fields = dict(zip(meta["fields"], values, strict=True))
            assert sorted(fields["number" if name == "cases" else "code"]) == sorted(expected)
            assert {one.name for one in collection.properties} - {"name_en"} <= set(fields) | {"name_en"}
            assert "4326" in meta["crs"] or "CRS84" in meta["crs"]
            assert sum(one is None for one in shapes) == {"cases": 2, "sites": 1}.get(name, 0)
        # What a map asks for: a box, a filter on a property, another system.
        box = pyogrio.raw.read(source, layer="cases", bbox=(113.6, 29.1, 113.8, 29.3))
        assert sum(one is not None for one in box[2]) == 4
        closed = pyogrio.raw.read(source, layer="cases", where="stage = 'closed'")
        assert len(closed[2]) == 6
        metres = pyogrio.raw.read(f"{root}collections/cases/items/{expected[0]}?crs=http://www.opengis.net/def/crs/EPSG/0/3857&f=json")
        assert len(metres[2]) == 1
    # And the command, over HTTP as anybody runs it.
    assert {one.said for one in run(Site(root, _fetch))} == {"passed"}
