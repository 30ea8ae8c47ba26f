"""Ogg and WebM without what they say about whoever made them: blanked in place, so that nothing else of the file moves.

Ogg keeps it in the comments of its second packet (RFC 7845 §5.2; Vorbis I §5), under the checksum of each page (RFC 3533 §6). WebM
keeps it in elements of the segment (Matroska, RFC 9559): tags and attachments, and the title, time and programs of its `Info`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

# What the first packet begins with, and how many bytes of the second stand before its comments.
_COMMENTS_AT = {b"OpusHead": 8, b"\x01vorbis": 7, b"Speex   ": 0, b"\x7fFLAC": 4}
_PAGES = 400  # the comments are looked for in: a picture among them takes some

_VOID = 0xEC
_HOLDS = frozenset({0x18538067, 0x1F43B675, 0x1549A966})  # Segment, Cluster, Info
# Tags, Attachments; of Info the Title, DateUTC and names of files; a checksum over what is changed
_PRIVATE = frozenset({0x1254C367, 0x1941A469, 0x7BA9, 0x4461, 0x7384, 0x3C83AB, 0x3E83BB, 0xBF})
_PROGRAMS = frozenset({0x4D80, 0x5741})  # MuxingApp, WritingApp: have to be there, may say nothing


def _checksums() -> tuple[int, ...]:
    table = []
    for one in range(256):
        value = one << 24
        for _bit in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_TABLE = _checksums()


def page_checksum(page: bytes | bytearray) -> int:
    """The checksum of an Ogg page whose own four bytes of it are zero."""
    value = 0
    for one in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ one]
    return value


def _ogg_pages(body: bytes | bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Where each page begins and ends, and the lengths of its segments; ends where no whole page follows."""
    at = 0
    while body[at : at + 4] == b"OggS" and at + 27 <= len(body):
        lengths = bytes(body[at + 27 : at + 27 + body[at + 26]])
        end = at + 27 + len(lengths) + sum(lengths)
        if len(lengths) < body[at + 26] or end > len(body):
            return
        yield at, end, lengths
        at = end


def _second_packet(body: bytearray) -> tuple[list[int], list[tuple[int, int]]]:
    """Where each byte of the second packet stands, and the pages it lies on; empty when it does not end."""
    places: list[int] = []
    pages: list[tuple[int, int]] = []
    number = 0
    for seen, (start, end, lengths) in enumerate(_ogg_pages(body)):
        if seen >= _PAGES or number > 1:
            break
        at = start + 27 + len(lengths)
        for length in lengths:
            if number == 1:
                places.extend(range(at, at + length))
                if (start, end) not in pages[-1:]:
                    pages.append((start, end))
            at += length
            number += length < 255
    return (places, pages) if number > 1 else ([], [])


def ogg_without_comments(body: bytes) -> bytes:
    """The same sound; every comment, and the program that wrote it, is blanks of the same length."""
    made = bytearray(body)
    places, pages = _second_packet(made)
    packet = bytes(made[at] for at in places)
    at = next((at for codec, at in _COMMENTS_AT.items() if made.startswith(codec, 28)), 0)
    for number, (begin, stop) in enumerate(_comments(packet, at)):
        for place in range(begin, stop):
            named = number > 0 and place == begin + 1  # a comment has a name and a value
            made[places[place]] = ord("=") if named else ord("X") if number > 0 and place == begin else ord(" ")
    for start, end in pages:
        made[start + 22 : start + 26] = bytes(4)
        made[start + 22 : start + 26] = struct.pack("<I", page_checksum(made[start:end]))
    return bytes(made)


def _comments(packet: bytes, at: int) -> Iterator[tuple[int, int]]:
    """The program's name first, then the comments: where each begins and ends. What does not fit in the packet is not there."""
    left = 1
    first = True
    while left and at + 4 <= len(packet):
        stop = at + 4 + struct.unpack_from("<I", packet, at)[0]
        if stop > len(packet):
            return
        yield at + 4, stop
        at, left = stop, left - 1
        if first and at + 4 <= len(packet):
            left, at, first = struct.unpack_from("<I", packet, at)[0], at + 4, False


def _number(body: bytearray, at: int, *, marked: bool) -> tuple[int, int] | None:
    """A number of variable length and where it ends; with its length's mark where it is a name."""
    if at >= len(body) or not body[at]:
        return None
    length = 9 - body[at].bit_length()
    if at + length > len(body):
        return None
    value = int.from_bytes(body[at : at + length], "big")
    return (value if marked else value & ~(1 << 7 * length)), at + length


def _elements(body: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Name, start, start of content and end of each element; of those that hold others, and of one of unknown length (a recorder that
    was writing to a pipe), what is in them. What is cut short at the end is not told of."""
    while at < end:
        named = _number(body, at, marked=True)
        sized = _number(body, named[1], marked=False) if named else None
        if named is None or sized is None:
            return
        content = sized[1]
        unknown = sized[0] == (1 << 7 * (content - named[1])) - 1
        stop = content if unknown or named[0] in _HOLDS else content + sized[0]
        if stop > end:
            return
        yield named[0], at, content, stop
        at = stop


def _void(body: bytearray, start: int, end: int) -> None:
    """An element of nothing, just as long."""
    length = end - start
    body[start:end] = bytes(length)
    body[start] = _VOID
    wide = 1 if length - 2 < 127 else 8
    body[start + 1 : start + 1 + wide] = (length - 1 - wide | 1 << 7 * wide).to_bytes(wide, "big")


def webm_without_maker(body: bytes) -> bytes:
    """The same film or sound without tags, attachments, title, time and the names of programs."""
    made = bytearray(body)
    for name, start, content, end in _elements(made, 0, len(made)):
        if name in _PRIVATE:
            _void(made, start, end)
        elif name in _PROGRAMS:
            made[content:end] = b" " * (end - content)
    return bytes(made)
