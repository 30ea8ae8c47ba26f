"""Files: uploaded first, named by id in a registration or an action afterwards, read by those who may see the case."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import File
from ninja.files import UploadedFile
from pydantic import ConfigDict, Field

from lianxin.cases import files
from lianxin.cases.files import Offered
from lianxin.cases.models import Attachment
from lianxin.cases.queries import access_case
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, NotFound
from lianxin.kernel.locks import in_turn
from lianxin.organisations.actors import Kind

from . import shapes
from .queries import uploaded_before
from .requests import key_of
from .service import STAFF_OR_REPORTER, ApiRequest, answer, api
from .tokens import READ

UPLOADS_PER_MINUTE = 30


class Uploaded(shapes.AttachmentOut):
    """A file that belongs to no case yet. What a photo said of its place and time is offered here, once."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"id": "019a0000-0000-7000-8000-000000000000", "kind": "photo", "offered_lon": 113.1, "offered_lat": 29.3}]})

    offered_lon: float | None = Field(description="WGS-84 degrees, from the photo; it is not kept.")
    offered_lat: float | None
    offered_taken_at: str = Field(description="The camera's own clock, without a zone.")


def _stored(upload: UploadedFile, request: ApiRequest, key: bytes | None) -> tuple[Attachment, Offered, bool]:
    """Keep the file; with a key, the same file sent again is the same attachment and another file is refused."""
    caller = request.auth
    with transaction.atomic():
        if key is not None:
            in_turn(key)
        made, offered = files.store(file=cast(BinaryIO, upload), name=upload.name or "", size=upload.size or 0,
                                    by=caller.actor)
        if key is None:
            return made, offered, False
        earlier = uploaded_before(caller.actor, key)
        if earlier is None:
            Attachment.objects.filter(pk=made.pk).update(upload_key=key)
            return made, offered, False
        same = earlier.sha256 == made.sha256 and earlier.name == made.name
        files.remove_files([made], at=now())
        made.delete()
    if not same:
        raise Conflict(_("这个提交编号已用于另一项内容，请换一个编号。"), code="key_reused")
    return earlier, offered, True


@api.post("/attachments", response={201: Uploaded}, operation_id="upload", summary="上传附件 upload a file",
          tags=["attachments"], auth=STAFF_OR_REPORTER)
def upload_file(request: ApiRequest, file: File[UploadedFile]) -> HttpResponse:
    """A photo, PDF, short recording or video, as multipart/form-data. Photos lose their metadata. Unclaimed files are
    deleted after a day. Scope: any of `attach`, `register`, `reply`."""
    caller = request.auth
    caller.need("attach", "register", "reply")
    if caller.actor.kind is Kind.REPORTER:
        allow("upload", client_address(request), per_minute=UPLOADS_PER_MINUTE)
    row, offered, replayed = _stored(file, request, key_of(request, caller.name))
    body = shapes.attachment(row) | {"offered_lon": offered.lon, "offered_lat": offered.lat,
                                     "offered_taken_at": offered.taken_at}
    return answer(body, status=201, headers={"Idempotent-Replayed": "true"} if replayed else {})


def _readable(request: ApiRequest, attachment_id: UUID) -> Attachment:
    caller = request.auth
    row = Attachment.objects.filter(pk=attachment_id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound()
    if row.case_id is not None:
        access_case(caller.actor, row.case_id)
        if caller.actor.kind is Kind.REPORTER and not (row.by_reporter or row.public):
            raise NotFound()
    elif caller.actor.staff_id is None or row.uploaded_by_id != caller.actor.staff_id:
        raise NotFound()
    return row


_CONTENT: dict[str, Any] = {"responses": {200: {
    "description": "The file.", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}}}


@api.get("/attachments/{uuid:attachment_id}", operation_id="download", summary="下载附件 download a file",
         tags=["attachments"], auth=STAFF_OR_REPORTER, openapi_extra=_CONTENT)
def download(request: ApiRequest, attachment_id: UUID, thumbnail: bool = False) -> FileResponse:
    """The file's content, or with `thumbnail=true` a photo's small picture."""
    request.auth.need(READ)
    row = _readable(request, attachment_id)
    if thumbnail and not row.thumbnail_sha256:
        raise NotFound()
    response = FileResponse(
        files.open_file(row, thumbnail=thumbnail), content_type="image/jpeg" if thumbnail else row.content_type,
        filename=row.name, as_attachment=row.kind != Attachment.MediaKind.PHOTO,
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response
