"""Keys outside the database: AES-256-GCM for personal fields, keyed hashes for exact look-up, rotation.

A sealed value is: one byte of format, one byte of length and the key's id, a nonce of 12 random bytes, ciphertext
and tag. The head and the context are authenticated with it, so a value cannot be moved to another row or field.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}")


class KeyringError(Exception):
    """The keyring file is missing, broken, or lacks the key a value was sealed with."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """`encryption` maps key ids to 32-byte keys; `current` seals, all open. `lookup` and `tracking` are 32 bytes.

    The `repr` names the keys and shows none of them: a keyring may end up in a traceback.
    """

    current: str
    encryption: dict[str, bytes] = field(repr=False)
    lookup: bytes = field(repr=False)
    tracking: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Keyring:
        """New keys from the system's randomness."""
        return cls("k1", {"k1": secrets.token_bytes(32)}, secrets.token_bytes(32), secrets.token_bytes(32))

    @classmethod
    def read(cls, path: Path) -> Keyring:
        """Raises KeyringError that names the file and what is wrong with it, never a key."""
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
        if any(not _NAME.fullmatch(name) for name in ring.encryption):
            raise KeyringError(f"keyring {path}: key ids are a small letter and at most 30 letters or digits")
        return ring

    def write(self, path: Path) -> None:
        """Whole or not at all, on the disk before it returns, readable by the owner only."""
        body = {
            "current": self.current,
            "encryption": {name: base64.b64encode(key).decode() for name, key in self.encryption.items()},
            "lookup": base64.b64encode(self.lookup).decode(),
            "tracking": base64.b64encode(self.tracking).decode(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # made with mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(body, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        # Without the directory on the disk a new key could be lost with power after values were sealed with it.
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @staticmethod
    def _number(name: str) -> int:
        return int(name[1:]) if re.fullmatch("k[0-9]+", name) else 0

    @property
    def newest(self) -> str:
        """The key of the highest number: the current one, or one that was prepared."""
        return max(self.encryption, key=self._number)

    def is_prepared(self, name: str) -> bool:
        """Whether this key waits to become the current one."""
        return self._number(name) > self._number(self.current)

    def prepared(self) -> Keyring:
        """A keyring that holds the next key without using it; unchanged when one waits already."""
        if self.is_prepared(self.newest):
            return self
        name = f"k{1 + max(self._number(name) for name in self.encryption)}"
        return replace(self, encryption={**self.encryption, name: secrets.token_bytes(32)})

    def rotated(self) -> Keyring:
        """A keyring whose current key is the prepared one or else a new one; the old ones stay, to open what they
        sealed."""
        ring = self.prepared()
        return replace(ring, current=ring.newest)

    def without(self, name: str) -> Keyring:
        """A keyring that has forgotten an old key. Raises KeyringError for the current one and for an unknown one.

        Only once nothing is sealed with it any more: what is, can never be opened again.
        """
        if name == self.current or name not in self.encryption:
            raise KeyringError(f"{name} is the current key, or no key of this keyring")
        return replace(self, encryption={key: value for key, value in self.encryption.items() if key != name})

    @classmethod
    def ensure(cls, path: Path) -> None:
        """Make the file with new keys if there is none. Of processes that start at once only one makes it."""
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            if not path.exists():
                cls.fresh().write(path)

    @classmethod
    def rotate(cls, path: Path, *, change: Callable[[Keyring], Keyring] | None = None) -> Keyring:
        """Read the file, add a new current key, write it; one rotation at a time on a machine.

        `change` does something else than rotating (`lambda ring: ring.without("k1")`). Returns what was written;
        running processes read it at their next use.
        """
        with _alone(path):
            ring = (change or cls.rotated)(cls.read(path))
            ring.write(path)
        return ring

    def seal(self, text: str, *, context: str) -> bytes:
        """Encrypt under the current key for one context."""
        nonce = secrets.token_bytes(_NONCE)
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
        end = 2 + data[1]
        try:
            text = AESGCM(key).decrypt(data[end : end + _NONCE], data[end + _NONCE :], data[:end] + context.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyringError("the value was changed, or belongs to another row") from error
        return text.decode()

    def reseal(self, data: bytes, *, context: str) -> bytes | None:
        """The value under the current key, or None when it is already. Raises KeyringError as `open` does."""
        if key_id_of(data) == self.current:
            return None
        return self.seal(self.open(data, context=context), context=context)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock beside a keyring file."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


_lock = threading.Lock()
_held: tuple[tuple[str, int, int, int], Keyring] | None = None


def keyring() -> Keyring:
    """The keyring of `settings.LIANXIN_KEYRING`, read again when the file changed."""
    from django.conf import settings

    global _held
    path = str(settings.LIANXIN_KEYRING)  # asked five times for each new case: no `Path` is made for it
    try:
        state = os.stat(path)
    except OSError as error:
        raise KeyringError(f"keyring {path} cannot be read: {error}") from error
    # The inode too: two writes within the clock's grain leave one time, and every write makes a new file.
    stamp = (path, state.st_mtime_ns, state.st_ino, state.st_size)
    held = _held
    if held is not None and held[0] == stamp:
        return held[1]
    with _lock:
        ring = Keyring.read(Path(path))
        _held = (stamp, ring)
        return ring


def reload() -> None:
    """Forget what was read: the next use reads the file."""
    global _held
    _held = None


def encrypt(text: str, *, context: str) -> bytes:
    """Seal `text` for one place (`context`, such as row and field) under the current key."""
    return keyring().seal(text, context=context)


def decrypt(data: bytes, *, context: str) -> str:
    """Open what `encrypt` sealed for the same context. Raises KeyringError."""
    return keyring().open(data, context=context)


def reencrypt(data: bytes, *, context: str) -> bytes | None:
    """`data` under the current key, or None when it is already: what a rotation runs over every sealed field."""
    return keyring().reseal(data, context=context)


def key_id_of(data: bytes) -> str:
    """The id of the key a value was sealed with. Raises KeyringError for what is no sealed value."""
    name = data[2 : 2 + data[1]] if len(data) > 2 and data[:1] == _VERSION else b""
    if not name.isascii() or not _NAME.fullmatch(name.decode("ascii")):
        raise KeyringError("not a sealed value")
    return name.decode("ascii")


def lookup_hash(value: str, *, purpose: str) -> bytes:
    """32 bytes for exact look-up of a value without storing it; hashes of different purposes never match.

    `purpose` holds no U+001F, which parts the two. The key is not rotated with the others: every hash would change.
    """
    if "\x1f" in purpose:
        raise ValueError("a purpose holds no separator")
    return hmac.digest(keyring().lookup, f"{purpose}\x1f{value}".encode(), hashlib.sha256)


def tracking_digest(code: str) -> bytes:
    """What is stored of a tracking code: 32 bytes that do not give it back."""
    return lookup_hash(code, purpose="tracking")
