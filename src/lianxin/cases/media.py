"""What a file is, by its content: signatures checked deep enough that a name or a first byte deceives nobody.

`recognise` says what a file is and gives it back without what it says about whoever made it, where that can be done
without writing the file anew: MP4, MOV, 3GP and M4A boxes, WAV chunks, Ogg comments and WebM elements are blanked in place,
MP3 tags cut off. A PDF keeps its metadata (docs/howto/keys-and-retention.md says so): they may lie packed anywhere in it, and a
signature is over all of it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import Invalid

from .media_streams import ogg_without_comments, webm_without_maker
from .models.record import AttachmentKind as Kind

_MP4 = frozenset({b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1",
                  b"MSNV", b"dash", b"M4V ", b"mmp4", b"hvc1"})
_AUDIO = frozenset({b"M4A ", b"M4B "})
_HEIC = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"hevx", b"heim", b"heis"})
_PRIVATE = frozenset({b"udta", b"meta", b"uuid"})
_HOLDS = frozenset({b"moov", b"trak", b"mdia", b"moof", b"traf"})
_DATED = {b"mvhd": 4, b"tkhd": 4, b"mdhd": 4}
_RIFF_PRIVATE = frozenset({b"LIST", b"bext", b"iXML", b"id3 ", b"ID3 ", b"_PMX", b"cart", b"axml"})
_OGG_CODECS = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")
_MP3_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_MP3_RATES_LOW = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_MP3_HERTZ = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))


@dataclass(frozen=True, slots=True)
class Medium:
    """One recognised file that is no photo: its kind, its content type, its cleaned content."""

    kind: Kind
    content_type: str
    body: bytes


def looks_like_photo(head: bytes) -> bool:
    """Whether the first 16 bytes are a JPEG's, PNG's, WebP's or HEIC's."""
    return (
        head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in _HEIC)
    )


def recognise(body: bytes) -> Medium:
    """Raises Invalid for what is none of the kinds taken, and for one that is cut short or broken."""
    head = body[:16]
    if head[4:8] == b"ftyp":
        return _boxes(body)
    if head.startswith(b"%PDF-"):
        return _pdf(body)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _wav(body)
    if head.startswith(b"OggS"):
        return _ogg(body)
    if head.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return _amr(body)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _webm(body)
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        return _mp3(body)
    raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))


def _broken() -> Invalid:
    return Invalid(_("这个文件不完整或已损坏，请重新录制或换一个。"))


def _pdf(body: bytes) -> Medium:
    if b"%%EOF" not in body[-2048:] or b"startxref" not in body[-2048:]:
        raise _broken()
    return Medium(Kind.DOCUMENT, "application/pdf", body)


def _children(body: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """The boxes of a stretch: name, start, start of content, end. Raises Invalid when they do not fill it."""
    at = start
    while at < end:
        if at + 8 > end:
            raise _broken()
        size, name = struct.unpack_from(">I4s", body, at)
        content = at + 8
        if size == 1 and at + 16 <= end:
            size, content = struct.unpack_from(">Q", body, at + 8)[0], at + 16
        elif size == 0:
            size = end - at
        if size < content - at or at + size > end:
            raise _broken()
        yield bytes(name), at, content, at + size
        at += size


def _blank(made: bytearray, start: int, end: int, within: bytes, depth: int = 0) -> set[bytes]:
    """Make boxes that tell of the maker free space, same length, so that offsets into the film stay true."""
    names: set[bytes] = set()
    for name, at, content, stop in _children(made, start, end):
        names.add(name)
        if name in _PRIVATE:
            made[at + 4 : at + 8] = b"free"
            made[content:stop] = bytes(stop - content)
        elif name in _DATED and stop - content >= 20:
            width = 16 if made[content] == 1 else 8  # version 1 has 64-bit times
            made[content + 4 : content + 4 + width] = bytes(width)
        elif name in _HOLDS and depth < 6:
            names |= {within + b"/" + inner for inner in _blank(made, content, stop, name, depth + 1)}
    return names


def _boxes(body: bytes) -> Medium:
    brand = body[8:12]
    if brand == b"qt  ":
        kind, content_type = Kind.VIDEO, "video/quicktime"
    elif brand.startswith((b"3gp", b"3g2")):
        kind, content_type = Kind.VIDEO, "video/3gpp"
    elif brand in _AUDIO:
        kind, content_type = Kind.AUDIO, "audio/mp4"
    elif brand in _MP4:
        kind, content_type = Kind.VIDEO, "video/mp4"
    else:
        raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))
    made = bytearray(body)
    names = _blank(made, 0, len(made), b"")
    if b"moov" not in names:
        raise _broken()
    return Medium(kind, content_type, bytes(made))


def _wav(body: bytes) -> Medium:
    made = bytearray(body)
    found: set[bytes] = set()
    at = 12
    while at + 8 <= len(made):
        name, size = struct.unpack_from("<4sI", made, at)
        if name == b"data" and size in (0, 0xFFFFFFFF):  # a recorder that was writing to a pipe
            size = len(made) - at - 8
        end = at + 8 + size
        if end > len(made):
            raise _broken()
        found.add(bytes(name))
        if name in _RIFF_PRIVATE:
            made[at : at + 4] = b"JUNK"
            made[at + 8 : end] = bytes(size)
        at = end + size % 2
    if not {b"fmt ", b"data"} <= found:
        raise _broken()
    return Medium(Kind.AUDIO, "audio/wav", bytes(made))


def _ogg(body: bytes) -> Medium:
    if len(body) < 28 or not body[28:40].startswith(_OGG_CODECS):
        raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))
    if body.find(b"OggS", 28) < 0:
        raise _broken()
    return Medium(Kind.AUDIO, "audio/ogg", ogg_without_comments(body))


def _amr(body: bytes) -> Medium:
    if len(body) <= body.index(b"\n") + 1:
        raise _broken()
    return Medium(Kind.AUDIO, "audio/amr", body)


def _webm(body: bytes) -> Medium:
    head = body[:64]
    if not re.search(rb"\x42\x82.{1,8}?webm", head, re.DOTALL):
        raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))
    if b"\x18\x53\x80\x67" not in body[:4096]:
        raise _broken()
    # A browser's own recorder makes sound and film in one kind of file; its tracks name their codecs.
    codecs = set(re.findall(rb"\x86[\x81-\x9f]([AV])_[A-Z]", body[:4096]))
    body = webm_without_maker(body)
    if codecs == {b"A"}:
        return Medium(Kind.AUDIO, "audio/webm", body)
    return Medium(Kind.VIDEO, "video/webm", body)


def _mp3_frame(body: bytes, at: int) -> int:
    """The length in bytes of the MPEG layer III frame that begins here; 0 when none does."""
    if at + 4 > len(body) or body[at] != 0xFF or body[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = body[at + 1] >> 3 & 3, body[at + 1] >> 1 & 3
    rate, hertz, padding = body[at + 2] >> 4, body[at + 2] >> 2 & 3, body[at + 2] >> 1 & 1
    if layer != 1 or version == 1 or hertz == 3 or rate in (0, 15):
        return 0
    kilobits = (_MP3_RATES if version == 3 else _MP3_RATES_LOW)[rate]
    return (144 if version == 3 else 72) * kilobits * 1000 // _MP3_HERTZ[version][hertz] + padding


def _mp3(body: bytes) -> Medium:
    at = 0
    while body[at : at + 3] == b"ID3" and len(body) >= at + 10:
        sizes = body[at + 6 : at + 10]
        at += 10 + (sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3]) + (10 if body[at + 5] & 0x10 else 0)
    while at < len(body) and body[at] == 0 and at < 65_536:
        at += 1  # padding after the tag
    first = _mp3_frame(body, at)
    if not first or not _mp3_frame(body, at + first):
        raise Invalid(_("这种文件不能用。可以传照片、PDF、短录音和短视频。"))
    end = len(body)
    if body[end - 128 : end - 125] == b"TAG":
        end -= 128
    return Medium(Kind.AUDIO, "audio/mpeg", body[at:end])
