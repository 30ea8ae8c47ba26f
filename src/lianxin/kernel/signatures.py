"""Signatures of messages after Standard Webhooks (https://www.standardwebhooks.com), by its own library.

While a key is being changed both sides have two secrets: what goes out carries a signature with each, and of what comes in one that
fits is enough. The window against replays is kept here, by the project's own clock; a copy that comes within it is a duplicate, which
is for the receiver to tell.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from django.utils.translation import gettext_lazy as _
from standardwebhooks import Webhook

from .clock import now
from .errors import DomainError, Invalid

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
TOLERANCE: Final = 300  # seconds
PREFIX: Final = "whsec_"
BYTES: Final = (24, 64)  # what Standard Webhooks asks of a secret
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST = 20  # signatures looked at


class Unsigned(DomainError):
    """No signature that fits, a clock that is off, or a desk we do not know: answered alike but for the clock."""

    status = 401
    default_code = "signature"
    default_message = _("签名不对：请核对密钥、发送方名称和系统时间。")


def fresh() -> str:
    """A new secret: 32 random bytes, as both desks write it down."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def checked(secret: str) -> str:
    """A secret as it is kept. Raises Invalid for what is none."""
    said = secret.strip()
    try:
        raw = base64.b64decode(said.removeprefix(PREFIX), validate=True)
    except ValueError:
        raw = b""
    if not said.startswith(PREFIX) or not BYTES[0] <= len(raw) <= BYTES[1]:
        raise Invalid(_("密钥须为 whsec_ 加 24–64 字节的 base64。"))
    return said


def headers(message_id: str, raw: str, secrets: Sequence[str], *, at: datetime | None = None) -> dict[str, str]:
    """The three headers of one message, signed with every secret given. `at` is the time of sending."""
    moment = (at or now()).astimezone(UTC)  # the library reads the digits and takes them for UTC
    return {
        ID: message_id, TIMESTAMP: str(int(moment.timestamp())),
        SIGNATURE: " ".join(Webhook(secret).sign(message_id, moment, raw) for secret in secrets),
    }


def verify(raw: bytes, said: Mapping[str, str], secrets: Sequence[str], *, at: datetime | None = None) -> None:
    """Raises Unsigned unless one signature fits one secret and the time is within five minutes."""
    key, stamp, signatures = (said.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not key or not _SECONDS.fullmatch(stamp):
        raise Unsigned()
    off = int(stamp) - (at or now()).timestamp()
    if abs(off) > TOLERANCE:
        raise Unsigned(_("签名时间与本系统相差超过五分钟：请核对系统时间。"))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Unsigned() from None
    moment = datetime.fromtimestamp(int(stamp), tz=UTC)
    given = [one.encode() for one in signatures.split(" ")[:_MOST]]
    fits = False
    for secret in secrets:
        wanted = Webhook(secret).sign(key, moment, text).encode()
        for one in given:
            fits |= hmac.compare_digest(wanted, one)  # every pair, so that time tells nothing
    if not fits:
        raise Unsigned()
