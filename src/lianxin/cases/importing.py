"""Bulk import: every record of a file becomes a case through the rules of `register`, or goes to the reject file.

Records are written in batches, each in one transaction. A record is known by (source system, source id), so a run
that was killed is simply started again: what is there is skipped, nothing comes twice and nothing is missing.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from lianxin.kernel.errors import DomainError
from lianxin.organisations.actors import Actor, Kind

from .actions import register_many
from .actions.intake import rows_for
from .actions.writing import Rows
from .mapping import Mapping, MappingError
from .records import Record, Source, opened

BATCH = 500
IMPORTER = Actor(kind=Kind.SYSTEM, via="import")


@dataclass(slots=True)
class Summary:
    """What became of the records. `reasons` counts rejects by reason."""

    read: int = 0
    imported: int = 0
    closed: int = 0
    there_before: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Waiting:
    """One record on its way into a batch."""

    record: Record
    source_id: str


class Rejects:
    """The reject file: line, reason, then the record as it came. It may hold personal data: owner only (0600)."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: Any = None
        self._writer: Any = None
        self._columns: tuple[str, ...] = ()

    def open(self, columns: tuple[str, ...]) -> None:
        if self._path is None:
            return
        self._columns = columns
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["line", "reason", *(columns or ["record"])])

    def add(self, record: Record, reason: str) -> None:
        if self._writer is None:
            return
        values = (
            [record.values.get(name, "") for name in self._columns]
            if self._columns else [json.dumps(record.values, ensure_ascii=False)]
        )
        self._writer.writerow([record.line, reason, *values])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def plain_reason(error: DomainError) -> str:
    """An error as one sentence, with the faults of single fields."""
    faults = pgettext("between faults", "；").join(
        _("%(where)s：%(reason)s") % {"where": name, "reason": fault} for name, fault in error.fields.items() if fault)
    return _("%(message)s（%(faults)s）") % {"message": error.message, "faults": faults} if faults else str(error.message)


def settled(mapping: Mapping | None, source: Source) -> Mapping:
    """The mapping for a file: without one, our own names. Raises MappingError when the file lacks columns it reads."""
    if mapping is None:
        mapping = Mapping.plain(frozenset(source.columns)) if source.columns else Mapping.plain()
    missing = mapping.columns - set(source.columns)
    if source.columns and missing:
        raise MappingError(_("文件里没有这些列：%(missing)s。文件的列是：%(columns)s。")
                           % {"missing": ", ".join(sorted(missing)), "columns": ", ".join(source.columns)})
    return mapping


class Import:
    """One run over one file. `progress` is told after each batch: bytes read, and the summary so far."""

    def __init__(self, path: Path, mapping: Mapping | None, *, system: str = "", dry_run: bool = False,
                 rejects: Path | None = None, batch: int = BATCH, sheet: str = "",
                 progress: Callable[[int, Summary], None] | None = None) -> None:
        self.path = path
        self.mapping = mapping
        self.system = system
        self.dry_run = dry_run
        self.batch = batch
        self.sheet = sheet
        self.summary = Summary()
        self._rejects = Rejects(rejects)
        self._progress = progress
        self._seen: dict[bytes, int] = {}
        self._copies: dict[bytes, int] = {}

    def run(self) -> Summary:
        """Raises FileError and MappingError before anything is written."""
        mapping = self.mapping
        encoding, delimiter = (mapping.encoding, mapping.delimiter) if mapping else ("utf-8-sig", ",")
        with opened(self.path, encoding=encoding, delimiter=delimiter, sheet=self.sheet) as source, self._reject_file(source):
            self._settle_mapping(source)
            waiting = self._known(source)
            while batch := list(islice(waiting, self.batch)):
                self._write(batch)
                if self._progress:
                    self._progress(source.position, self.summary)
            if self._progress:
                self._progress(source.size, self.summary)
        return self.summary

    @contextmanager
    def _reject_file(self, source: Source) -> Iterator[None]:
        self._rejects.open(source.columns)
        try:
            yield
        finally:
            self._rejects.close()

    def _settle_mapping(self, source: Source) -> None:
        self.mapping = settled(self.mapping, source)
        self.system = self.system or self.mapping.source_system

    @property
    def _map(self) -> Mapping:
        if self.mapping is None:
            raise AssertionError("the mapping is settled before records are read")
        return self.mapping

    def _reject(self, record: Record, reason: str, *, count_as: str = "") -> None:
        self.summary.rejected += 1
        key = count_as or reason
        self.summary.reasons[key] = self.summary.reasons.get(key, 0) + 1
        self._rejects.add(record, reason)

    def _known(self, source: Source) -> Iterator[_Waiting]:
        """Whole records with their source ids; broken and repeated ones are rejected here."""
        for record in source.records:
            self.summary.read += 1
            if record.fault:
                self._reject(record, record.fault)
                continue
            try:
                source_id = self._source_id(record)
            except DomainError as error:
                self._reject(record, plain_reason(error))
                continue
            digest = hashlib.blake2b(source_id.encode("utf-8", "surrogateescape"), digest_size=12).digest()
            first = self._seen.setdefault(digest, record.line)
            if first != record.line:
                reason = _("来源编号 %(id)s 与第 %(line)s 行重复。") % {"id": source_id[:120], "line": first}
                self._reject(record, reason, count_as=_("来源编号重复。"))
                continue
            yield _Waiting(record, source_id)

    def _source_id(self, record: Record) -> str:
        """The record's own id; without one, a digest of the record and how many the same came before it."""
        if "source_id" in self._map.fields and (given := self._map.text(record.values, "source_id")):
            return given
        body = json.dumps(record.values, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(body, digest_size=16).digest()
        copy = self._copies[digest] = self._copies.get(digest, 0) + 1
        return f"{digest.hex()}-{copy}"

    def _write(self, batch: list[_Waiting]) -> None:
        with transaction.atomic():
            there = self._there(batch)
            fresh = [one for one in batch if one.source_id not in there]
            self.summary.there_before += len(batch) - len(fresh)
            made = [rows for one in fresh if (rows := self._rows(one)) is not None]
            if made and not self.dry_run:
                register_many(rows=made)
        self.summary.imported += len(made)
        self.summary.closed += sum(rows.case["closed_at"] is not None for rows in made)

    def _there(self, batch: list[_Waiting]) -> set[str]:
        with connection.cursor() as cursor:
            # Two imports from one system take turns by the batch, so that each sees what the other has written.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 311))", [f"import {self.system}"])
            cursor.execute(
                "SELECT source_id FROM cases_case WHERE source_system = %s AND source_id = ANY(%s) AND source_id <> ''",
                [self.system, [one.source_id for one in batch]],
            )
            return {row[0] for row in cursor.fetchall()}

    def _rows(self, one: _Waiting) -> Rows | None:
        try:
            intake = self._map.intake(one.record.values, source_id=one.source_id, source_system=self.system)
            return rows_for(intake, by=IMPORTER)[0]
        except DomainError as error:
            self._reject(one.record, plain_reason(error))
        except LookupError as error:
            self._reject(one.record, _("没有适用的办理时限，请先载入时限表：%(error)s") % {"error": error})
        return None
