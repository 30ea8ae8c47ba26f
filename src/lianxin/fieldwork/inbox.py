"""What telephones send: each item is done once, in the order it was made, and answered the same for ever.

An item and its receipt are one transaction. Sent again, an item finds its receipt and gets the answer that stands there. What
cannot be taken as it is – the case has moved on, or a field is wrong – is not dropped: it stays sealed in the receipt until
the worker has made it anew (`settles`) or given it up (`abandon`). After an item that has to wait, the rest waits with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lianxin.cases.actions.writing import prepared
from lianxin.kernel import faults
from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Conflict, DomainError, Invalid, TooMany
from lianxin.kernel.text import clean_text

from . import uploads
from .devices import AccountClosed, DeviceShutOut
from .models import Device, Receipt, ReceiptStatus, Upload
from .registry import KINDS, Item, Kind, Worker, handles, kind_of

log = logging.getLogger(__name__)

ITEMS = 50
FILES_OF_ITEM = 12
WAITING = "waiting"
LONGEST_WITHOUT_DEVICE = timedelta(days=60)
# Somebody else holds the case this moment, or the hour's count is full: the same item goes through later.
_PASSING = frozenset({"held_by_another"})
Shape = TypeVar("Shape", bound=BaseModel)


class FileOf(BaseModel):
    """A file that goes with an item: the upload's id and what the file shows."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    role: Annotated[str, StringConstraints(min_length=1, max_length=20)]


class Envelope(BaseModel):
    """One item as it is sent."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID = Field(description="Made on the telephone, once, with the item.")
    kind: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    made_at: AwareDatetime = Field(description="By the telephone's own clock.")
    body: dict[str, Any] = Field(description="What the kind takes.")
    files: Annotated[list[FileOf], Field(max_length=FILES_OF_ITEM)] = Field(default_factory=list)
    settles: uuid.UUID | None = Field(None, description="The item that was not taken, of which this one is made anew.")


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one item. `problem` has code, title, detail, fields and current; None when it was accepted."""

    id: uuid.UUID
    status: str
    answer: Mapping[str, Any] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None


def _problem(status: str, error: DomainError) -> dict[str, Any]:
    title = str(ReceiptStatus(status).label) if status != WAITING else _("先留在手机里")
    return {"code": error.code, "title": title, "detail": str(error.message),
            "fields": {name: str(said) for name, said in error.fields.items()}, "current": _plain(error.current)}


def _plain(value: Any) -> Any:
    """JSON types only, as they will stand in the receipt."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def canonical(said: Mapping[str, Any]) -> str:
    """An item's text, the same whatever the order of its fields: of this the digest is made, and this is what is sealed."""
    return json.dumps({key: value for key, value in said.items() if key != "id"}, sort_keys=True, separators=(",", ":"))


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, Mapping):
        return any(_has_nul(key) or _has_nul(one) for key, one in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _shaped(model: type[Shape], said: Any) -> Shape:
    """`said` as `model`. Raises Invalid that names each wrong field."""
    try:
        return model.model_validate(said)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Invalid(_("有内容需要更正。"), fields=dict(faults.listed(found))) from None


@dataclass(slots=True)
class _Taken:
    """One item under way. `at` is the time it was made, by the server's clock."""

    id: uuid.UUID
    text: str
    digest: bytes
    kind: str
    made_at: datetime
    at: datetime
    settles: uuid.UUID | None = None


EMPTY: dict[str, Any] = {"code": "", "title": "", "detail": "", "fields": {}, "current": {}}


class _Stored(Exception):
    """The same item was taken meanwhile by another request."""


class Batch:
    """The items of one request, in order."""

    def __init__(self, worker: Worker, *, sent_at: datetime, received: datetime) -> None:
        self.worker, self.sent_at, self.received = worker, sent_at, received
        self.earliest = received - LONGEST_WITHOUT_DEVICE
        if worker.device_id is not None:
            enrolled = Device.objects.filter(pk=worker.device_id).values_list("enrolled_at", flat=True).first()
            self.earliest = enrolled or self.earliest

    def when(self, made_at: datetime) -> datetime:
        """The instant by the server's clock: as long ago as the telephone says, whatever the telephone's clock says. Never
        later than now, nor before the telephone was enrolled."""
        try:
            at = self.received - max(self.sent_at - made_at, timedelta(0))
        except OverflowError:
            return self.earliest
        return max(at, min(self.earliest, self.received))

    def take(self, items: Sequence[tuple[uuid.UUID, Mapping[str, Any]]]) -> list[Result]:
        known = {row.pk: row for row in Receipt.objects.filter(pk__in=[pk for pk, _said in items])}
        here: dict[uuid.UUID, tuple[bytes, Result]] = {}  # the same id twice in one request
        results: list[Result] = []
        behind: uuid.UUID | None = None
        for pk, said in items:
            text = canonical(said)
            digest = hashlib.sha256(text.encode()).digest()
            earlier = known.get(pk)
            if earlier is not None:
                result = self._again(earlier, digest)
            elif pk in here:
                result = here[pk][1] if here[pk][0] == digest else _reused(pk)
            elif behind is not None:
                result = _waits(pk, "after_another", _("前面还有一条没有发完，这一条排在它后面。"), current={"item": str(behind)})
            else:
                result = self._new(_Taken(pk, text, digest, str(said.get("kind"))[:20].replace("\x00", ""), self.received,
                                          self.received), said)
            if result.status == WAITING and behind is None:
                behind = pk
            results.append(result)
            if earlier is None and result.status != WAITING:
                here.setdefault(pk, (digest, result))
        return results

    def _again(self, row: Receipt, digest: bytes) -> Result:
        if row.staff_id != self.worker.staff_id or bytes(row.digest) != digest:
            return _reused(row.pk)
        if row.status == ReceiptStatus.ACCEPTED:
            return Result(row.pk, row.status, answer=row.answer)
        return Result(row.pk, row.status, problem={name: row.answer.get(name, empty) for name, empty in EMPTY.items()})

    def _stored(self, taken: _Taken) -> Result | None:
        row = Receipt.objects.filter(pk=taken.id).first()
        return None if row is None else self._again(row, taken.digest)

    def _new(self, taken: _Taken, said: Mapping[str, Any]) -> Result:
        """Do one item that has no receipt yet. Raises DeviceShutOut and AccountClosed, and then has done nothing."""
        try:
            return self._done(taken, said)
        except (DeviceShutOut, AccountClosed):
            raise
        except _Stored:
            found = self._stored(taken)
            return found or _try_again(taken.id)
        except _Missing as missing:
            return self._stored(taken) or _waits(
                taken.id, "files_missing", _("照片还没有传完，传完后会接着发送。"), current={"files": [str(pk) for pk in missing.ids]})
        except TooMany as error:
            return _waits(taken.id, error.code, str(error.message))
        except DomainError as error:
            if error.code in _PASSING:
                return _waits(taken.id, error.code, str(error.message))
            return self._not_taken(taken, error)
        except DataError:
            return self._not_taken(taken, Invalid(_("有内容需要更正。")))
        except Exception:
            log.exception("item %s of kind %s failed unexpectedly; it stays on the telephone", taken.id, taken.kind)
            return _try_again(taken.id)

    def _done(self, taken: _Taken, said: Mapping[str, Any]) -> Result:
        if "\\u0000" in taken.text and _has_nul(said):
            raise Invalid(_("内容里有不能保存的字符，请重新填写。"))
        envelope = _shaped(Envelope, said)
        taken.made_at, taken.at, taken.settles = envelope.made_at, self.when(envelope.made_at), envelope.settles
        kind = kind_of(envelope.kind)
        body = _shaped(kind.model, envelope.body)
        files = self._files(taken, kind, envelope)
        item = Item(taken.id, envelope.kind, taken.at, taken.made_at, body, files)
        with transaction.atomic():
            self._claim(taken, [one.id for one in envelope.files])
            answer = _plain(kind.handle(self.worker, item))
            if taken.settles is not None:
                settle(self.worker, taken.settles)
            self._write(taken, ReceiptStatus.ACCEPTED, answer, sealed=None)
        return Result(taken.id, ReceiptStatus.ACCEPTED.value, answer=answer)

    def _not_taken(self, taken: _Taken, error: DomainError) -> Result:
        """Keep what could not be taken, sealed, with the reason."""
        status = ReceiptStatus.CONFLICT if isinstance(error, Conflict) else ReceiptStatus.REFUSED
        problem = _problem(status, error)
        try:
            with transaction.atomic():
                if taken.settles is not None and error.code != "settles_unknown":
                    settle(self.worker, taken.settles)
                kind = KINDS.get(taken.kind)
                kept = kind is None or kind.kept
                self._write(taken, status, problem, sealed=encrypt(taken.text, context=context_of(taken.id)) if kept else None)
        except _Stored:
            return self._stored(taken) or _try_again(taken.id)
        return Result(taken.id, status.value, problem=problem)

    def _files(self, taken: _Taken, kind: Kind, envelope: Envelope) -> dict[str, tuple[uuid.UUID, ...]]:
        """Attachments by role. Raises Invalid for a role that the kind has not and for a file that is none, `_Missing` for
        those that are not whole yet."""
        if not envelope.files:
            return {}
        wrong = sorted({one.role for one in envelope.files} - kind.roles)
        if wrong:
            raise Invalid(fields={"files": _("这里不能放这种附件：%s。") % "、".join(wrong)}, code="file_role_unknown")
        ids = [one.id for one in envelope.files]
        if len(set(ids)) != len(ids):
            raise Invalid(fields={"files": _("同一个文件列了两次。")})
        rows = uploads.whole(self.worker, ids)
        missing = [pk for pk in ids if pk not in rows or (rows[pk].attachment_id is None and not rows[pk].fault)]
        if missing:
            raise _Missing(missing)
        for row in rows.values():
            if row.fault:
                raise Invalid(row.fault, code="file_refused", fields={"files": row.fault})
            if row.claimed_by not in (None, taken.id):
                raise Invalid(fields={"files": _("这个文件已经用在另一条里了。")}, code="file_used")
        found: dict[str, tuple[uuid.UUID, ...]] = {}
        for one in envelope.files:
            attachment = rows[one.id].attachment_id
            if attachment is not None:
                found[one.role] = (*found.get(one.role, ()), attachment)
        return found

    def _claim(self, taken: _Taken, ids: list[uuid.UUID]) -> None:
        """The files are this item's from now on. Raises `_Missing` when one has gone, or gone elsewhere, in between."""
        if not ids:
            return
        free = Upload.objects.filter(pk__in=ids, staff_id=self.worker.staff_id, claimed_by__isnull=True)
        if free.update(claimed_by=taken.id) != len(ids):
            raise _Missing(ids)

    def _write(self, taken: _Taken, status: ReceiptStatus, answer: Mapping[str, Any], *, sealed: bytes | None) -> None:
        try:
            with prepared() as cursor:
                cursor.execute(RECEIPT, [
                    taken.id, self.worker.device_id, taken.kind, taken.digest, taken.made_at, taken.at, now(), status.value,
                    json.dumps(answer, ensure_ascii=False), sealed,
                    now() if sealed is None and status is not ReceiptStatus.ACCEPTED else None, self.worker.device_id, self.worker.staff_id,
                ])
                written = cursor.rowcount
        except IntegrityError as error:
            if getattr(error.__cause__, "sqlstate", None) == UNIQUE:
                raise _Stored from None
            raise
        if not written:
            held = self.worker.device_id
            lost = held is not None and Device.objects.filter(pk=held, shut_out_at__isnull=False).exists()
            raise DeviceShutOut() if lost else AccountClosed()


UNIQUE = "23505"
# Written only while the telephone is not shut out and the account is open: whoever sends on after that has done nothing.
RECEIPT = """
INSERT INTO fieldwork_receipt (id, device_id, staff_id, kind, digest, made_at, at, received_at, status, answer, body, settled_at)
SELECT %s, %s, staff.id, %s, %s, %s, %s, %s, %s, %s, %s, %s
FROM organisations_staff AS staff LEFT JOIN fieldwork_device AS device ON device.id = %s
WHERE staff.id = %s AND staff.is_active AND device.shut_out_at IS NULL
"""


class _Missing(Exception):
    """Uploads that are not whole yet."""

    def __init__(self, ids: list[uuid.UUID]) -> None:
        super().__init__()
        self.ids = ids


def _waits(pk: uuid.UUID, code: str, detail: str, *, current: Mapping[str, Any] | None = None) -> Result:
    return Result(pk, WAITING, problem=_problem(WAITING, DomainError(detail, code=code, current=current)))


def _reused(pk: uuid.UUID) -> Result:
    error = Invalid(_("这个编号已用于另一项内容。"), code="id_reused")
    return Result(pk, ReceiptStatus.REFUSED.value, problem=_problem(ReceiptStatus.REFUSED, error))


def _try_again(pk: uuid.UUID) -> Result:
    return _waits(pk, "try_again", _("系统暂时没有收下，手机会再发一次。"))


def context_of(item_id: uuid.UUID) -> str:
    """What a sealed body belongs to."""
    return f"receipt:{item_id}:body"


def body_of(receipt: Receipt) -> dict[str, Any] | None:
    """What was sent and not taken, opened; None when it is settled. Raises KeyringError."""
    if receipt.body is None:
        return None
    said: dict[str, Any] = json.loads(decrypt(bytes(receipt.body), context=context_of(receipt.pk)))
    return said


def take(worker: Worker, items: Sequence[tuple[uuid.UUID, Mapping[str, Any]]], *, sent_at: datetime) -> list[Result]:
    """Do up to `ITEMS` items in order, each in a transaction of its own; a result for each. `items` are their ids and
    what was sent. Raises Invalid for too many, DeviceShutOut and AccountClosed when that happens in between: what was done
    until then has its receipts, and nothing else is done."""
    if len(items) > ITEMS:
        raise Invalid(fields={"items": _("一次最多 %d 条。") % ITEMS}, code="too_many_items")
    return Batch(worker, sent_at=sent_at, received=now()).take(items)


def settle(worker: Worker, item_id: uuid.UUID, *, why: str = "") -> None:
    """What was not taken is settled: its sealed body is emptied, and how things stood then. `why` it was given up, if it was.
    Again changes nothing. Raises Invalid for an item of which the worker has no receipt, or which was accepted."""
    row = Receipt.objects.select_for_update().filter(pk=item_id, staff_id=worker.staff_id).first()
    if row is None or row.status == ReceiptStatus.ACCEPTED:
        raise Invalid(_("没有找到要处理的那一条。"), code="settles_unknown")
    if row.settled_at is None:
        answer = row.answer | {"current": {}} | ({"given_up": why} if why else {})
        Receipt.objects.filter(pk=item_id).update(settled_at=now(), body=None, answer=answer)


class Abandon(BaseModel):
    """The worker gives up an item that was not taken."""

    model_config = ConfigDict(extra="forbid")

    item: uuid.UUID
    why: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


@handles("abandon", Abandon, roles=frozenset())
def abandon(worker: Worker, item: Item[Abandon]) -> dict[str, Any]:
    """The reason stands with the item that was given up, as long as words are kept."""
    settle(worker, item.said.item, why=clean_text(item.said.why, max_length=200, multiline=False))
    return {"item": str(item.said.item)}
