"""Every kind that is taken, by its content; nothing of its maker is kept; what is not taken is said in plain words."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from lianxin.cases import files, media
from lianxin.cases.models import Attachment
from lianxin.kernel.errors import Invalid, TooLarge
from lianxin.organisations.actors import Actor, Kind
from tests.files import samples
from tests.files.conftest import contents

pytestmark = pytest.mark.django_db
RESIDENT = Actor(kind=Kind.REPORTER, via="web")


def stored(body: bytes, name: str = "x.bin") -> tuple[Attachment, files.Offered, bytes]:
    attachment, offered = files.store(file=io.BytesIO(body), name=name, size=len(body), by=RESIDENT)
    return attachment, offered, files.open_file(attachment).read()


@pytest.mark.parametrize("form", samples.PHOTOS)
def test_photos_offer_place_and_time_and_keep_neither(form: str) -> None:
    body = samples.photo(form, tags=samples.exif())
    assert b"Wang Xiaoming" in body, "the sample does carry what must go"
    attachment, offered, kept = stored(body, "照片.exe")
    assert (attachment.kind, attachment.content_type, attachment.name) == ("photo", "image/jpeg", "照片.exe")
    assert offered.lat == pytest.approx(29.37, abs=1e-5)
    assert offered.lon == pytest.approx(113.1, abs=1e-5)
    assert offered.taken_at == samples.TAKEN
    for content in (kept, files.open_file(attachment, thumbnail=True).read()):
        with Image.open(io.BytesIO(content)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
            assert not {"exif", "xmp", "comment", "icc_profile", "photoshop"} & set(image.info)
        assert b"Wang Xiaoming" not in content


def test_a_jpegs_comment_and_what_hangs_behind_it_go_too() -> None:
    body = samples.photo("JPEG", comment=samples.SECRET.encode()) + b"<script>alert(1)</script>" + samples.film(b"mp42")
    _attachment, _offered, kept = stored(body)
    assert samples.SECRET.encode() not in kept
    assert b"<script>" not in kept
    assert b"ftyp" not in kept


def test_pngs_words_go_too() -> None:
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_itxt("Author", samples.SECRET)
    _attachment, _offered, kept = stored(samples.photo("PNG", pnginfo=told))
    assert samples.SECRET.encode() not in kept


def test_photos_are_turned_upright_and_bounded() -> None:
    attachment, _offered, kept = stored(samples.photo(tags=samples.exif(orientation=6), size=(5000, 1000)))
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (attachment.width, attachment.height)
        assert image.width < image.height <= files.PHOTO_EDGE
    with Image.open(files.open_file(attachment, thumbnail=True)) as small:
        assert max(small.size) <= files.THUMBNAIL_EDGE


def test_see_through_parts_are_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    _attachment, _offered, kept = stored(out.getvalue())
    with Image.open(io.BytesIO(kept)) as image:
        assert image.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("name", samples.MEDIA)
def test_other_kinds_are_known_by_their_content(name: str) -> None:
    make, kind, content_type = samples.MEDIA[name]
    for called in ("photo.jpg", "page.html", "x"):
        attachment, offered, kept = stored(make(), called)
        assert (attachment.kind, attachment.content_type) == (kind, content_type)
        assert offered == files.Offered()
        assert samples.SECRET.encode() not in kept
        assert attachment.size == len(kept)


@pytest.mark.parametrize("name", ["mp4", "mov", "3gp", "m4a"])
def test_films_lose_place_maker_and_time_and_nothing_moves(name: str) -> None:
    body = samples.MEDIA[name][0]()
    assert samples.SECRET.encode() in body
    kept = media.recognise(body).body
    assert len(kept) == len(body)
    assert kept.index(b"film" * 30) == body.index(b"film" * 30), "offsets into the film stay true"
    for gone in (b"+29.3700", b"ISO6709", b"udta", b"meta", b"\xe2\x7b\x00\x00"):
        assert gone not in kept
    assert media.recognise(kept).body == kept


def svg() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("a", bytes(10 << 20))
    return out.getvalue()


def gif() -> bytes:
    return samples.photo("GIF")


REFUSED = {
    "svg": svg(), "html": b"<!doctype html><script>alert(1)</script>", "zip bomb": zip_bomb(), "gif": gif(),
    "tiff": samples.photo("TIFF"), "bmp": samples.photo("BMP"), "program": b"MZ" + bytes(200), "elf": b"\x7fELF" + bytes(200),
    "script": b"#!/bin/sh\nrm -rf /\n", "text": "只是文字".encode(), "one byte": b"x", "zeros": bytes(5000),
    "html as webp": b"RIFF\x00\x00\x00\x00WEBP<script>alert(1)</script>",
    "html as jpeg": b"\xff\xd8\xff<html><script>alert(1)</script>",
    "html as heic": b"\x00\x00\x00\x18ftypheic<script>alert(1)</script>",
    "html as mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00<html><script>alert(1)</script>",
    "html as mpeg": b"\xff\xfb<html><script>alert(1)</script>",
    "html as pdf": b"%PDF-1.4<script>alert(1)</script>",
    "html as wav": b"RIFF\x40\x00\x00\x00WAVE<script>alert(1)</script>" + bytes(20),
    "html as mp4": b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom<script>alert(1)</script>",
    "avif": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1" + bytes(100),
    "unknown brand": samples.film(b"crx "), "matroska": samples.webm(b"matroska"), "flv": b"FLV\x01" + bytes(100),
    "ogg of nothing": samples.ogg(b"nothing!"),
    "png bomb": samples.png_bomb(), "text bomb": samples.text_bomb(),
    "png header alone": samples.photo("PNG")[:33],
}
CUT = {name: samples.MEDIA[name][0]() for name in ("pdf", "m4a", "wav", "mp4", "mov", "3gp")} | {
    form: samples.photo(form, size=(400, 300)) for form in samples.PHOTOS}


def _refused(body: bytes, disk: Path, caught: type[Exception] = Invalid) -> str:
    with pytest.raises(caught) as error:
        stored(body, "好.jpg")
    assert not contents(disk)
    assert not Attachment.objects.exists()
    return str(error.value)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_said_and_nothing_is_stored(name: str, disk: Path) -> None:
    words = _refused(REFUSED[name], disk)
    assert words.endswith("。")
    assert "Error" not in words


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_files_cut_short_are_refused(name: str, share: float, disk: Path) -> None:
    body = CUT[name]
    _refused(body[: int(len(body) * share)], disk)


def test_half_a_photo_is_refused_also_where_case_files_are_printed(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as importing WeasyPrint does
    for name in ("JPEG", "PNG"):
        _refused(CUT[name][: len(CUT[name]) // 2], disk)


def test_empty_and_too_large(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "空" in _refused(b"", disk)
    for kind in files.LIMITS:
        monkeypatch.setitem(files.LIMITS, kind, 1000)
    assert "太大" in _refused(samples.photo(size=(400, 300)), disk, TooLarge)
    assert "太大" in _refused(samples.wav(), disk, TooLarge)
    monkeypatch.undo()

    class Endless(io.BytesIO):
        """Says that it is small and never ends."""

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 < size <= 101 * files.MEGABYTE
            return b"x" * size

    with pytest.raises(TooLarge):
        files.store(file=Endless(), name="a", size=10, by=RESIDENT)
    with pytest.raises(TooLarge):
        files.store(file=io.BytesIO(b"x"), name="a", size=10**12, by=RESIDENT)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("form", samples.PHOTOS)
def test_photos_with_any_byte_changed_never_end_in_anything_else(form: str) -> None:
    import random

    body = samples.photo(form, tags=samples.exif())
    dice = random.Random(4306)
    for _round in range(150):
        broken = bytearray(body)
        for _change in range(dice.randint(1, 6)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            files.read_photo(bytes(broken))
        except Invalid:
            continue


@pytest.mark.parametrize("name", samples.MEDIA)
def test_media_with_any_byte_changed_never_end_in_anything_else(name: str) -> None:
    import random

    body = samples.MEDIA[name][0]()
    dice = random.Random(4306)
    for _round in range(300):
        broken = bytearray(body[: dice.randint(1, len(body))])
        for _change in range(dice.randint(0, 6)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            media.recognise(bytes(broken))
        except Invalid:
            continue


@pytest.mark.parametrize("said", ["../../etc/passwd", "C:\\Users\\王\\a.jpg", "a\x00b\u202egpj.exe", "长" * 500, "", "<b>.jpg"])
def test_names_are_only_for_showing(said: str, disk: Path) -> None:
    attachment, _offered, _kept = stored(samples.photo(), said)
    assert len(attachment.name) <= 120
    assert not {"/", "\\", "\x00", "\u202e"} & set(attachment.name)
    assert contents(disk) == {attachment.sha256, attachment.thumbnail_sha256}


def test_a_photos_position_that_cannot_be_is_not_offered() -> None:
    from PIL.ExifTags import GPS, IFD

    tags = samples.exif()
    tags.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (999.0, 0.0, 0.0)
    _attachment, offered, _kept = stored(samples.photo(tags=tags))
    assert (offered.lat, offered.lon, offered.taken_at) == (None, None, samples.TAKEN)
