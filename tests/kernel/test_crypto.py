"""Sealed values, hashes for look-up, and a keyring that turns over without losing anything."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianxin.kernel import crypto
from lianxin.kernel.crypto import Keyring, KeyringError, key_id_of

TEXT = st.text(st.characters(codec="utf-8"), max_size=200)
RING = Keyring.fresh()


@pytest.fixture
def path(tmp_path: Path, settings: object) -> Iterator[Path]:
    """The keyring file of this test, in use."""
    file = tmp_path / "keys" / "keyring.json"
    Keyring.fresh().write(file)
    settings.LIANXIN_KEYRING = str(file)  # type: ignore[attr-defined]
    crypto.reload()
    yield file
    crypto.reload()


@given(TEXT, TEXT)
def test_what_is_sealed_opens_in_its_context(text: str, context: str) -> None:
    sealed = RING.seal(text, context=context)
    assert RING.open(sealed, context=context) == text
    assert key_id_of(sealed) == "k1"
    if len(text) > 3:
        assert text.encode() not in sealed


@given(TEXT, TEXT, TEXT)
def test_it_does_not_open_in_another(text: str, here: str, there: str) -> None:
    sealed = RING.seal(text, context=here)
    if here != there:
        with pytest.raises(KeyringError, match="another row"):
            RING.open(sealed, context=there)


@given(TEXT, st.data())
def test_no_bit_can_be_changed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(text, context="c"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(KeyringError):
        RING.open(bytes(sealed), context="c")


@given(st.binary(max_size=60))
def test_what_was_never_sealed_is_refused(junk: bytes) -> None:
    with pytest.raises(KeyringError):
        RING.open(junk, context="c")


@given(TEXT, st.integers(0, 60))
def test_a_value_cut_short_is_refused(text: str, kept: int) -> None:
    sealed = RING.seal(text, context="c")
    if kept < len(sealed):
        with pytest.raises(KeyringError):
            RING.open(sealed[:kept], context="c")


def test_equal_texts_look_different() -> None:
    assert len({RING.seal("13812342201", context="c") for _ in range(200)}) == 200


def test_a_keyring_never_shows_its_keys() -> None:
    shown = repr(RING) + str(RING)
    for key in (*RING.encryption.values(), RING.lookup, RING.tracking):
        assert repr(key) not in shown
        assert key.hex() not in shown
        assert base64.b64encode(key).decode() not in shown


def test_old_values_open_after_a_rotation_and_move_to_the_new_key(path: Path) -> None:
    before = crypto.encrypt("张三", context="reporter:1:name")
    code, hashed = crypto.tracking_digest("K7QM3-9XTPA"), crypto.lookup_hash("13812342201", purpose="phone")
    Keyring.rotate(path)
    assert crypto.keyring().current == "k2"
    assert crypto.decrypt(before, context="reporter:1:name") == "张三"
    after = crypto.reencrypt(before, context="reporter:1:name")
    assert after is not None
    assert (key_id_of(before), key_id_of(after)) == ("k1", "k2")
    assert crypto.decrypt(after, context="reporter:1:name") == "张三"
    assert crypto.reencrypt(after, context="reporter:1:name") is None
    assert crypto.tracking_digest("K7QM3-9XTPA") == code, "codes in people's hands stay good"
    assert crypto.lookup_hash("13812342201", purpose="phone") == hashed
    Keyring.rotate(path, change=lambda ring: ring.without("k1"))
    assert crypto.decrypt(after, context="reporter:1:name") == "张三"
    with pytest.raises(KeyringError, match="no key k1"):
        crypto.decrypt(before, context="reporter:1:name")


def test_a_value_of_another_row_is_not_moved_to_the_new_key(path: Path) -> None:
    sealed = crypto.encrypt("张三", context="reporter:1:name")
    Keyring.rotate(path)
    with pytest.raises(KeyringError, match="another row"):
        crypto.reencrypt(sealed, context="reporter:2:name")


@pytest.mark.parametrize("name", ["k1", "k9"])
def test_the_current_key_and_an_unknown_one_cannot_be_forgotten(name: str) -> None:
    with pytest.raises(KeyringError):
        RING.without(name)


def test_rotations_at_once_lose_no_key(path: Path) -> None:
    threads = [threading.Thread(target=Keyring.rotate, args=(path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring = Keyring.read(path)
    assert ring.current == "k9"
    assert sorted(ring.encryption) == [f"k{number}" for number in range(1, 10)]


def test_processes_that_start_at_once_make_one_keyring(tmp_path: Path) -> None:
    path, seen = tmp_path / "new" / "keyring.json", []

    def start() -> None:
        Keyring.ensure(path)
        seen.append(Keyring.read(path).tracking)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_the_file_is_the_owners_alone_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keyring.json"
    RING.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.read(path) == RING
    assert sorted(json.loads(path.read_text())) == ["current", "encryption", "lookup", "tracking"]
    assert [file.name for file in path.parent.iterdir()] == ["keyring.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keyring.json"
    RING.write(path)

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(OSError, match="no space"):
        RING.rotated().write(path)
    monkeypatch.undo()
    assert Keyring.read(path) == RING
    assert [file.name for file in tmp_path.iterdir()] == ["keyring.json"]


def key(byte: int = 7, length: int = 32) -> str:
    return base64.b64encode(bytes([byte]) * length).decode()


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "{}", "not json",
        json.dumps({"current": "k1", "encryption": {"k1": key(length=16)}, "lookup": key(), "tracking": key()}),
        json.dumps({"current": "k2", "encryption": {"k1": key()}, "lookup": key(), "tracking": key()}),
        json.dumps({"current": "k1", "encryption": {"k1": key()}, "lookup": "*", "tracking": key()}),
        json.dumps({"current": "k1", "encryption": {"k1": key()}, "lookup": key()}),
        json.dumps({"current": "钥", "encryption": {"钥": key()}, "lookup": key(), "tracking": key()}),
        json.dumps({"current": "k1", "encryption": [key()], "lookup": key(), "tracking": key()}),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, body: str) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(body)
    with pytest.raises(KeyringError, match=r"keyring\.json") as caught:
        Keyring.read(path)
    assert key() not in str(caught.value)


def test_a_missing_file_is_named(path: Path) -> None:
    path.unlink()
    with pytest.raises(KeyringError, match=r"keyring\.json"):
        crypto.keyring()


def test_hashes_depend_on_purpose_value_and_key(path: Path) -> None:
    first = crypto.lookup_hash("13812342201", purpose="phone")
    assert len(first) == 32
    assert first == crypto.lookup_hash("13812342201", purpose="phone")
    assert first != crypto.lookup_hash("13812342201", purpose="email")
    assert first != crypto.lookup_hash("13812342202", purpose="phone")
    Keyring.fresh().write(path)
    assert first != crypto.lookup_hash("13812342201", purpose="phone"), "the file is read again when it changes"
    with pytest.raises(ValueError, match="separator"):
        crypto.lookup_hash("x", purpose="a\x1fb")


def test_the_keyring_is_not_read_at_every_use(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crypto.keyring()
    monkeypatch.setattr(Keyring, "read", None)
    assert crypto.decrypt(crypto.encrypt("好", context="c"), context="c") == "好"
