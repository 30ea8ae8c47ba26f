"""The app as one thing: every file of it, packed, under one version.

Modules import each other by relative addresses, so all of them must be of one version: they are served beneath
`/field/app/<version>/`, where the version is a digest of everything. What lies there never changes and is kept for ever.
The vendors' files lie there too, not under `/static/`: a map's worker is looked after by the service worker only when its
address is within the service worker's scope.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation

from . import wording

OWN = Path(__file__).parent / "static" / "field"
WORKER = "sw.js"  # served by itself, at the address that gives it its scope
# Name in the app: name among the static files. Fetched from npm at set-up, or shared with the other faces.
SHARED = {
    "lianxin.css": "faces/lianxin.css",
    "icon.svg": "faces/icon.svg",
    "vendor/tus.min.js": "vendor/tus/tus.min.js",
    "vendor/maplibre-gl.mjs": "vendor/maplibre/maplibre-gl.mjs",
    "vendor/maplibre-gl-worker.mjs": "vendor/maplibre/maplibre-gl-worker.mjs",
    "vendor/maplibre-gl.css": "vendor/maplibre/maplibre-gl.css",
    **{f"vendor/json-schema/{name}.js": f"vendor/json-schema/{name}.js" for name in (
        "deep-compare-strict", "dereference", "format", "pointer", "ucs2-length", "validate")},
    "vendor/qr/decode.js": "vendor/qr/decode.js",
    "vendor/qr/index.js": "vendor/qr/index.js",
}
PACKED = frozenset({".js", ".mjs", ".css", ".json", ".svg"})


@dataclass(frozen=True, slots=True)
class Part:
    """One file: `packed` is its gzip, empty where packing gains nothing; `integrity` as browsers check it."""

    name: str
    body: bytes
    packed: bytes
    type: str
    integrity: str

    @classmethod
    def of(cls, name: str, body: bytes) -> Part:
        suffix = Path(name).suffix
        kind = "text/javascript" if suffix in (".js", ".mjs") else mimetypes.guess_type(name)[0] or "application/octet-stream"
        return cls(
            name, body, gzip.compress(body, 9, mtime=0) if suffix in PACKED else b"",
            f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode(),
        )

    @property
    def weight(self) -> int:
        """Bytes that go over the network."""
        return len(self.packed or self.body)

    @property
    def own(self) -> bool:
        """Script and style of ours, for the budget: neither a vendor's nor words nor pictures."""
        return not self.name.startswith("vendor/") and Path(self.name).suffix in (".js", ".css")


@dataclass(frozen=True, slots=True)
class Bundle:
    version: str
    parts: dict[str, Part]


def own_files() -> dict[str, bytes]:
    """Everything beneath the app's static directory, by its name there."""
    return {path.relative_to(OWN).as_posix(): path.read_bytes() for path in sorted(OWN.rglob("*")) if path.is_file()}


def shared_files() -> dict[str, bytes]:
    """What comes from elsewhere. A vendor's file that was not fetched is left out, and with it what it does."""
    found = {name: finders.find(source) for name, source in SHARED.items()}
    return {name: Path(str(path)).read_bytes() for name, path in found.items() if path}


def words(language: str) -> bytes:
    """One language's sentences, as `words.js` takes them."""
    with translation.override(language):
        said = {key: str(sentence) for key, sentence in wording.every().items()}
    return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()


def gather() -> Bundle:
    files = own_files() | shared_files()
    files |= {f"words.{language}.json": words(language) for language, _name in settings.LANGUAGES}
    worker = files.pop(WORKER)
    seen = hashlib.sha256(worker + render_to_string("field/shell.html", {"version": "", "base": ""}).encode())
    for name, body in sorted(files.items()):
        seen.update(f"{name} {len(body)}\n".encode() + body)
    return Bundle(seen.hexdigest()[:12], {name: Part.of(name, body) for name, body in sorted(files.items())})


_gathered = cache(gather)


def current() -> Bundle:
    """Gathered once in a process; anew for each request while developing."""
    return gather() if settings.DEBUG else _gathered()


def forget() -> None:
    """Read the files again: another version stands in the tree."""
    _gathered.cache_clear()
