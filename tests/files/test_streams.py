"""Ogg and WebM lose what they say of whoever made them; nothing else of them changes, and their own checksums hold."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from lianxin.cases import media
from lianxin.cases.media_streams import page_checksum
from tests.files.samples import SECRET

PROGRAM = "录音机 7.1 王".encode()
COMMENTS = (f"ARTIST={SECRET}".encode(), b"LOCATION=29.37,113.10", b"METADATA_BLOCK_PICTURE=" + b"iVBORw0K" * 12_000)
SOUND = bytes(range(1, 201))


def page(number: int, lengths: Sequence[int], body: bytes, *, kind: int = 0) -> bytes:
    head = b"OggS\0" + bytes((kind,)) + bytes(8) + struct.pack("<II", 7, number)
    bare = head + bytes(4) + bytes((len(lengths), *lengths)) + body
    return head + struct.pack("<I", page_checksum(bare)) + bare[26:]


def paged(packet: bytes, number: int) -> bytes:
    """One packet over as many pages as it takes."""
    lengths = [255] * (len(packet) // 255) + [len(packet) % 255]
    made, at = b"", 0
    for start in range(0, len(lengths), 255):
        some = lengths[start : start + 255]
        made += page(number + start // 255, some, packet[at : at + sum(some)], kind=1 if start else 0)
        at += sum(some)
    return made


def ogg(head: bytes, before: bytes, comments: Sequence[bytes] = COMMENTS) -> bytes:
    told = struct.pack("<I", len(PROGRAM)) + PROGRAM + struct.pack("<I", len(comments))
    told += b"".join(struct.pack("<I", len(one)) + one for one in comments)
    first = head.ljust(30, b"\0")
    return page(0, [30], first, kind=2) + paged(before + told, 1) + page(9, [200], SOUND)


CODECS = {
    "opus": (b"OpusHead\x01\x01", b"OpusTags"), "vorbis": (b"\x01vorbis", b"\x03vorbis"),
    "speex": (b"Speex   1.2", b""), "flac": (b"\x7fFLAC\x01\x00", b"\x04\x01\x77\x00"),
}


def test_the_checksum_is_that_of_ogg() -> None:
    """RFC 3533 §6, bit by bit: the remainder by 0x04C11DB7, from nothing, unreflected."""
    first = page(0, [19], b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0", kind=2)
    slow = 0
    for bit in (byte >> shift & 1 for byte in first + bytes(4) for shift in range(7, -1, -1)):
        slow = (slow << 1 | bit) ^ (0x104C11DB7 if slow >> 31 else 0)
    assert page_checksum(first) == slow


@pytest.mark.parametrize("codec", CODECS)
def test_a_recording_says_nothing_of_its_maker(codec: str) -> None:
    body = ogg(*CODECS[codec])
    kept = media.recognise(body).body
    assert len(kept) == len(body)
    for gone in (SECRET.encode(), PROGRAM, b"29.37", b"iVBORw0K", b"ARTIST", b"PICTURE"):
        assert gone in body
        assert gone not in kept
    at, sound = 0, b""
    while at < len(kept):
        count = kept[at + 26]
        end = at + 27 + count + sum(kept[at + 27 : at + 27 + count])
        assert page_checksum(kept[at : at + 22] + bytes(4) + kept[at + 26 : end]) == struct.unpack_from("<I", kept, at + 22)[0]
        sound, at = kept[at + 27 + count : end], end
    assert sound == SOUND
    assert kept[:58] == body[:58], "the first page is as it was"
    assert media.recognise(kept).body == kept


@pytest.mark.parametrize("cut", [60, 100, 70_000])
def test_a_recording_that_breaks_off_in_its_comments_is_left_as_it_is(cut: int) -> None:
    body = ogg(*CODECS["opus"])[:cut] + b"OggS"
    assert media.recognise(body).body == body


def test_lengths_that_lie_reach_nothing_else() -> None:
    whole = ogg(*CODECS["opus"], comments=[b"A=bc"])
    lying = whole.replace(struct.pack("<I", 4) + b"A=bc", struct.pack("<I", 2**32 - 1) + b"A=bc")
    assert media.recognise(lying).body.endswith(SOUND)


def element(name: int, content: bytes, *, unknown: bool = False) -> bytes:
    size = b"\x01" + b"\xff" * 7 if unknown else (len(content) | 1 << 56).to_bytes(8, "big")
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + content


def webm(*, live: bool) -> bytes:
    head = element(0x1A45DFA3, b"\x42\x82\x84webm")
    info = element(0x1549A966, element(0xBF, b"\1\2\3\4") + element(0x7BA9, SECRET.encode()) + element(0x4461, b"\x09" * 8)
                   + element(0x4D80, PROGRAM) + element(0x5741, PROGRAM) + element(0x2AD7B1, b"\x0f\x42\x40"), unknown=live)
    tracks = element(0x1654AE6B, element(0xAE, element(0x86, b"A_OPUS")))
    clusters = b"".join(element(0x1F43B675, element(0xE7, b"\0") + element(0xA3, SOUND), unknown=live) for _one in range(3))
    tags = element(0x1254C367, element(0x7373, SECRET.encode() * 40)) + element(0x1941A469, element(0x61A7, b"29.3700"))
    return head + element(0x18538067, info + tracks + clusters + tags, unknown=live)


@pytest.mark.parametrize("live", [False, True])
def test_a_browsers_recording_says_nothing_of_its_maker(live: bool) -> None:
    body = webm(live=live)
    kept = media.recognise(body).body
    assert len(kept) == len(body)
    for gone in (SECRET.encode(), PROGRAM, b"29.37", b"\x09" * 8):
        assert gone in body
        assert gone not in kept
    assert kept.count(SOUND) == 3
    assert kept.index(SOUND) == body.index(SOUND)
    assert b"\x2a\xd7\xb1" in kept, "how long a tick is stays"
    assert media.recognise(kept).body == kept


@pytest.mark.parametrize("cut", [70, 120, 300, 600])
def test_a_recording_cut_short_loses_what_is_there(cut: int) -> None:
    body = webm(live=True)
    kept = media.recognise(body[:cut] + b"").body if b"\x18\x53\x80\x67" in body[:cut] else b""
    assert len(kept) in (0, cut)
    if cut >= 120:
        assert SECRET.encode() not in kept
