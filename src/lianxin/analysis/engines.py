"""Where figures are counted: the same Ibis expression, on PostgreSQL or on DuckDB over exported Parquet.

To build and to compile an expression takes longer than to run it on a city's facts, so a statement is made once for its shape, with
blanks for the moments and ids that differ each time (`answer`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, Protocol, cast
from uuid import UUID

import ibis
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Conflict

EngineName = Literal["postgresql", "duckdb"]
Value = datetime | int | UUID  # what stands in a blank
ENGINES: Final[tuple[EngineName, ...]] = ("postgresql", "duckdb")
TABLE: Final = "analysis_episode"


class Engine(Protocol):
    """`run` answers a statement over `analysis_episode`; `as_of` is when the facts it reads were made."""

    name: EngineName

    @property
    def as_of(self) -> datetime: ...

    def run(self, statement: str) -> list[tuple[Any, ...]]: ...


class PostgreSQL:
    """On the connection Django holds: nothing to export, and inside whatever transaction there is."""

    name: EngineName = "postgresql"

    @cached_property
    def as_of(self) -> datetime:
        from .facts import standing_at

        at = standing_at()
        if at is None:
            raise _not_yet()
        return at

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement)
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

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Blank:
    """The place of a moment or an id that is filled in when a statement is sent."""

    name: str

    @property
    def text(self) -> str:
        return f"{{{self.name}}}"


@lru_cache(maxsize=512)
def _statement(name: EngineName, build: Callable[..., ibis.Table], shape: tuple[Hashable, ...]) -> str:
    return str(ibis.to_sql(build(*shape), dialect="postgres" if name == "postgresql" else name))


def answer(source: Engine, build: Callable[..., ibis.Table], *shape: Hashable, **given: Value) -> list[tuple[Any, ...]]:
    """The rows of the expression that a function of a module builds of a shape; `given` are the values of its blanks.

    They stand in it as literals of text, cast there: neither a moment nor a number nor a UUID has a quote to end one with."""
    statement = _statement(source.name, build, shape)
    for name, value in given.items():
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        statement = statement.replace(f"'{Blank(name).text}'", f"'{text}'")
    return source.run(statement)


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
