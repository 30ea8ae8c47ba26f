"""Photos of a case to a unit's own system, and pictures of theirs back: what the setting says, for as long as it may be, no more."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from PIL import Image

from lianxin.cases import actions as a
from lianxin.cases import files
from lianxin.cases.models import Attachment, Case, Category, Event, EventText
from lianxin.cases.rebuild import differences
from lianxin.exchange import fetching, polling, systems
from lianxin.exchange.models import Disclosure, Link, Photo, Picture, System
from lianxin.exchange.sending import Letters
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Invalid
from lianxin.kernel.sending import drain
from lianxin.organisations.actors import SYSTEM
from tests.exchange.double import OtherSystem
from tests.exchange.test_sending import dispatched
from tests.world import RESIDENT, World

pytestmark = pytest.mark.django_db
HERE = "https://12345.example"


@pytest.fixture(autouse=True)
def own_place(settings: Any, tmp_path: Any) -> None:
    settings.LIANXIN_PUBLIC_URL = HERE
    settings.MEDIA_ROOT = tmp_path


def picture(colour: str = "red") -> bytes:
    """A photo with a telephone's metadata."""
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def photographed(world: World, *colours: str, unit: str = "urban", **more: Any) -> uuid.UUID:
    """A case that was raised with photos and a recording, dispatched."""
    kept = [files.store(file=io.BytesIO(picture(one)), name="王小明家门口.jpg", size=1, by=RESIDENT)[0].pk for one in colours]
    head = b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt "
    wav = head + bytes.fromhex("10000000 01000100 401f0000 803e0000 02001000") + b"data" + bytes(4)
    kept.append(files.store(file=io.BytesIO(wav), name="录音.wav", size=len(wav), by=RESIDENT)[0].pk)
    return dispatched(world, unit, attachments=tuple(kept), **more)


def got(url: str) -> Any:
    assert url.startswith(f"{HERE}/api/v1/exchange/photos/")
    return Browser().get(url.removeprefix(HERE))


def urls(other: OtherSystem, path: str = "requests") -> list[str]:
    return other.posts(path)[-1].media


def test_photos_go_as_links_that_nobody_can_guess_and_that_are_written_down(
        world: World, other: OtherSystem, joined: System) -> None:
    systems.save(world.actor("admin"), joined.code, photos="link")
    case_id = photographed(world, "red", "blue")
    drain(Letters())
    first, second = urls(other)
    assert first != second
    response = got(first)
    body = b"".join(response.streaming_content)
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/jpeg", "private, no-store")
    assert b"SecretPhone" not in body
    assert Image.open(io.BytesIO(body)).size == (64, 48)
    assert "王小明" not in str(response.headers) + first
    got(first)
    assert sorted(Photo.objects.values_list("opened", flat=True)) == [0, 2]
    assert list(Disclosure.objects.order_by("id").values_list("fields", flat=True)) == [["photos"], ["photo"]]
    for wrong in (first[:-5] + "A.jpg" if first[-5] != "A" else first[:-5] + "B.jpg", first.replace(".jpg", ""),
                  f"{HERE}/api/v1/exchange/photos/{Photo.objects.first().pk}.jpg"):  # type: ignore[union-attr]
        assert got(wrong).status_code == 404
    assert joined.changes.filter(what="photos", before="none", after="link").exists()
    assert differences(case_id) == []


def test_a_link_ends_with_its_time_with_the_unit_s_part_and_with_the_setting(
        world: World, other: OtherSystem, joined: System, settings: Any) -> None:
    systems.save(None, joined.code, photos="link")
    case_id = photographed(world, "red")
    drain(Letters())
    [url] = urls(other)
    assert got(url).status_code == 200
    Photo.objects.update(until=now())
    assert got(url).status_code == 404
    Photo.objects.update(until=now() + timedelta(days=settings.LIANXIN_EXCHANGE_PHOTO_DAYS))
    for off, on in (({"photos": "none"}, {"photos": "link"}), ({"active": False}, {"active": True})):
        systems.save(None, joined.code, **off)
        assert got(url).status_code == 404
        systems.save(None, joined.code, **on)
        assert got(url).status_code == 200
    Case.objects.filter(pk=case_id).update(confidential=True)
    assert got(url).status_code == 404
    Case.objects.filter(pk=case_id).update(confidential=False)
    a.withdraw(world.on(case_id, "operator"), reason="已经好了。")
    assert got(url).status_code == 404


@pytest.mark.parametrize(("mode", "confidential"), [("none", False), ("link", True), ("file", True)])
def test_nothing_goes_where_the_setting_or_the_reporter_says_so(
        world: World, other: OtherSystem, joined: System, mode: str, confidential: bool) -> None:
    systems.save(None, joined.code, photos=mode)
    photographed(world, "red", confidential=confidential)
    drain(Letters())
    [posted] = other.posts()
    assert (posted.media, posted.files) == ([], [])
    assert not Disclosure.objects.exists()


def test_photos_go_with_the_request_where_the_server_takes_them(world: World, other: OtherSystem, joined: System) -> None:
    systems.save(None, joined.code, photos="file")
    photographed(world, "red", "blue")
    drain(Letters())
    [posted] = other.posts()
    assert posted.fields["service_code"] == "NOISE"
    assert [(name, body[:2]) for name, body in posted.files] == [("photo-1.jpg", b"\xff\xd8"), ("photo-2.jpg", b"\xff\xd8")]
    assert all(b"SecretPhone" not in body for _name, body in posted.files)
    assert posted.media == []


def test_photos_that_come_later_go_after_and_those_of_the_system_itself_do_not_go_back(
        world: World, other: OtherSystem, joined: System) -> None:
    other.updates = []
    systems.save(None, joined.code, photos="link", url=other.url)
    systems.discover(System.objects.get())
    case_id = photographed(world)
    drain(Letters())
    assert urls(other) == []
    operator = world.actor("operator")
    kept = files.store(file=io.BytesIO(picture()), name="x.jpg", size=1, by=operator)[0].pk
    a.attach(world.on(case_id, "operator"), attachments=[kept])
    drain(Letters())
    [update] = other.posts("servicerequestupdates")
    assert (update.fields["status"], update.fields["description"], len(update.media)) == ("open", "补充照片 1 张。", 1)
    assert got(update.media[0]).status_code == 200


def test_links_need_this_platforms_own_address(joined: System, settings: Any) -> None:
    settings.LIANXIN_PUBLIC_URL = ""
    with pytest.raises(Invalid) as caught:
        systems.save(None, joined.code, photos="link")
    assert "photos" in caught.value.fields


# ── Pictures of theirs ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def there(world: World, other: OtherSystem, joined: System) -> uuid.UUID:
    """A field matter that the unit's system has as N1, without words that name somebody to be rung up."""
    other.updates = []
    systems.discover(joined)
    Category.objects.filter(code="010102").update(field_matter=True)
    systems.save(None, joined.code, agent="urban", closing="reply", photos="file")
    case_id = photographed(world, "green", phone="")
    drain(Letters())
    polling.settle(System.objects.get())
    return case_id


def again(system: System) -> None:
    Picture.objects.filter(state="waiting").update(next_at=now())
    polling.settle(System.objects.get(pk=system.pk))


def told(other: OtherSystem, media: str, number: str = "U9") -> None:
    assert other.updates is not None
    other.updates.append({"update_id": number, "service_request_id": "N1", "status": "open", "description": "修好的样子。",
                          "updated_datetime": "2026-05-06T10:00:00+08:00", "media_url": media})


def theirs(case_id: uuid.UUID) -> list[Attachment]:
    return list(Attachment.objects.filter(case_id=case_id, by_reporter=False).order_by("id"))


def test_their_closing_photo_becomes_a_file_of_the_case_and_the_reply_goes_with_it(
        world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.close("N1", "已修好。")
    polling.settle(joined)
    assert (Case.objects.get(pk=there).state, Link.objects.get().settled) == ("in_hand", "")  # a field matter needs its photo
    told(other, other.put("done.jpg", picture("white")))
    polling.settle(System.objects.get())
    [made] = theirs(there)
    assert (made.purpose, made.content_type, made.public, made.uploaded_by_id) == ("proof", "image/jpeg", False, world.staff["urban"].pk)
    assert b"SecretPhone" not in files.open_file(made).read()
    note = Event.objects.get(pk=made.event_id)
    assert (note.action, note.data["stage"], note.data["count"], note.public) == ("note_outside", "photo", 1, False)
    assert (Case.objects.get(pk=there).state, Link.objects.get().settled) == ("replied", "alone")
    assert differences(there) == []
    again(joined)
    assert len(theirs(there)) == 1
    fetched = [one for one in other.asked if one.path == "done.jpg"]
    assert len(fetched) == 1
    assert "api_key" not in fetched[0].fields


def test_a_person_may_reply_with_the_photo_of_the_units_system(world: World, other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    systems.save(None, joined.code, agent="", closing="ask")
    other.close("N1", "已修好。")
    told(other, other.put("done.jpg", picture("white")))
    polling.settle(System.objects.get())
    [made] = theirs(there)
    assert made.uploaded_by_id is None
    a.reply(world.on(there, "urban"), public_answer="已修好。", solved=True, means="not_left")
    assert Case.objects.get(pk=there).state == "replied"


@pytest.mark.parametrize(("body", "status", "words"), [
    (b"<html>sign in</html>", 200, "不是照片"), (b"\xff\xd8\xff\xe0 broken", 200, "打不开"), (b"", 404, "404"), (None, 200, "太大")])
def test_what_is_no_photo_is_never_kept_and_the_case_says_so(
        other: OtherSystem, joined: System, there: uuid.UUID, monkeypatch: pytest.MonkeyPatch, body: bytes | None, status: int,
        words: str) -> None:
    if body is None:
        monkeypatch.setitem(files.LIMITS, Attachment.MediaKind.PHOTO, 300)
        body = picture()
    told(other, other.put("x.jpg", body, status))
    polling.settle(joined)
    assert theirs(there) == []
    row = Picture.objects.get()
    assert (row.state, row.address) == ("refused", None)
    note = Event.objects.filter(case_id=there, action="note_outside").order_by("-id")[0]
    assert note.data["stage"] == "photo_lost"
    assert words in EventText.objects.get(event_id=note.pk).body


@pytest.mark.parametrize("address", ["http://10.0.0.8/x.jpg", "http://169.254.169.254/latest", "file:///etc/passwd", "x.jpg"])
def test_no_picture_is_fetched_from_inside(other: OtherSystem, joined: System, there: uuid.UUID, address: str) -> None:
    told(other, address)
    polling.settle(joined)
    assert Picture.objects.get().state == "refused"
    assert theirs(there) == []


def test_a_fault_that_passes_is_tried_again_and_not_for_ever(
        other: OtherSystem, joined: System, there: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TRIES", 3)
    told(other, other.put("x.jpg", b"", 503))
    polling.settle(joined)
    assert (Picture.objects.get().state, Picture.objects.get().tries) == ("waiting", 1)
    other.put("x.jpg", picture("white"))
    again(joined)
    assert Picture.objects.get().state == "kept"
    told(other, other.put("y.jpg", b"", 503), "U10")
    polling.settle(System.objects.get())
    for _time in range(3):
        again(joined)
    assert Picture.objects.order_by("-id")[0].state == "refused"


def test_a_picture_that_breaks_off_keeps_nothing_else_of_the_system_waiting(
        other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    other.breaks_off = True
    told(other, other.put("half.jpg", picture("white")))
    other.close("N1", "已修好。")
    assert polling.ask(System.objects.get()) is None
    assert (Picture.objects.get().state, Picture.objects.get().tries) == ("waiting", 1)
    assert Link.objects.get().status == "closed", "what is asked after the pictures was asked"
    other.breaks_off = False
    again(joined)
    assert Picture.objects.get().state == "kept"


def test_what_went_from_here_is_not_taken_for_theirs(other: OtherSystem, joined: System, there: uuid.UUID) -> None:
    [(_name, sent)] = other.posts()[0].files
    other.requests["N1"]["media_url"] = f"{HERE}/api/v1/exchange/photos/x.jpg"
    polling.settle(joined)
    assert not Picture.objects.exists()
    other.requests["N1"]["media_url"] = other.put("copy.jpg", sent)
    polling.settle(joined)
    assert Picture.objects.get().state == "ours"
    assert theirs(there) == []


def test_an_older_platforms_photo_comes_with_its_request(world: World, other: OtherSystem) -> None:
    old = systems.save(None, "12345.old", name="原热线平台", url=other.url, kind="older")
    other.ask("A1", "桥头街道路灯不亮。", at=now().isoformat(), media_url=other.put("lamp.jpg", picture()))
    polling.settle(old)
    [made] = theirs(Case.objects.get(source_id="A1").pk)
    assert made.purpose == "report"
    assert SYSTEM.staff_id is None
    assert made.uploaded_by_id is None
