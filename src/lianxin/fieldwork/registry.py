"""What a telephone may send and what it is given: each context says its own part here.

An *item* is one thing a worker did: a report, a check, a visit. Its kind names the handler that does it, once. A *section* is
one part of what a telephone keeps for the hours without a network. Both are registered when the apps are ready.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from lianxin.kernel.errors import Invalid
from lianxin.organisations.actors import Actor

Said = TypeVar("Said", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Worker:
    """Who works with a telephone. `area_ids` are the areas whose work is theirs today: their own, and those they stand in for;
    an area holds all that lies below it."""

    actor: Actor
    staff_id: int
    device_id: uuid.UUID | None
    area_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Item(Generic[Said]):
    """One thing a worker did. `at` is when, by the server's clock; `made_at` what the telephone's clock said; `files` are ids
    of attachments by their role (`before`, `after`, `report`, `proof`, `voice`), whole and not yet claimed."""

    id: uuid.UUID
    kind: str
    at: datetime
    made_at: datetime
    said: Said
    files: Mapping[str, tuple[uuid.UUID, ...]] = field(default_factory=dict)

    @property
    def every_file(self) -> tuple[uuid.UUID, ...]:
        return tuple(pk for ids in self.files.values() for pk in ids)


Handler = Callable[[Worker, Item[Any]], dict[str, Any]]
Section = Callable[[Worker], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`model` is the shape of the item's body, `handle` does it and returns the answer (JSON). It runs in one transaction with
    its receipt. It raises Conflict, with `current` how things stand, where the worker must look again; any other DomainError
    where the item cannot be taken as it is. Of a kind that is not `kept`, what could not be taken stays on the telephone
    alone: the receipt is without a body."""

    name: str
    model: type[BaseModel]
    handle: Handler
    roles: frozenset[str]
    kept: bool = True


KINDS: dict[str, Kind] = {}
SECTIONS: dict[str, Section] = {}
SHARED: set[str] = set()  # the same for everybody, until the city's tables change


def handles(name: str, model: type[BaseModel], *, roles: frozenset[str], kept: bool = True) -> Callable[[Handler], Handler]:
    """Register a kind of item. `roles` are the files' roles it may carry, `kept` as `Kind` says."""

    def register(handle: Handler) -> Handler:
        if name in KINDS and KINDS[name].handle is not handle:
            raise ValueError(f"two handlers for {name}")
        KINDS[name] = Kind(name, model, handle, roles, kept)
        return handle

    return register


def section(name: str, *, shared: bool = False) -> Callable[[Section], Section]:
    """Register a part of what a telephone keeps: JSON, whole each time it has changed. Names that begin with `tasks.` are lists
    of tasks (`id`, `kind`, `title`, `due_at`, `place`, `lon`, `lat`), shown together by due time. A `shared` one is the same for
    every worker who reads one language, and made anew when the city's tables have changed (`cases.reference`)."""

    def register(give: Section) -> Section:
        if name in SECTIONS and SECTIONS[name] is not give:
            raise ValueError(f"two sections {name}")
        SECTIONS[name] = give
        if shared:
            SHARED.add(name)
        return give

    return register


def kind_of(name: str) -> Kind:
    """Raises Invalid for a kind nobody handles: an application newer than the server."""
    try:
        return KINDS[name]
    except KeyError:
        raise Invalid(code="kind_unknown", fields={"kind": name}) from None
