"""Notifications to browsers (Web Push, RFC 8030; encrypted by RFC 8291, identified by VAPID, RFC 8292), by pywebpush."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lianxin.kernel import outside
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.errors import Invalid
from lianxin.kernel.ids import uuid7

from .models import PushKey

TTL: Final = 24 * 3600  # seconds for which a push service keeps a message for a browser that is off
LONGEST: Final = 1_000  # characters of an endpoint
LARGEST: Final = 64 * 1024  # bytes of a push service's answer: anybody may name an endpoint
GONE: Final = frozenset({404, 410})


class Unsent(Exception):
    """The push service did not take it; `gone` when the browser has taken its consent back."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        self.gone = gone
        super().__init__(why)


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def keys() -> PushKey:
    """The installation's key, made once. Of processes that make it at once one wins."""
    found = PushKey.objects.first()
    if found is not None:
        return found
    made, pk = ec.generate_private_key(ec.SECP256R1()), uuid7()
    private = _plain(made.private_numbers().private_value.to_bytes(32, "big"))
    public = _plain(made.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    PushKey.objects.bulk_create(
        [PushKey(id=pk, private=encrypt(private, context=f"push_key:{pk}:private"), public=public)], ignore_conflicts=True)
    return PushKey.objects.get()


@dataclass(frozen=True, slots=True)
class Browser:
    """Where one browser is reached: what its push service gave it."""

    endpoint: str
    p256dh: str
    auth: str

    def text(self) -> str:
        return json.dumps({"endpoint": self.endpoint, "keys": {"p256dh": self.p256dh, "auth": self.auth}})


def _octets(said: object, length: int) -> str:
    try:
        raw = base64.urlsafe_b64decode(str(said) + "==")
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != length:
        raise Invalid(_("浏览器给出的订阅看不懂，请再试一次。"))
    return _plain(raw)


def browser(said: object) -> Browser:
    """What a page sends of `PushSubscription.toJSON()`. Raises Invalid for what is none, or leads inside."""
    if not isinstance(said, dict) or not isinstance(said.get("keys"), dict):
        raise Invalid(_("浏览器给出的订阅看不懂，请再试一次。"))
    endpoint, keys = outside.checked(str(said.get("endpoint", "")), longest=LONGEST), said["keys"]
    if not endpoint.startswith("https://") and not settings.LIANXIN_OUTBOUND_PRIVATE:
        raise Invalid(_("浏览器给出的订阅看不懂，请再试一次。"))
    return Browser(endpoint, _octets(keys.get("p256dh"), 65), _octets(keys.get("auth"), 16))


def send(address: str, message: dict[str, Any]) -> None:
    """One message to one browser; `address` is `Browser.text()`. Raises Unsent."""
    from pywebpush import WebPushException, webpush  # brings a client of HTTP that every start would wait for

    key = keys()
    private = decrypt(bytes(key.private), context=f"push_key:{key.pk}:private")
    try:
        with outside.session(most=LARGEST) as session:
            webpush(json.loads(address), json.dumps(message, ensure_ascii=False), vapid_private_key=private,
                    vapid_claims={"sub": f"mailto:{settings.LIANXIN_MAIL_FROM}"}, ttl=TTL, timeout=outside.READ, requests_session=session)
    except WebPushException as error:
        status = error.response.status_code if error.response is not None else 0
        raise Unsent(f"HTTP {status}", gone=status in GONE) from None  # the answer may name the endpoint: it goes into no log
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        raise Unsent(type(error).__name__) from None
