"""The words of the register, sealed and opened: AES-256-GCM under the keyring's key, each bound to its row and column."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields

from lianxin.kernel.crypto import decrypt, encrypt

from .models import CareEntry, CareVisit

# What a turning over of the keys seals anew: what the contexts begin with, and the fields (cases/keys.py).
ENTRY = ("care_entry", ("name", "address", "phone", "trusted", "purpose", "witness"))
VISIT = ("care_visit", ("note",))


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody said of themselves, in clear. Not stored, not logged; `repr` says nothing."""

    name: str = ""
    address: str = ""
    phone: str = ""
    trusted: str = ""
    purpose: str = ""
    witness: str = ""

    def __repr__(self) -> str:
        return "Person(…)"


def sealed(pk: uuid.UUID, words: str, field: str) -> bytes | None:
    """One field of the entry with this id; nothing for nothing."""
    return encrypt(words, context=f"{ENTRY[0]}:{pk}:{field}") if words else None


def opened(entry: CareEntry, *names: str) -> Person:
    """The named fields of an entry in clear; all of them when none is named."""
    wanted = names or tuple(one.name for one in fields(Person))
    return Person(**{
        name: decrypt(bytes(held), context=f"{ENTRY[0]}:{entry.pk}:{name}")
        for name in wanted if (held := getattr(entry, name)) is not None
    })


def sealed_note(pk: uuid.UUID, words: str) -> bytes | None:
    """The note of the visit with this id; nothing for nothing."""
    return encrypt(words, context=f"{VISIT[0]}:{pk}:note") if words else None


def opened_note(visit: CareVisit) -> str:
    """A visit's note in clear."""
    return decrypt(bytes(visit.note), context=f"{VISIT[0]}:{visit.pk}:note") if visit.note is not None else ""
