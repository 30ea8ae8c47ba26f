"""Which messages a model learnt from: so that a measurement that includes them says so."""

from __future__ import annotations

import hashlib


def fingerprint(title: str, detail: str) -> int:
    """Sixty-four bits of a message. From it nobody gets the words back."""
    whole = hashlib.blake2b(f"{title.strip()}\0{detail.strip()}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(whole.digest(), "big")
