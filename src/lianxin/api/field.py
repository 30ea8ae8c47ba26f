"""The field's sync protocol: what a telephone is given, what it sends, files in pieces (tus 1.0).

A telephone proves itself by its own secret (`lxd_…`); a program of a grid worker by an API token with the scope `field`.
docs/reference/field-sync.md is the protocol's description, with examples that a test runs.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from lianxin.faces.machines import declared_length
from lianxin.fieldwork import devices, inbox, pulling, uploads
from lianxin.fieldwork.models import Device, Upload
from lianxin.fieldwork.registry import Worker
from lianxin.fieldwork.workers import worker_for
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, Invalid, NotFound
from lianxin.organisations.scopes import named

from .problems import BadRequest, Unauthenticated, WrongMediaType
from .requests import read
from .service import MODELS, answer, api, takes
from .tokens import READ, bearer, caller_of

SCOPE = named("field", _("网格员手机上的工作"))
TUS = "1.0.0"
PIECES = "application/offset+octet-stream"
UPLOADS = "/api/v1/field/uploads"


class Sender(BaseModel):
    """Who calls: a worker, and their telephone unless it is a program."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    worker: Worker
    device: Device | None = None


class FieldRequest(HttpRequest):
    """A request whose sender is known."""

    auth: Sender


class DeviceSecret:
    """`Authorization: Bearer lxd_…` of an enrolled telephone, or `lx_…` of a program with the scope `field`."""

    openapi_security_schema = {"type": "http", "scheme": "bearer",
                               "description": "An enrolled telephone's secret (`lxd_…`), or a grid worker's API token with the "
                                              "scope `field`. Opens `/field/` only."}

    def __call__(self, request: HttpRequest) -> Sender:
        secret = bearer(request)
        if secret.startswith(devices.PREFIX):
            device = devices.read(secret)
            return Sender(worker=worker_for(device), device=device)
        if not secret:
            raise Unauthenticated()
        caller = caller_of(request)
        caller.need(SCOPE, *([READ] if request.method == "GET" else []))
        return Sender(worker=worker_for(caller.actor))


FIELD = [DeviceSecret()]


class Changed(Schema):
    """The sections that are not as the cursor says, each whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "cursor": "eyJtZSI6IkFBQUEifQ", "now": "2026-11-27T15:04:05+08:00",
        "sections": {"me": {"name": "李建国", "unit": "桥头街道办"}}, "failed": []}]})

    cursor: str = Field(description="To be given with the next request, as it is.")
    now: AwareDatetime = Field(description="The server's clock.")
    sections: dict[str, Any]
    failed: list[str] = Field(description="Sections that could not be made now: keep the ones you have.")


class Problem(Schema):
    code: str
    title: str
    detail: str
    fields: dict[str, str]
    current: dict[str, Any] = Field(description="After a conflict: how things stand now.")


class ItemResult(Schema):
    id: UUID
    status: Annotated[str, Field(description="`accepted`, `conflict`, `refused`, or `waiting`: nothing is stored, send it again.")]
    answer: dict[str, Any] | None
    problem: Problem | None


class Pushed(Schema):
    """A result for each item, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "now": "2026-11-27T15:04:05+08:00", "results": [
            {"id": "019a0000-0000-7000-8000-000000000000", "status": "accepted", "answer": {"on": True}, "problem": None}]}]})

    now: AwareDatetime
    results: list[ItemResult]


class Push(BaseModel):
    """Items in the order in which they were made, fifty at most."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "sent_at": "2026-11-27T15:04:05+08:00", "version": "0.1.0", "waiting": 1, "items": [
            {"id": "019a0000-0000-7000-8000-000000000000", "kind": "duty", "made_at": "2026-11-27T08:00:00+08:00",
             "body": {"on": True}, "files": []}]}]})

    sent_at: AwareDatetime = Field(description="The telephone's clock when it sends this: the difference to the server's is "
                                               "taken off every time in it.")
    version: Annotated[str, StringConstraints(max_length=40)] = Field("", description="Of the application.")
    waiting: Annotated[int, Field(ge=0, le=1_000_000)] = Field(0, description="Items on the telephone, these among them.")
    # Checked one by one: an item that cannot be read must not keep the others back.
    items: Annotated[list[dict[str, Any]], Field(
        max_length=inbox.ITEMS, json_schema_extra={"items": {"$ref": "#/components/schemas/Envelope"}})]


MODELS["Envelope"] = inbox.Envelope


def _moment() -> str:
    return localtime(now()).isoformat()


@api.get("/field/changes", response=Changed, operation_id="pull_changes", summary="取更新 pull", tags=["field"], auth=FIELD)
def pull(request: FieldRequest, since: str = "") -> HttpResponse:
    """The parts of what a telephone keeps that have changed since the cursor; without a cursor, all. Scope of a token: `read`
    or `field`."""
    sender = request.auth
    found = pulling.changes(sender.worker, since=since)
    if sender.device is not None:
        devices.note_seen(sender.device, at=now())
    head = json.dumps({"cursor": found.cursor, "now": _moment(), "failed": found.failed})
    sections = ",".join(f"{json.dumps(name)}:{text}" for name, text in found.sections.items())
    return HttpResponse(f'{head[:-1]},"sections":{{{sections}}}}}', content_type="application/json")


def _ids(said: Push) -> list[tuple[UUID, Mapping[str, Any]]]:
    found: list[tuple[UUID, Mapping[str, Any]]] = []
    for at, item in enumerate(said.items):
        try:
            found.append((uuid.UUID(str(item.get("id"))), item))
            inbox.canonical(item)
        except (ValueError, RecursionError):
            raise Invalid(fields={f"items.{at}": str(_("须为对象，id 为 UUID。"))}) from None
    return found


@api.post("/field/items", response=Pushed, operation_id="push_items", summary="发送 push", tags=["field"], auth=FIELD,
          openapi_extra=takes(Push))
def push(request: FieldRequest) -> HttpResponse:
    """What the worker did, in order, each item once: sent again it is answered the same. An item that is not accepted is kept
    for the worker to settle; one that is `waiting` is not, and those after it were not tried. Scope of a token: `field`."""
    sender, said = request.auth, read(request, Push)
    results = inbox.take(sender.worker, _ids(said), sent_at=said.sent_at)
    if sender.device is not None:
        done = sum(result.status != inbox.WAITING for result in results)
        devices.note_seen(sender.device, at=now(), version=said.version, waiting=max(said.waiting - done, 0))
    return answer({"now": _moment(), "results": [
        {"id": str(one.id), "status": one.status, "answer": one.answer if one.problem is None else None, "problem": one.problem}
        for one in results]})


class WrongProtocol(DomainError):
    """Another version of tus."""

    status = 412
    default_code = "tus_version"
    default_message = _("上传须用 tus 1.0.0：请求头 Tus-Resumable: 1.0.0。")


def _of_tus(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != TUS:
        raise WrongProtocol()


def _number(request: HttpRequest, header: str) -> int:
    said = request.headers.get(header, "")
    if not (said.isascii() and said.isdigit() and len(said) <= 15):
        raise BadRequest(_("请求头 %s 须为非负整数。") % header, code="bad_header")
    return int(said)


def _metadata(request: HttpRequest) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a name and its value in base64. Raises BadRequest."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in request.headers.get("Upload-Metadata", "")[:4000].split(","))):
        name, _space, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise BadRequest(_("请求头 Upload-Metadata 看不懂。"), code="bad_header") from None
    return found


def _tus(row: Upload | None, status: int, **headers: str) -> HttpResponse:
    response = HttpResponse(status=status)
    response.headers["Tus-Resumable"] = TUS
    if row is not None:
        response.headers["Upload-Offset"] = str(row.received)
        response.headers["Upload-Length"] = str(row.size)
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


_TUS = [
    {"name": "Tus-Resumable", "in": "header", "required": True, "schema": {"type": "string", "const": TUS}},
]
_STATE: dict[str, Any] = {"Upload-Offset": {"schema": {"type": "integer"}, "description": "Bytes that are surely here."},
                          "Upload-Length": {"schema": {"type": "integer"}}}


@api.post("/field/uploads", operation_id="begin_upload", summary="开始上传 begin an upload", tags=["field"], auth=FIELD, openapi_extra={
    "parameters": [
        *_TUS, {"name": "Upload-Length", "in": "header", "required": True, "schema": {"type": "integer"}},
        {"name": "Upload-Metadata", "in": "header", "required": True, "schema": {"type": "string"},
         "description": "`id` (the file's UUID, made on the telephone), `name`, `filetype`; values in base64."}],
    "responses": {201: {"description": "Made, or there already.", "headers": {
        "Location": {"schema": {"type": "string"}}, **_STATE}}}})
def begin_upload(request: FieldRequest) -> HttpResponse:
    """A file that comes in pieces, after tus 1.0 (creation). The same id again is the same upload and says how much of it is
    here."""
    _of_tus(request)
    size, said = _number(request, "Upload-Length"), _metadata(request)
    try:
        upload_id = uuid.UUID(said.get("id", ""))
    except ValueError:
        raise BadRequest(_("请求头 Upload-Metadata 须有 id：文件的 UUID。"), code="bad_header") from None
    row = uploads.begin(request.auth.worker, upload_id=upload_id, size=size, name=said.get("name", ""),
                        content_type=said.get("filetype", ""))
    return _tus(row, 201, Location=f"{UPLOADS}/{row.pk}")


@api.api_operation(["OPTIONS"], "/field/uploads", operation_id="upload_protocol", summary="上传协议 the protocol", tags=["field"],
                   auth=None, openapi_extra={"responses": {204: {"description": "Versions and extensions, in headers."}}})
def upload_protocol(request: HttpRequest) -> HttpResponse:
    """Which tus this is."""
    return _tus(None, 204, Tus_Version=TUS, Tus_Extension="creation,termination", Tus_Max_Size=str(uploads.LARGEST))


@api.get("/field/uploads/{uuid:upload_id}", operation_id="read_upload", summary="收到多少 how much is here", tags=["field"],
         auth=FIELD, openapi_extra={"responses": {204: {"description": "In headers.", "headers": _STATE}}})
def read_upload(request: FieldRequest, upload_id: UUID) -> HttpResponse:
    """How much of a file is here; asked with HEAD, after tus."""
    return _tus(uploads.state_of(request.auth.worker, upload_id), 204)


@api.patch("/field/uploads/{uuid:upload_id}", operation_id="append_to_upload", summary="上传一段 a piece", tags=["field"],
           auth=FIELD, openapi_extra={
               "parameters": [*_TUS, {"name": "Upload-Offset", "in": "header", "required": True, "schema": {"type": "integer"}}],
               "requestBody": {"required": True, "content": {PIECES: {"schema": {"type": "string", "format": "binary"}}}},
               "responses": {204: {"description": "Kept.", "headers": _STATE}}})
def append_to_upload(request: FieldRequest, upload_id: UUID) -> HttpResponse:
    """The next piece, from the offset on. A wrong offset is a 409 whose `current` says the right one; a piece that breaks off
    is kept as far as it came."""
    _of_tus(request)
    if request.content_type != PIECES:
        raise WrongMediaType(_("上传的内容类型须为 %s。") % PIECES)
    row = uploads.append(request.auth.worker, upload_id=upload_id, offset=_number(request, "Upload-Offset"),
                         read=request.read, length=declared_length(request) or None)
    return _tus(row, 204)


@api.delete("/field/uploads/{uuid:upload_id}", operation_id="end_upload", summary="放弃上传 give a file up", tags=["field"], auth=FIELD,
            openapi_extra={"parameters": _TUS, "responses": {204: {"description": "Gone."}}})
def end_upload(request: FieldRequest, upload_id: UUID) -> HttpResponse:
    """The file is not needed any more (tus: termination). Not for one that belongs to an accepted item."""
    _of_tus(request)
    uploads.end(request.auth.worker, upload_id)
    return _tus(None, 204)


@api.delete("/field/device", operation_id="leave_device", summary="退出 sign out", tags=["field"], auth=FIELD,
            openapi_extra={"responses": {204: {"description": "This telephone is shut out by its own worker."}}})
def leave_device(request: FieldRequest) -> HttpResponse:
    """The worker signs out on this telephone: its secret opens nothing from now on. Not for programs, which have no telephone."""
    device = request.auth.device
    if device is None:
        raise NotFound()
    devices.shut_out(device_id=device.pk, by=request.auth.worker.actor, why=str(_("本人在手机上退出")))
    return HttpResponse(status=204)
