"""Messages as they travel: JSON in the published envelope, signed after Standard Webhooks, checked against the published schema."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

LARGEST: Final = 256 * 1024
TOLERANCE_SECONDS: Final = 300
PATH: Final = "/linkage/v1/messages"
SCHEMA: Final = Path(__file__).resolve().parent / "schema" / "messages.json"
_formats = FormatChecker(formats=())  # only the two below


class Malformed(ValueError):
    """Not a message at all."""


class Unsigned(ValueError):
    """Not signed by who it says, or too old."""


class Invalid(ValueError):
    """A message with wrong fields: path → what is wrong."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {fault}" for name, fault in fields.items()))
        self.fields = fields


def _uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(uuid.UUID(value))


def _moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_formats.checks("uuid", raises=ValueError)(_uuid)
_formats.checks("date-time", raises=ValueError)(_moment)


@cache
def validators() -> dict[str, Draft202012Validator]:
    """One for each kind, so that a fault is named and not "fits none of fifteen"."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    kinds = schema["discriminator"]["mapping"]
    return {
        kind: Draft202012Validator({"$defs": schema["$defs"], "$ref": reference, "required": ["kind"]}, format_checker=_formats)
        for kind, reference in kinds.items()
    }


def sign(message: uuid.UUID | str, content: str, secrets: list[str], at: datetime) -> dict[str, str]:
    """The headers that go with it, with one signature for each secret that is valid now."""
    signatures = " ".join(Webhook(secret).sign(str(message), at, content) for secret in secrets)
    return {"webhook-id": str(message), "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signatures,
            "content-type": "application/json"}


def verify(raw: bytes, headers: Mapping[str, str], secrets: list[str], at: datetime) -> None:
    """Raises `Unsigned` unless one of the secrets made it, within five minutes of both the machine's clock and the desk's own."""
    found = {name: headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    for secret in secrets:
        try:
            Webhook(secret).verify(raw, found, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue
        if abs(float(found["webhook-timestamp"]) - at.timestamp()) > TOLERANCE_SECONDS:
            raise Unsigned("the timestamp is more than five minutes away from this desk's clock")
        return
    raise Unsigned("no valid signature, or a timestamp more than five minutes away")


def read(raw: bytes) -> dict[str, Any]:
    """One checked message. Raises `Malformed` or `Invalid`."""
    try:
        message = json.loads(raw)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise Malformed("not JSON in UTF-8") from None
    if not isinstance(message, dict):
        raise Malformed("not a JSON object")
    kind = message.get("kind")
    validator = validators().get(kind) if isinstance(kind, str) else None
    if validator is None:
        raise Invalid({"kind": f"one of {', '.join(sorted(validators()))}"})
    if "body" not in message and kind == "ping":
        message["body"] = {}
    faults = {".".join(str(part) for part in error.absolute_path) or "message": _said(error)
              for error in validator.iter_errors(message)}
    body = message.get("body")
    if not faults and isinstance(body, dict):
        faults = _whole(str(kind), body)
    if faults:
        raise Invalid(faults)
    return message


def _said(error: ValidationError) -> str:
    """What is wrong, in the schema's words: those of the message may be somebody's."""
    if error.validator == "required":
        return str(error.message)
    wanted = error.validator_value
    return f"{error.validator} {wanted}" if isinstance(wanted, str | int | float) else str(error.validator)


def _whole(kind: str, body: dict[str, Any]) -> dict[str, str]:
    """What the published types ask for beyond their schema."""
    faults = {}
    place = body.get("place")
    if isinstance(place, dict) and (place.get("lon") is None) != (place.get("lat") is None):
        faults["body.place"] = "lon and lat go together"
    if kind == "offer" and not body["words"].strip():
        faults["body.words"] = "must not be empty"
    if kind == "supplement" and not (str(body.get("words", "")).strip() or place or body.get("caller")):
        faults["body"] = "one of words, place and caller is needed"
    return faults


def envelope(*, sender: str, to: str, kind: str, body: dict[str, Any], at: datetime, matter: uuid.UUID | None = None,
             seq: int | None = None, handover: uuid.UUID | None = None, term: int | None = None) -> tuple[uuid.UUID, str]:
    """A new message and its content. Raises `Invalid`: what leaves this desk keeps to the schema too."""
    identity = uuid.uuid4()
    message: dict[str, Any] = {"version": "1", "id": str(identity), "from": sender, "to": to, "kind": kind,
                               "sent_at": at.isoformat(), "body": body}
    if matter is not None:
        message.update(matter=str(matter), seq=seq, handover=str(handover), term=term)
    content = json.dumps(message, ensure_ascii=False)
    read(content.encode())
    return identity, content
