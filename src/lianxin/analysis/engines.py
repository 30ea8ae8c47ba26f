"""Where figures are counted: the same Ibis expression, on PostgreSQL or on DuckDB over exported Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal, Protocol, cast

import ibis
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict

EngineName = Literal["postgresql", "duckdb"]
ENGINES: Final[tuple[EngineName, ...]] = ("postgresql", "duckdb")
TABLE: Final = "analysis_episode"


class Engine(Protocol):
    """`rows` answers an expression over `counting.EPISODES`; `as_of` is when the facts it reads were made."""

    name: EngineName

    @property
    def as_of(self) -> datetime: ...

    def rows(self, expression: ibis.Table) -> list[tuple[Any, ...]]: ...


class PostgreSQL:
    """On the connection Django holds: nothing to export, and inside whatever transaction there is."""

    name: EngineName = "postgresql"

    @property
    def as_of(self) -> datetime:
        from .facts import standing_at

        at = standing_at()
        if at is None:
            raise _not_yet()
        return at

    def rows(self, expression: ibis.Table) -> list[tuple[Any, ...]]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(str(ibis.to_sql(expression, dialect="postgres")))
            return cast("list[tuple[Any, ...]]", cursor.fetchall())


class DuckDB:
    """In this process, over the files of `export`; one connection for one report."""

    name: EngineName = "duckdb"

    def __init__(self) -> None:
        import duckdb

        from . import export

        held = export.read_manifest()
        if held is None:
            raise _not_yet()
        self._as_of = held.at
        self._connection = duckdb.connect(config={"threads": settings.LIANXIN_ANALYSIS_THREADS})
        files = [str(path) for path in export.files(held)]
        if files:
            self._connection.read_parquet(files).create_view(TABLE)
        else:
            self._connection.execute(export.empty_table(TABLE))

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def rows(self, expression: ibis.Table) -> list[tuple[Any, ...]]:
        return self._connection.execute(str(ibis.to_sql(expression, dialect="duckdb"))).fetchall()

    def close(self) -> None:
        self._connection.close()


def _not_yet() -> Conflict:
    return Conflict(_("统计数据还没有生成。请先运行 lianxin analysis export。"), code="facts_missing")


def chosen() -> EngineName:
    """The engine the setting says."""
    return cast(EngineName, settings.LIANXIN_ANALYSIS_ENGINE)


@contextmanager
def engine(name: EngineName | None = None) -> Iterator[Engine]:
    """The engine of that name, or the one `LIANXIN_ANALYSIS_ENGINE` says. Raises Conflict before the first refresh."""
    wanted = name or chosen()
    if wanted == "duckdb":
        duck = DuckDB()
        try:
            yield duck
        finally:
            duck.close()
    else:
        yield PostgreSQL()
