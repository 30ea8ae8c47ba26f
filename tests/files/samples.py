"""Small real files of every kind, made on the spot, with what phones write into them."""

from __future__ import annotations

import io
import struct
import wave
import zlib
from collections.abc import Callable

import pillow_heif
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

pillow_heif.register_heif_opener()
SECRET = "王小明的手机"
TAKEN = "2026:11:20 14:30:05"


def picture(width: int = 64, height: int = 48) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


def exif(lat: float = 29.37, lon: float = 113.1, *, orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[Base.Artist] = "Wang Xiaoming"
    made[Base.Make] = "Phone"
    made[Base.Orientation] = orientation
    degrees = lambda value: (float(int(value)), float(int(value * 60 % 60)), round(value * 3600 % 60, 2))  # noqa: E731
    made.get_ifd(IFD.GPSInfo).update({
        GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: degrees(lat), GPS.GPSLongitudeRef: "E", GPS.GPSLongitude: degrees(lon),
    })
    made.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: TAKEN})
    return made


def photo(form: str = "JPEG", *, tags: Image.Exif | None = None, size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    out = io.BytesIO()
    if tags is not None:
        more["exif"] = tags.tobytes()
    picture(*size).save(out, form, **more)  # type: ignore[arg-type]
    return out.getvalue()


def pdf(body: str = "") -> bytes:
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"]
    made, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{content}\nendobj\n"
    start = len(made)
    made += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{at:010d} 00000 n \n" for at in places)
    made += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\n{body}startxref\n{start}\n%%EOF\n"
    return made.encode()


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def film(brand: bytes) -> bytes:
    """An ISO base media file with a time and, as phones write it, the place and the maker."""
    mvhd = box(b"mvhd", struct.pack(">IIIII", 0, 3_800_000_000, 3_800_000_001, 1000, 1000) + bytes(80))
    udta = box(b"udta", box(b"\xa9xyz", b"\x00\x12\x15\xc7+29.3700+113.1000/") + box(b"\xa9nam", SECRET.encode()))
    meta = box(b"meta", b"com.apple.quicktime.location.ISO6709" + SECRET.encode())
    trak = box(b"trak", box(b"tkhd", bytes(4) + b"\xe2\x7b\x00\x00" * 2 + bytes(72)) + box(b"udta", SECRET.encode()))
    return (box(b"ftyp", brand + bytes(4) + brand + b"isom") + box(b"mdat", b"film" * 30)
            + box(b"moov", mvhd + trak + udta + meta) + box(b"uuid", bytes(16) + SECRET.encode()))


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    told = b"INFOIART" + struct.pack("<I", len(SECRET.encode())) + SECRET.encode()
    body = out.getvalue() + b"LIST" + struct.pack("<I", len(told)) + told
    return body[:4] + struct.pack("<I", len(body) - 8) + body[8:]


def mp3(*, tags: bool = True) -> bytes:
    frame = b"\xff\xfb\x90\x00" + bytes(413)  # 128 kbit/s, 44.1 kHz: 417 bytes
    title = SECRET.encode()
    head = b"ID3\x04\x00\x00" + bytes((0, 0, 0, len(title))) + title
    return (head if tags else b"") + frame * 4 + (b"TAG" + SECRET.encode().ljust(125, b"\0") if tags else b"")


def ogg(codec: bytes = b"OpusHead") -> bytes:
    page = b"OggS" + bytes(22) + b"\x01" + bytes((len(codec) + 11,)) + codec + bytes(11)
    return page + b"OggS" + bytes(22) + b"\x01\x04data"


def webm(kind: bytes = b"webm", codecs: tuple[bytes, ...] = ()) -> bytes:
    head = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82" + bytes((0x80 | len(kind),)) + kind
    tracks = b"".join(b"\x86" + bytes((0x80 | len(codec),)) + codec for codec in codecs)
    return b"\x1aE\xdf\xa3" + bytes((0x80 | len(head),)) + head + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + tracks + bytes(64)


MEDIA: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "pdf": (pdf, "document", "application/pdf"),
    "m4a": (lambda: film(b"M4A "), "audio", "audio/mp4"),
    "mp3": (mp3, "audio", "audio/mpeg"),
    "mp3 without tags": (lambda: mp3(tags=False), "audio", "audio/mpeg"),
    "wav": (wav, "audio", "audio/wav"),
    "ogg opus": (ogg, "audio", "audio/ogg"),
    "ogg vorbis": (lambda: ogg(b"\x01vorbis"), "audio", "audio/ogg"),
    "amr": (lambda: b"#!AMR\n" + b"\x3c" * 64, "audio", "audio/amr"),
    "mp4": (lambda: film(b"isom"), "video", "video/mp4"),
    "mov": (lambda: film(b"qt  "), "video", "video/quicktime"),
    "3gp": (lambda: film(b"3gp4"), "video", "video/3gpp"),
    "webm": (webm, "video", "video/webm"),
    "webm film": (lambda: webm(codecs=(b"V_VP9", b"A_OPUS")), "video", "video/webm"),
    "webm sound": (lambda: webm(codecs=(b"A_OPUS",)), "audio", "audio/webm"),
}
PHOTOS = ("JPEG", "PNG", "WEBP", "HEIF")


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that asks for gigabytes."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(9)
    rows = packer.compress(bytes(1 << 20)) + packer.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def text_bomb() -> bytes:
    """A PNG whose compressed comment unpacks to a hundred megabytes."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    body = photo("PNG")
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9))
    return body[:33] + bomb + body[33:]
