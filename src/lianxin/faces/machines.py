"""Machines at the door: whose token it is, which language they read. For every face that programs speak to.

A token that was read is kept for `FRESH_FOR` seconds in each process, so that a burst of requests costs no queries
for it; a revoked token is refused after that time at the latest.
"""

from __future__ import annotations

import select
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from lianxin.kernel.clock import now
from lianxin.kernel.errors import NotAllowed
from lianxin.organisations.actors import Actor, actor_for
from lianxin.organisations.models import ApiToken, token_digest
from lianxin.organisations.scopes import named, opened

FRESH_FOR = 3.0  # seconds
KEPT = 2048
USED_EVERY = timedelta(minutes=1)
SECRET_LIMIT = 200
TAKEN_IN = 32 * 1024 * 1024  # bytes of a body that is too large, read before saying so
READ = named("read", _("查看：工单、目录、报告，人能看的都能看，诉求人信息除外"))


@dataclass(frozen=True, slots=True)
class Caller:
    """One token's picture. `name` parts its idempotency keys from everyone else's."""

    token_id: uuid.UUID | None
    name: str
    actor: Actor
    scopes: frozenset[str]
    expires_at: datetime | None = None
    title: str = ""

    def may(self, *scopes: str) -> bool:
        return opened(self.scopes, *scopes)

    def need(self, *scopes: str) -> None:
        """Raise NotAllowed unless the token has one of these scopes."""
        if not self.may(*scopes):
            raise NotAllowed(_("这个接口令牌没有这一步的权限。"), code="scope_missing")


_lock = threading.Lock()
_held: dict[bytes, tuple[float, Caller]] = {}


def forget() -> None:
    """Drop what was read: between tests."""
    with _lock:
        _held.clear()


def _read(digest: bytes) -> Caller | None:
    at = now()
    token = (
        ApiToken.objects.filter(digest=digest, revoked_at__isnull=True, staff__is_active=True)
        .select_related("staff", "unit").first()
    )
    if token is None:
        return None
    if token.last_used_at is None or at - token.last_used_at >= USED_EVERY:
        ApiToken.objects.filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - USED_EVERY), pk=token.pk
        ).update(last_used_at=at)
    scopes = frozenset(token.scopes)
    actor = actor_for(token.staff, via=f"api {token.name}"[:40], scopes=scopes, unit=token.unit)
    return Caller(token.pk, f"token:{token.pk}", actor, scopes, token.expires_at, token.name)


def bearer(request: HttpRequest) -> str:
    """The secret in the Authorization header, or an empty string."""
    kind, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def caller_with(secret: str) -> Caller | None:
    """Whose token this is; None for none, and for one that is unknown, revoked or expired. Two queries at most every
    `FRESH_FOR` seconds for one token."""
    if not secret or len(secret) > SECRET_LIMIT:
        return None
    digest = token_digest(secret)
    held = _held.get(digest)
    if held is not None and time.monotonic() - held[0] < FRESH_FOR:
        caller: Caller | None = held[1]
    else:
        started = time.monotonic()
        caller = _read(digest)
        with _lock:
            _held.pop(digest, None)
            if caller is not None:
                if len(_held) >= KEPT:
                    _held.clear()
                _held[digest] = (started, caller)
    if caller is None or (caller.expires_at is not None and caller.expires_at <= now()):
        return None
    return caller


@lru_cache(maxsize=512)
def _language(header: str) -> str:
    for code, _weight in parse_accept_lang_header(header):
        if code == "*":
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def language_of(request: HttpRequest) -> str:
    """The supported language the caller likes best, from Accept-Language alone; Chinese when silent."""
    return _language(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:500])


def declared_length(request: HttpRequest) -> int:
    """How many bytes a request says that its body has; 0 where it says nothing that is a number, as Django takes it."""
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said.lstrip("0")[:30] or 0) if said.isascii() and said.isdigit() else 0


def take_in(request: HttpRequest) -> None:
    """Read on a little: a client still sending its body would otherwise see a broken connection and no answer."""
    left = TAKEN_IN
    try:
        while left > 0 and (chunk := request.read(min(left, 65_536))):
            left -= len(chunk)
    except (OSError, ValueError):
        return


def trust_quiet_connection() -> None:
    """Spare the hot path the question whether the connection still lives: a socket the server has closed is readable.

    A connection that dies later is answered 503, and the same request with its key may be sent again.
    """
    held = cast(Any, connection)
    raw = held.connection
    if raw is None or raw.closed or held.health_check_done or held.in_atomic_block:
        return
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if not poll.poll(0):
        held.health_check_done = True
