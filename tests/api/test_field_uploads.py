"""Files in pieces over HTTP, after tus 1.0: half pieces, doubled ones, wrong offsets, other people's files."""

from __future__ import annotations

import base64
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from lianxin.cases.files import path_of
from lianxin.cases.models import Attachment
from lianxin.fieldwork import uploads
from lianxin.fieldwork.models import Upload
from lianxin.fieldwork.uploads import _path
from lianxin.kernel.clock import Frozen
from tests.api.conftest import Machine
from tests.api.test_field import item, push, telephone
from tests.files.samples import photo
from tests.world import World

pytestmark = pytest.mark.django_db
TUS = {"Tus_Resumable": "1.0.0"}
PIECES = "application/offset+octet-stream"
PHOTO = photo(size=(320, 240))


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def phone(world: World, monday: Frozen) -> Machine:
    return telephone(world)[0]


def metadata(**said: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def begin(phone: Machine, pk: uuid.UUID, size: int = len(PHOTO), **said: str) -> Any:
    return phone.send("POST", "/field/uploads", b"", **TUS, Upload_Length=str(size),
                      Upload_Metadata=metadata(**{"id": str(pk), "name": "门口.jpg", "filetype": "image/jpeg"} | said))


def piece(phone: Machine, pk: uuid.UUID, offset: int, body: bytes, **more: str) -> Any:
    return phone.send("PATCH", f"/field/uploads/{pk}", body, **({**TUS, "Upload_Offset": str(offset), "Content_Type": PIECES} | more))


def offset_of(phone: Machine, pk: uuid.UUID) -> int:
    answer = phone.send("HEAD", f"/field/uploads/{pk}", **TUS)
    assert answer.status_code == 204
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def upload(phone: Machine, body: bytes = PHOTO) -> uuid.UUID:
    pk = uuid.uuid4()
    assert begin(phone, pk, len(body)).status_code == 201
    assert piece(phone, pk, 0, body).status_code == 204
    return pk


def test_a_photo_in_three_pieces(phone: Machine) -> None:
    pk = uuid.uuid4()
    made = begin(phone, pk)
    assert (made.status_code, made.headers["Location"], made.headers["Upload-Offset"]) == (201, f"/api/v1/field/uploads/{pk}", "0")
    assert made.headers["Tus-Resumable"] == "1.0.0"
    at = 0
    for end in (100, 101, len(PHOTO)):
        answer = piece(phone, pk, at, PHOTO[at:end])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        assert offset_of(phone, pk) == end
        at = end
    row = Upload.objects.get(pk=pk)
    assert row.attachment is not None
    assert (row.attachment.kind, row.attachment.name, row.attachment.case_id) == ("photo", "门口.jpg", None)
    kept = default_storage.open(path_of(row.attachment.sha256)).read()
    assert hashlib.sha256(kept).hexdigest() == row.attachment.sha256
    assert not _path(pk).exists()


def test_the_same_again_is_the_same(phone: Machine) -> None:
    pk = uuid.uuid4()
    begin(phone, pk)
    piece(phone, pk, 0, PHOTO[:200])
    again = begin(phone, pk)
    assert (again.status_code, again.headers["Upload-Offset"]) == (201, "200")
    doubled = piece(phone, pk, 0, PHOTO[:200])
    assert (doubled.status_code, doubled.json()["current"]) == (409, {"offset": 200})
    gap = piece(phone, pk, 300, PHOTO[300:])
    assert (gap.status_code, gap.json()["code"]) == (409, "wrong_offset")
    assert piece(phone, pk, 200, PHOTO[200:]).status_code == 204
    # The answer to the last piece was lost: asked again, nothing is missing and nothing is doubled.
    assert piece(phone, pk, 200, PHOTO[200:]).json()["current"] == {"offset": len(PHOTO)}
    assert offset_of(phone, pk) == len(PHOTO)
    assert Attachment.objects.count() == 1
    assert begin(phone, pk, len(PHOTO) + 1).json()["code"] == "id_reused"


@pytest.mark.parametrize(("headers", "status", "code"), [
    ({"Tus_Resumable": "0.2.2"}, 412, "tus_version"),
    ({"Upload_Offset": "-1"}, 400, "bad_header"),
    ({"Upload_Offset": "²"}, 400, "bad_header"),
    ({"Content_Type": "image/jpeg"}, 415, "unsupported_media_type"),
])
def test_pieces_that_are_none(phone: Machine, headers: dict[str, str], status: int, code: str) -> None:
    pk = uuid.uuid4()
    begin(phone, pk)
    answer = piece(phone, pk, 0, PHOTO, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert offset_of(phone, pk) == 0


def test_what_is_too_large_empty_or_of_another_type(phone: Machine) -> None:
    assert begin(phone, uuid.uuid4(), uploads.LARGEST + 1).status_code == 413
    assert begin(phone, uuid.uuid4(), 0).status_code == 422
    assert begin(phone, uuid.uuid4(), filetype="application/x-sh").json()["code"] == "file_type"
    assert begin(phone, uuid.uuid4(), id="x").status_code == 400
    no = phone.send("POST", "/field/uploads", b"", **TUS, Upload_Length="10", Upload_Metadata="id ***")
    assert no.status_code == 400
    pk = uuid.uuid4()
    begin(phone, pk, 100)
    assert piece(phone, pk, 0, b"x" * 101).status_code == 413
    assert offset_of(phone, pk) == 0
    assert Upload.objects.count() == 1


def test_no_more_than_there_is_room_for(phone: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UNDER_WAY", 2)
    kept = [uuid.uuid4(), uuid.uuid4()]
    assert [begin(phone, pk).status_code for pk in kept] == [201, 201]
    full = begin(phone, uuid.uuid4())
    assert (full.status_code, full.json()["code"]) == (429, "too_many_uploads")
    assert begin(phone, kept[0]).status_code == 201
    monkeypatch.setattr(uploads, "UNDER_WAY", 20)
    monkeypatch.setattr(uploads, "BYTES_UNDER_WAY", 3 * len(PHOTO) - 1)
    assert begin(phone, uuid.uuid4()).status_code == 429


def test_another_workers_file_is_not_there(world: World, phone: Machine) -> None:
    world.staff["grid"], mine = world.staff["urban"], world.staff["grid"]
    from lianxin.organisations.models import Role, RoleGrant

    RoleGrant.objects.create(staff=world.staff["urban"], role=Role.GRID_WORKER, unit=world.units["bridge"])
    other = telephone(world, "urban")[0]
    world.staff["grid"] = mine
    pk = uuid.uuid4()
    begin(phone, pk)
    assert other.send("HEAD", f"/field/uploads/{pk}", **TUS).status_code == 404
    assert piece(other, pk, 0, PHOTO).status_code == 404
    assert other.send("DELETE", f"/field/uploads/{pk}", **TUS).status_code == 404
    assert begin(other, pk).json()["code"] == "id_reused"
    piece(phone, pk, 0, PHOTO)
    foreign = push(other, item("report", {"words": "路灯不亮"}, files=[{"id": str(pk), "role": "report"}])).json()["results"][0]
    assert (foreign["status"], foreign["problem"]["code"], foreign["problem"]["current"]) == (
        "waiting", "files_missing", {"files": [str(pk)]})


def test_given_up(phone: Machine) -> None:
    pk = upload(phone)
    assert phone.send("DELETE", f"/field/uploads/{pk}", **TUS).status_code == 204
    assert phone.send("HEAD", f"/field/uploads/{pk}", **TUS).status_code == 404
    assert (Upload.objects.count(), Attachment.objects.count()) == (0, 0)
    assert not _path(pk).exists()
    assert begin(phone, pk).headers["Upload-Offset"] == "0"


def test_the_protocol_is_told(phone: Machine) -> None:
    told = phone.send("OPTIONS", "/field/uploads")
    assert told.status_code == 204
    assert told.headers["Tus-Version"] == "1.0.0"
    assert told.headers["Tus-Extension"] == "creation,termination"
    assert told.headers["Tus-Max-Size"] == str(uploads.LARGEST)


def test_what_is_no_photo_is_refused_with_its_item(phone: Machine) -> None:
    """The telephone is not kept trying: the file is here, and it is no good."""
    body = PHOTO[:300]
    pk = upload(phone, body)
    row = Upload.objects.get(pk=pk)
    assert (row.attachment_id, bool(row.fault)) == (None, True)
    assert offset_of(phone, pk) == len(body)
    sent = item("report", {"words": "路灯不亮"}, files=[{"id": str(pk), "role": "report"}])
    result = push(phone, sent).json()["results"][0]
    assert (result["status"], result["problem"]["code"], result["problem"]["detail"]) == ("refused", "file_refused", row.fault)


def test_an_item_waits_for_its_files_and_the_rest_waits_behind_it(phone: Machine) -> None:
    pk = uuid.uuid4()
    begin(phone, pk)
    piece(phone, pk, 0, PHOTO[:50])
    first = item("report", {"words": "路灯不亮"}, files=[{"id": str(pk), "role": "report"}])
    second = item("report", {"words": "井盖坏了"})
    told = push(phone, first, second).json()["results"]
    assert [(one["status"], one["problem"]["code"]) for one in told] == [("waiting", "files_missing"), ("waiting", "after_another")]
    assert told[1]["problem"]["current"] == {"item": first["id"]}
    piece(phone, pk, 50, PHOTO[50:])
    told = push(phone, first, second).json()["results"]
    assert [one["status"] for one in told] == ["accepted", "accepted"], told
    row = Upload.objects.select_related("attachment").get(pk=pk)
    assert row.attachment is not None
    assert str(row.claimed_by) == first["id"]
    assert str(row.attachment.case_id) == told[0]["answer"]["case"]
    assert phone.send("DELETE", f"/field/uploads/{pk}", **TUS).json()["code"] == "file_used"
    used = push(phone, item("report", {"words": "又一件"}, files=[{"id": str(pk), "role": "report"}])).json()["results"][0]
    assert used["problem"]["code"] == "file_used"


def test_files_twice_and_roles_that_are_none(phone: Machine) -> None:
    pk = upload(phone)
    one = {"id": str(pk), "role": "report"}
    twice = push(phone, item("report", {"words": "路灯不亮"}, files=[one, one])).json()["results"][0]
    assert (twice["status"], list(twice["problem"]["fields"])) == ("refused", ["files"])
    wrong = push(phone, item("report", {"words": "路灯不亮"}, files=[one | {"role": "proof"}])).json()["results"][0]
    assert wrong["problem"]["code"] == "file_role_unknown"
