"""What telephones are given: sections of JSON, each sent whole when it has changed since the cursor."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import get_language

from lianxin.cases.reference import Reference, reference
from lianxin.kernel.text import from_json

from .registry import SECTIONS, SHARED, Section, Worker

log = logging.getLogger(__name__)
_encode = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
_DIGEST = 9  # bytes: 72 bits tell a section from its own earlier contents
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Changes:
    """`sections` are JSON texts by name. `failed` names those that could not be made: the telephone keeps its own."""

    cursor: str
    sections: dict[str, str]
    failed: list[str]


def _read(cursor: str) -> dict[str, str]:
    """The digests in a cursor; nothing for one that is not ours: then everything is sent."""
    if not cursor or len(cursor) > _LONGEST:
        return {}
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        held = from_json(text)
    except (binascii.Error, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in held.items()} if isinstance(held, dict) else {}


def _cursor(digests: dict[str, str]) -> str:
    text = json.dumps(digests, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_shared: dict[tuple[str, str], tuple[Reference, str, str]] = {}


def _made(name: str, give: Section, worker: Worker) -> tuple[str, str]:
    """A section's text and digest. What is the same for everybody is made once, in each process and language."""
    if name not in SHARED:
        return _digested(give(worker))
    known, key = reference(), (name, get_language() or "")
    held = _shared.get(key)
    if held is None or held[0] is not known:
        held = _shared[key] = (known, *_digested(give(worker)))
    return held[1], held[2]


def _digested(said: Any) -> tuple[str, str]:
    text = _encode(said)
    return text, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:_DIGEST]).decode()


def changes(worker: Worker, *, since: str = "") -> Changes:
    """Every section that is not as the cursor says. A section that fails is logged and left out; the rest is given."""
    held = _read(since)
    digests: dict[str, str] = {}
    sections: dict[str, str] = {}
    failed: list[str] = []
    for name, give in SECTIONS.items():
        try:
            text, digest = _made(name, give, worker)
        except Exception:
            log.exception("the section %s could not be made", name)
            failed.append(name)
            if name in held:
                digests[name] = held[name]
            continue
        digests[name] = digest
        if held.get(name) != digest:
            sections[name] = text
    return Changes(_cursor(digests), sections, failed)
