"""Fixtures every test may use; the server is started by tests/bootstrap.py, which pytest loads before Django."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import ScryptPasswordHasher
from hypothesis import HealthCheck, settings

from tests import compiled, shares
from tests.shares import ROOT

pytest_plugins = ["tests.fixtures", "tests.browser"]

# How long an example takes says how busy the machine is, not whether the property holds.
settings.register_profile("lianxin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lianxin")

# The passwords of tests guard nothing: the same hash with a thousandth of the work.
ScryptPasswordHasher.work_factor = 2**4

gc.disable()  # while a thousand modules are imported, until what was collected can be frozen


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None):  # only this process hands out, and has nothing else to do
        compiled.compile_all(config)


def pytest_collection_finish() -> None:
    """Every module is in memory now and stays: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()


def pytest_report_header() -> list[str]:
    left = shares.left_out()
    return [f"left to another commit's run: the slow tests of {', '.join(left)} (LIANXIN_ALL_TESTS=true tries all)"] if left else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with a slow test or a browser begin first: begun last, one of them would keep a core waiting for minutes.

    A browser's test that fails is tried once more."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))  # real browsers on a busy machine; what was tried twice is said
    others = {ROOT / name for name in shares.left_out()}
    left = [item for item in items if item.path in others and item.get_closest_marker("slow")]
    if left:
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
    long = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The test database begins as a copy of one in which all migrations were run (tests/migrated.py)."""
    from tests import clearing, migrated

    if clearing.ours():
        from django.db import connection

        connection.settings_dict["TEST"]["TEMPLATE"] = migrated.DATABASE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """At the end no other session holds the database: a live server's thread may still have one open."""
    from tests import clearing

    if clearing.ours():
        clearing.install()
    yield
    from django.db import connection

    # A fresh one: the connection of this context may have been ended long ago, by a test that ended all others than its own.
    connection.close()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = current_database() AND pid <> pg_backend_pid()")
