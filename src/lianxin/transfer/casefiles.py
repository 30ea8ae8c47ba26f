"""Importing cases at the desk: the steps around `cases.importing`, which does the work for the command as well.

A file is uploaded, its columns are matched, every row is tried and nothing written, and then it is imported: the last two as jobs
that tell how far they are. A job that was cut off is begun again from the page; what is there already is skipped, as always.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from lianxin.cases.importing import Import, Summary, settled
from lianxin.cases.mapping import Mapping, MappingError
from lianxin.cases.previewing import Preview, preview
from lianxin.cases.records import FileError, Record, opened
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, TooLarge
from lianxin.kernel.locks import alone
from lianxin.kernel.text import clean_text
from lianxin.organisations.actors import Actor

from .applying import may
from .guessing import guessed
from .models import RUNNING, CaseImport, ImportState

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".xlsx")
LARGEST: Final = 150 * 1024 * 1024  # bytes
LOOKED_AT: Final = 2000  # records that the page's preview reads
ROWS_SHOWN: Final = 5
REASONS_KEPT: Final = 50
SILENT: Final = timedelta(seconds=90)  # without a word from a job it counts as cut off
_GZIP: Final = b"\x1f\x8b"


def need(by: Actor) -> None:
    """Raises NotAllowed for whoever is no administrator of the hotline."""
    if not may(by):
        raise NotAllowed(_("工单由热线中心的系统管理员导入。"))


def _path(one: CaseImport, what: str) -> str:
    return f"imports/{one.pk}/{what}"


def source_path(one: CaseImport) -> str:
    return _path(one, f"source{one.suffix}")


def rejects_path(one: CaseImport) -> str:
    return _path(one, "rejects.csv")


def listed(by: Actor, *, most: int = 50) -> list[CaseImport]:
    """Imports at the desk, newest first. Raises NotAllowed."""
    need(by)
    return list(CaseImport.objects.select_related("by").order_by("-at")[:most])


def access(by: Actor, pk: uuid.UUID) -> CaseImport:
    """Raises NotAllowed and NotFound."""
    need(by)
    found = CaseImport.objects.select_related("by").filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有这次导入。"))
    return found


def store(by: Actor, *, file: BinaryIO, name: str, size: int, system: str, mapping: Any = None) -> CaseImport:
    """Keep an upload and guess its mapping, unless one is given. Nothing is imported. Raises NotAllowed, TooLarge and Invalid."""
    need(by)
    suffix = Path(name.lower()).suffix
    if suffix not in SUFFIXES:
        raise Invalid(_("只收 .csv、.jsonl 和 .xlsx 文件。旧式 .xls 请先另存为 .xlsx，压缩包请先解开。"))
    if size > LARGEST:
        raise TooLarge(_("文件太大：一次最多 %d MB。更大的请在服务器上用命令导入。") % (LARGEST // 1024 // 1024))
    begins = file.read(2)
    file.seek(0)
    if not begins:
        raise Invalid(_("这个文件是空的，请重新选择。"))
    if begins == _GZIP:
        raise Invalid(_("这是压缩文件，请先解开。"))
    system = clean_text(system, max_length=40, multiline=False)
    if not system:
        raise Invalid(_("请写来源系统的名称。"), fields={"system": str(_("请写来源系统的名称。"))})
    assert by.staff_id is not None
    one = CaseImport(by_id=by.staff_id, name=clean_text(Path(name).name, max_length=120, multiline=False), suffix=suffix, size=size)
    default_storage.save(source_path(one), File(file))
    try:
        one.mapping = {**_plain(mapping), "source_system": system} if mapping is not None else guessed(_columns(one), system=system)
        one.save(force_insert=True)
    except BaseException:
        default_storage.delete(source_path(one))
        raise
    return one


def _plain(mapping: Any) -> dict[str, Any]:
    try:
        Mapping.of(mapping)
    except MappingError as error:
        raise Invalid(str(error)) from error
    return cast(dict[str, Any], mapping)


@contextmanager
def _fetched(one: CaseImport) -> Iterator[Path]:
    """The file on this machine's disk. Raises NotFound for one that is no longer kept, Invalid for one that cannot be read."""
    name = source_path(one)
    if one.forgotten_at is not None or not default_storage.exists(name):
        raise NotFound(_("这个文件已按期限删除，请重新上传。"))
    with _on_disk(name, one) as path:
        try:
            yield path
        except FileError as error:  # it names the path, which is ours and not the uploader's
            raise Invalid(str(error).replace(str(path), one.name)) from error
        except MappingError as error:
            raise Invalid(str(error)) from error


@contextmanager
def _on_disk(name: str, one: CaseImport) -> Iterator[Path]:
    try:
        own: Path | None = Path(default_storage.path(name))
    except NotImplementedError:  # a storage elsewhere
        own = None
    if own is not None:
        yield own
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"source{one.suffix}"
        with default_storage.open(name, "rb") as held, place.open("wb") as out:
            for chunk in iter(lambda: held.read(1024 * 1024), b""):
                out.write(chunk)
        yield place


def _columns(one: CaseImport) -> list[str]:
    with _fetched(one) as path, opened(path, encoding="auto") as source:
        return list(source.columns)


class Look:
    """What the page shows of a file before anything is imported: columns, the first rows as they came, and what the mapping makes of
    the first `LOOKED_AT` records. `fault` says why the mapping cannot be used yet."""

    def __init__(self, one: CaseImport) -> None:
        self.columns: list[str] = []
        self.rows: list[list[str]] = []
        self.seen: Preview | None = None
        self.fault = ""
        with _fetched(one) as path:
            with opened(path, encoding=str(one.mapping.get("encoding", "auto"))) as source:
                self.columns = list(source.columns)
                first = list(islice(source.records, ROWS_SHOWN))
            self.columns = self.columns or list(dict.fromkeys(name for record in first for name in record.values))
            self.rows = [_cells(record, self.columns) for record in first]
            try:
                self.seen = preview(path, Mapping.of(one.mapping), most=LOOKED_AT)
            except MappingError as error:
                self.fault = str(error)


def _cells(record: Record, columns: list[str]) -> list[str]:
    return [record.fault] if record.fault else [record.values.get(name, "")[:80] for name in columns]


def remap(by: Actor, pk: uuid.UUID, mapping: dict[str, Any]) -> CaseImport:
    """Take another mapping; what was tried before no longer holds. Raises NotAllowed, NotFound, Invalid and Conflict."""
    need(by)
    with transaction.atomic():
        one = _locked(pk)
        if one.running:
            raise Conflict(_("正在跑，等它做完或先停下。"))
        one.mapping, one.tried_at = _plain(mapping), None
        if one.state != ImportState.DONE:
            one.state, one.fault = ImportState.DRAFT, ""
        one.save()
    return one


def _locked(pk: uuid.UUID) -> CaseImport:
    found = CaseImport.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有这次导入。"))
    return found


def silent(one: CaseImport) -> bool:
    """Whether a job seems to have been cut off."""
    return one.running and (one.beat_at or one.started_at or one.at) < now() - SILENT


def start(by: Actor, pk: uuid.UUID, *, dry: bool) -> CaseImport:
    """Try every row, or import them, as a job. The same may be asked again for one that was cut off. Raises NotAllowed, NotFound,
    Invalid for a mapping that does not fit the file, Conflict while it runs and before it was tried."""
    from .tasks import run_import

    seen = access(by, pk)
    if not seen.running:  # read before anything is locked: the file may lie elsewhere
        with _fetched(seen) as path, opened(path, encoding=str(seen.mapping.get("encoding", "auto"))) as source:
            settled(Mapping.of(seen.mapping), source)
    with transaction.atomic():
        one = _locked(pk)
        if one.running and not silent(one):
            raise Conflict(_("正在跑，等它做完或先停下。"))
        if not dry and one.tried_at is None:
            raise Conflict(_("请先试运行，看过结果再导入。"))
        one.state = ImportState.CHECKING if dry else ImportState.IMPORTING
        one.position, one.counts, one.reasons, one.fault = 0, {}, [], ""
        one.started_at = one.beat_at = now()
        one.ended_at = None
        one.save()
        run_import.defer(pk=str(one.pk), language=get_language() or settings.LANGUAGE_CODE)
    return one


def stop(by: Actor, pk: uuid.UUID) -> CaseImport:
    """Stop after the rows that are being written. What is imported stays; begun again, it goes on. Raises NotAllowed, NotFound."""
    need(by)
    with transaction.atomic():
        one = _locked(pk)
        if one.running:
            one.state, one.fault, one.ended_at = ImportState.FAILED, _("您停下了它。已导入的保留，可以接着做。"), now()
            one.save()
    return one


class _Stopped(Exception):
    """Somebody stopped it, or forgot its file."""


def run(pk: uuid.UUID, *, language: str) -> None:
    """The job: one run over the file. Run twice it does its work once; what cannot be done is said on the page, not raised."""
    with alone(f"import {pk}") as mine, override(language):
        one = CaseImport.objects.filter(pk=pk, state__in=RUNNING).first()
        if mine and one is not None:
            _run(one)


def _run(one: CaseImport) -> None:
    dry = one.state == ImportState.CHECKING
    try:
        with tempfile.TemporaryDirectory() as folder, _fetched(one) as path:
            rejects = Path(folder) / "rejects.csv"
            try:
                summary = Import(path, Mapping.of(one.mapping), dry_run=dry, rejects=rejects,
                                 progress=lambda position, so_far: _beat(one, position, so_far)).run()
            finally:
                _keep_rejects(one, rejects)
    except _Stopped:
        return
    except DomainError as error:
        _end(one, ImportState.FAILED, fault=str(error)[:500] or _("没能做完。"))
        return
    except Exception:
        _end(one, ImportState.FAILED, fault=_("程序出错，没能做完。已导入的保留，可以接着做；再不行请看“失败的任务”。"))
        raise
    _beat(one, one.size, summary)
    _end(one, ImportState.CHECKED if dry else ImportState.DONE)


def _beat(one: CaseImport, position: int, summary: Summary) -> None:
    """Write down how far it is. Raises _Stopped when it is no longer wanted."""
    counts = {name: getattr(summary, name) for name in ("read", "imported", "closed", "there_before", "rejected")}
    reasons = sorted(summary.reasons.items(), key=lambda item: -item[1])[:REASONS_KEPT]
    if not CaseImport.objects.filter(pk=one.pk, state=one.state).update(
            position=min(position, one.size), counts=counts, reasons=reasons, beat_at=now()):
        raise _Stopped


def _end(one: CaseImport, state: ImportState, *, fault: str = "") -> None:
    CaseImport.objects.filter(pk=one.pk, state=one.state).update(
        state=state, fault=fault, ended_at=now(), **({"tried_at": now()} if state == ImportState.CHECKED else {}))


def _keep_rejects(one: CaseImport, rejects: Path) -> None:
    name = rejects_path(one)
    default_storage.delete(name)
    if rejects.exists() and CaseImport.objects.filter(pk=one.pk, forgotten_at__isnull=True).exists():
        with rejects.open("rb") as file:
            default_storage.save(name, File(file))


def open_rejects(by: Actor, pk: uuid.UUID) -> BinaryIO:
    """The refused rows with their reasons, as CSV. Raises NotAllowed and NotFound."""
    one = access(by, pk)
    try:
        return cast(BinaryIO, default_storage.open(rejects_path(one), "rb"))
    except FileNotFoundError:
        raise NotFound(_("这个文件已按期限删除，请重新上传。")) from None


def forget(by: Actor, pk: uuid.UUID) -> CaseImport:
    """Delete the file and what it says; the numbers stay. Raises NotAllowed, NotFound, and Conflict while it runs."""
    need(by)
    with transaction.atomic():
        one = _locked(pk)
        if one.running and not silent(one):
            raise Conflict(_("正在跑，等它做完或先停下。"))
        return _forget(one)


def _forget(one: CaseImport) -> CaseImport:
    one.name, one.mapping, one.reasons, one.forgotten_at = "", {}, [], now()
    if one.running:
        one.state, one.fault = ImportState.FAILED, _("没能做完。")
    one.save()
    for name in (source_path(one), rejects_path(one)):
        transaction.on_commit(partial(default_storage.delete, name), robust=True)
    return one


def forget_old(at: datetime) -> int:
    """Each night: files whose days are over. Returns how many."""
    stale = CaseImport.objects.filter(forgotten_at__isnull=True, at__lt=at - timedelta(days=settings.LIANXIN_IMPORT_DAYS))
    count = 0
    for pk in list(stale.values_list("pk", flat=True)):
        with transaction.atomic():
            _forget(_locked(pk))
            count += 1
    return count
