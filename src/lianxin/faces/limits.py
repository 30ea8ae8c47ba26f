"""How often one address may do one thing. Counted in the shared cache, so that every web process counts together."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.errors import TooMany

MINUTE = 60


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks. Behind `LIANXIN_TRUSTED_PROXIES` proxies of the city's own it is the entry that
    the outermost of them wrote into X-Forwarded-For; what a client writes there itself is never believed."""
    own = str(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.LIANXIN_TRUSTED_PROXIES
    if trusted <= 0:
        return own
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    return passed[-trusted] if len(passed) >= trusted else own


def allow(purpose: str, who: str, *, per_minute: int) -> None:
    """Count one more; raises TooMany beyond `per_minute` in the running minute. The address is kept as a hash only."""
    minute = int(time.time()) // MINUTE
    name = hashlib.sha256(f"{purpose}\x1f{who}\x1f{settings.SECRET_KEY}".encode()).hexdigest()[:32]
    key = f"limit:{minute}:{name}"
    if cache.add(key, 1, timeout=2 * MINUTE):
        return
    try:
        count = cache.incr(key)
    except ValueError:  # expired in between: a new minute has begun
        return
    if count > per_minute:
        raise TooMany(_("操作太频繁，请过一分钟再试。您填的内容还在。"))
