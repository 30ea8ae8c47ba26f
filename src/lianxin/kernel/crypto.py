"""Keys outside the database: AES-256-GCM for personal fields, keyed hashes for exact look-up, rotation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"


class KeyringError(Exception):
    """The keyring file is missing, broken, or lacks the key a value was sealed with."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """`encryption` maps key ids to 32-byte keys; `current` seals, all open. `lookup` and `tracking` are 32 bytes."""

    current: str
    encryption: dict[str, bytes]
    lookup: bytes
    tracking: bytes

    @classmethod
    def fresh(cls) -> Keyring:
        return cls("k1", {"k1": secrets.token_bytes(32)}, secrets.token_bytes(32), secrets.token_bytes(32))

    @classmethod
    def read(cls, path: Path) -> Keyring:
        """Raises KeyringError that names the file and what is wrong with it."""
        try:
            raw = json.loads(path.read_text())
            ring = cls(
                raw["current"],
                {name: base64.b64decode(key, validate=True) for name, key in raw["encryption"].items()},
                base64.b64decode(raw["lookup"], validate=True),
                base64.b64decode(raw["tracking"], validate=True),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyringError(f"keyring {path} cannot be read: {error}") from error
        keys = [*ring.encryption.values(), ring.lookup, ring.tracking]
        if ring.current not in ring.encryption or any(len(key) != 32 for key in keys):
            raise KeyringError(f"keyring {path}: every key has 32 bytes and `current` names one of `encryption`")
        return ring

    def write(self, path: Path) -> None:
        """Whole or not at all, readable by the owner only."""
        body = {
            "current": self.current,
            "encryption": {name: base64.b64encode(key).decode() for name, key in self.encryption.items()},
            "lookup": base64.b64encode(self.lookup).decode(),
            "tracking": base64.b64encode(self.tracking).decode(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(body, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o600)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def rotated(self) -> Keyring:
        """A keyring with a new current encryption key; the old ones stay, to open what they sealed."""
        number = 1 + max(int(name[1:]) for name in self.encryption if name[1:].isdigit())
        name = f"k{number}"
        return Keyring(name, {**self.encryption, name: secrets.token_bytes(32)}, self.lookup, self.tracking)

    def seal(self, text: str, *, context: str) -> bytes:
        nonce = secrets.token_bytes(12)
        name = self.current.encode()
        header = _VERSION + bytes([len(name)]) + name
        sealed = AESGCM(self.encryption[self.current]).encrypt(nonce, text.encode(), header + context.encode())
        return header + nonce + sealed

    def open(self, data: bytes, *, context: str) -> str:
        """Raises KeyringError for an unknown key, a changed value, or a value sealed for another context."""
        name = key_id_of(data)
        key = self.encryption.get(name)
        if key is None:
            raise KeyringError(f"no key {name} in the keyring")
        end = 2 + len(name.encode())
        try:
            text = AESGCM(key).decrypt(data[end : end + 12], data[end + 12 :], data[:end] + context.encode())
        except InvalidTag as error:
            raise KeyringError("the value was changed, or belongs to another row") from error
        return text.decode()


_lock = threading.Lock()
_held: tuple[Path, int, Keyring] | None = None


def keyring() -> Keyring:
    """The keyring of `settings.LIANXIN_KEYRING`, read again when the file changed."""
    from django.conf import settings

    global _held
    path = Path(settings.LIANXIN_KEYRING)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise KeyringError(f"keyring {path} cannot be read: {error}") from error
    held = _held
    if held is not None and held[0] == path and held[1] == stamp:
        return held[2]
    with _lock:
        ring = Keyring.read(path)
        _held = (path, stamp, ring)
        return ring


def reload() -> None:
    global _held
    _held = None


def encrypt(text: str, *, context: str) -> bytes:
    """Seal `text` for one place (`context`, such as row and field) under the current key."""
    return keyring().seal(text, context=context)


def decrypt(data: bytes, *, context: str) -> str:
    """Open what `encrypt` sealed for the same context. Raises KeyringError."""
    return keyring().open(data, context=context)


def key_id_of(data: bytes) -> str:
    """The id of the key a value was sealed with."""
    if len(data) < 2 or data[:1] != _VERSION:
        raise KeyringError("not a sealed value")
    return data[2 : 2 + data[1]].decode()


def lookup_hash(value: str, *, purpose: str) -> bytes:
    """32 bytes for exact look-up of a value without storing it; hashes of different purposes never match."""
    return hmac.digest(keyring().lookup, f"{purpose}\x1f{value}".encode(), hashlib.sha256)


def tracking_digest(code: str) -> bytes:
    """What is stored of a tracking code: 32 bytes that do not give it back."""
    return lookup_hash(code, purpose="tracking")
