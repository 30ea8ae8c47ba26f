"""A database from before the first release is carried on whole, or refused with what to do."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from lianxin.kernel.beginnings import begun

pytestmark = pytest.mark.django_db

SUPERVISION = ("0001_initial", "0002_issue_once", "0003_orders_lapse")


def applied(*names: str) -> None:
    """The database has these migrations of `supervision`, and not the one that stands for them."""
    recorder = MigrationRecorder(connection)
    recorder.migration_qs.filter(app="supervision").delete()
    for name in names:
        recorder.record_applied("supervision", name)


def test_a_new_database_has_begun_with_what_stands_for_the_old_ones() -> None:
    assert begun("default") == []


def test_all_of_the_old_ones_count_as_the_one_that_stands_for_them() -> None:
    applied(*SUPERVISION)
    assert begun("default") == []
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_some_of_the_old_ones_are_refused_and_it_says_what_to_do() -> None:
    applied(*SUPERVISION[:2])
    with pytest.raises(SystemCheckError) as refused:
        call_command("check", databases=["default"], tags=["database"])
    assert "(supervision)" in str(refused.value)
    assert "--data DIR" in str(refused.value)
