"""What a mapping would make of a file, before anything is imported: each column's way, and the values that have no place yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from lianxin.kernel.errors import DomainError
from lianxin.places.models import Area

from .importing import settled
from .mapping import FIELDS, TIMES, Mapping
from .models import Category, Channel, Kind, Urgency
from .records import Record, opened

EXAMPLES = 3
VALUES = 1000  # different values of one field that are counted; a field with more is no list of words
WIDEST = 60


@dataclass(slots=True)
class FieldSeen:
    """One field of ours: the columns it comes from, and examples of what they say and what becomes of it."""

    name: str
    columns: tuple[str, ...]
    constant: str = ""
    filled: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    # Values without a place, with how often they come: not in `values`, or a code that the city does not have.
    unmapped: Counter[str] = field(default_factory=Counter)
    too_many: bool = False


@dataclass(slots=True)
class Preview:
    """The whole file, read once. `unread` are columns that nothing is made of."""

    records: int = 0
    broken: int = 0
    encoding: str = ""
    fields: list[FieldSeen] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


class _Known:
    """Codes and words that a field may hold in the end."""

    def __init__(self) -> None:
        self._words: dict[str, frozenset[str]] = {
            "kind": frozenset(Kind.values), "urgency": frozenset(Urgency.values), "channel": frozenset(Channel.values),
            "category": frozenset(Category.objects.filter(active=True).values_list("code", flat=True)),
            "area": frozenset(Area.objects.filter(active=True).values_list("code", flat=True)),
        }

    def has(self, name: str, value: str) -> bool:
        return not value or name not in self._words or value in self._words[name]


def preview(path: Path, mapping: Mapping | None, *, sheet: str = "", most: int | None = None) -> Preview:
    """Read the file once – or its first `most` records – and say what each field would hold. Raises FileError and MappingError."""
    encoding, delimiter = (mapping.encoding, mapping.delimiter) if mapping else ("utf-8-sig", ",")
    seen, known = Preview(), _Known()
    with opened(path, encoding=encoding, delimiter=delimiter, sheet=sheet) as source:
        use = settled(mapping, source)
        seen.encoding = source.encoding
        seen.fields = [FieldSeen(name, use.fields[name].columns if name in use.fields else (), use.constants.get(name, ""))
                       for name in sorted(FIELDS) if name in use.fields or name in use.constants]
        beyond: dict[str, str] = dict.fromkeys((name for name in source.columns if name not in use.columns), "")
        for record in islice(source.records, most):
            seen.records += 1
            if record.fault:
                seen.broken += 1
                continue
            for name in beyond:
                beyond[name] = beyond[name] or record.values.get(name, "").strip()[:WIDEST]
            for one in seen.fields:
                _look(one, record, use, known)
        seen.unread = list(beyond.items())
    return seen


def _look(one: FieldSeen, record: Record, use: Mapping, known: _Known) -> None:
    spec = use.fields.get(one.name)
    came = spec.text(record.values) if spec is not None else ""
    if not came and not one.constant:
        return
    one.filled += 1
    try:
        made = use.said(record.values, one.name)
    except DomainError:
        made = None
    if one.name not in TIMES and (made is None or not known.has(one.name, made)):
        if came in one.unmapped or len(one.unmapped) < VALUES:
            one.unmapped[came[:WIDEST]] += 1
        else:
            one.too_many = True
        made = None
    elif made is None:
        one.unmapped[came[:WIDEST]] += 1
    if len(one.examples) < EXAMPLES and came not in (example[0] for example in one.examples):
        one.examples.append((came[:WIDEST], made[:WIDEST] if made is not None else _("（没有对应项）")))


def first(path: Path, *, count: int = 5, encoding: str = "auto") -> list[Record]:
    """The first records of a file, for a look at it."""
    with opened(path, encoding=encoding) as source:
        return list(islice(source.records, count))
