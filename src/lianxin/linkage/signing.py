"""Signatures of messages after Standard Webhooks (https://www.standardwebhooks.com), by its own library.

While a key is being changed a partner has two secrets: what goes out carries a signature with each, and of what comes in one that
fits is enough. The window against replays is kept here, by the project's own clock; a copy that comes within it is a duplicate
and does nothing.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from standardwebhooks import Webhook

from lianxin.kernel.clock import now
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Conflict, DomainError, Invalid, NotFound
from lianxin.kernel.ids import uuid7

from .models import Partner, PartnerSecret

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


# ── The secrets of a partner ─────────────────────────────────────────────────────────────────────────────────────────────


def _context(pk: object) -> str:
    return f"partner_secret:{pk}:secret"


def _valid(at: datetime) -> Q:
    return Q(valid_from__lte=at) & (Q(valid_to__isnull=True) | Q(valid_to__gt=at))


def secrets_of(partner: Partner, *, at: datetime | None = None) -> list[str]:
    """The secrets that are valid now, newest first."""
    rows = PartnerSecret.objects.filter(_valid(at or now()), partner=partner).order_by("-valid_from", "-id")
    return [decrypt(bytes(row.secret), context=_context(row.pk)) for row in rows]


def known(code: str, *, at: datetime | None = None) -> tuple[Partner | None, list[str]]:
    """An active partner by its name in messages, and its valid secrets: one query for what every message asks. None without any."""
    rows = list(PartnerSecret.objects.filter(
        _valid(at or now()), partner__code=code, partner__active=True).select_related("partner").order_by("-valid_from", "-id"))
    return (rows[0].partner if rows else None), [decrypt(bytes(row.secret), context=_context(row.pk)) for row in rows]


def add_secret(partner: Partner, secret: str | None = None) -> tuple[PartnerSecret, str]:
    """One more secret, valid from now: a new one, or what the partner gave. Returns it once; it is kept sealed. Raises Invalid."""
    said = fresh() if secret is None else checked(secret)
    pk = uuid7()
    row = PartnerSecret(id=pk, partner=partner, secret=encrypt(said, context=_context(pk)), hint=said[-4:], valid_from=now())
    row.save(force_insert=True)
    return row, said


def retire_secret(partner: Partner, hint: str, *, after: timedelta = timedelta()) -> PartnerSecret:
    """End a secret, now or after a while. Raises NotFound, and Conflict when no other would be left."""
    at = now()
    rows = list(PartnerSecret.objects.filter(_valid(at), partner=partner))
    found = [row for row in rows if hint and (str(row.pk) == hint or row.hint == hint)]
    if len(found) != 1:
        raise NotFound(_("没有这个密钥，或有几个密钥同名：请用编号。"))
    if not any(row.valid_to is None for row in rows if row.pk != found[0].pk):
        raise Conflict(_("这是最后一个有效的密钥：请先添加新密钥。"), code="last_secret")
    found[0].valid_to = at + after
    found[0].save(update_fields=["valid_to"])
    return found[0]
