"""Databases made before the first release: their history was written as many migrations, which are one for each app now.

Such a database is carried on only if it had applied all of them. Django passes over an app of which it had applied
some, and says nothing; `begun` finds those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def begun(using: str) -> list[str]:
    """Labels of the apps whose first migration stands for several of which the database `using` has only some."""
    loader = MigrationLoader(connections[using], ignore_no_migrations=True, replace_migrations=False, load=False)
    loader.load_disk()
    applied = set(MigrationRecorder(connections[using]).applied_migrations())
    return sorted({app for (app, _name), migration in loader.disk_migrations.items()
                   if 0 < len(applied & set(map(tuple, migration.replaces))) < len(migration.replaces)})


def check_beginnings(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """A check of the database, run by `migrate`."""
    return [
        Error(
            f"The database “{using}” was made by a version of Lianxin from before the first release and cannot be carried on ("
            + ", ".join(apps) + ").",
            hint="Start with an empty database. A demo starts anew in another directory (./run demo --data DIR) or after its old one is "
                 "deleted.",
            id="lianxin.E001",
        )
        for using in databases or [] if (apps := begun(using))
    ]
