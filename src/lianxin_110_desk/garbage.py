"""Rubbish on the line: what no receiver may take in, sent beside the true message."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from . import conduct, wire
from .models import Outgoing
from .options import options

_random = random.Random()
FOREIGN = "whsec_" + "bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBkZXNr"


def made(row: Outgoing) -> list[tuple[str | bytes, dict[str, str]]]:
    """Every sort of it: unsigned, signed by a stranger, altered behind the signature, too old, broken JSON, wrong fields."""
    secrets, now = options().secrets, conduct.now()
    fresh = str(uuid.uuid4())
    altered = row.content.replace(f'"from": "{options().name}"', '"from": "somebody.else"')
    bare: dict[str, Any] = {"version": "1", "id": fresh, "from": options().name, "to": options().peer, "kind": "offer", "body": {}}
    wrong, broken = json.dumps(bare), row.content[: len(row.content) // 2]
    return [
        (row.content, {"content-type": "application/json"}),
        (row.content, wire.sign(row.message, row.content, [FOREIGN], now)),
        (altered, wire.sign(row.message, row.content, secrets, now)),
        (row.content, wire.sign(row.message, row.content, secrets, now - timedelta(hours=1))),
        (broken, wire.sign(row.message, broken, secrets, now)),
        (wrong, wire.sign(fresh, wrong, secrets, now)),
        (b"\xff\xfe\x00", {"content-type": "application/json", "webhook-id": "x", "webhook-timestamp": "x", "webhook-signature": "v1"}),
    ]


def send(row: Outgoing, post: Callable[[str | bytes, dict[str, str]], Any]) -> None:
    """One sort of it, drawn."""
    content, headers = _random.choice(made(row))
    post(content, headers)
