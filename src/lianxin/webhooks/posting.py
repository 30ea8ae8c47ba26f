"""One event to one subscriber over HTTP, signed after Standard Webhooks, and what the answer means."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from django.utils.translation import gettext as _

from lianxin.kernel import outside, signatures
from lianxin.kernel.sending import SOON, Fate, wait_of

SHOWN: Final = 2_000  # characters of heads that are kept
LONGEST_WHY: Final = 300
GONE: Final = 410
UNSHOWN: Final = frozenset({"set-cookie", "webhook-signature", "authorization", "www-authenticate"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `Result` for the sender, and what is kept of the try."""

    fate: Fate
    why: str = ""
    wait: float | None = None
    reached: bool = True
    status: int | None = None
    milliseconds: int = 0
    request: dict[str, str] = field(default_factory=dict)
    response: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """The receiver answered, and does not want this very message."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in SOON

    @property
    def gone(self) -> bool:
        return self.status == GONE


_local = threading.local()


def _session() -> requests.Session:
    """This thread's guarded connections."""
    found: requests.Session | None = getattr(_local, "session", None)
    if found is None:
        found = _local.session = outside.session()
        found.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # no receiver's cookie is kept
    return found


def _heads(said: Mapping[str, str]) -> dict[str, str]:
    """Heads as they are kept: no signature, no cookie, not too long."""
    kept, left = {}, SHOWN
    for name, value in said.items():
        shown = "…" if name.lower() in UNSHOWN else str(value)[:200].replace("\x00", "")
        left -= len(name) + len(shown)
        if left < 0:
            break
        kept[name[:60]] = shown
    return kept


def post(url: str, message_id: str, body: str, secrets: Sequence[str], *, read: float = outside.READ) -> Answer:
    """Send one message and say what became of it: 2xx is taken, everything else is tried again later. Raises nothing."""
    if not secrets:
        return Answer(Fate.LATER, _("没有有效的密钥。"), reached=False)
    heads = {"Content-Type": "application/json", "User-Agent": outside.AGENT, **signatures.headers(message_id, body, secrets)}
    begun = time.monotonic()

    def answer(fate: Fate, why: str = "", **more: Any) -> Answer:
        return Answer(fate, why[:LONGEST_WHY], milliseconds=int((time.monotonic() - begun) * 1000), request=_heads(heads), **more)

    try:
        with _session().post(url, data=body.encode(), headers=heads, allow_redirects=False, stream=True,
                             timeout=(outside.CONNECT, read)) as reply:
            status, said = reply.status_code, _heads(reply.headers)
            if 200 <= status < 300:
                return answer(Fate.SENT, status=status, response=said)
            return answer(Fate.LATER, _("对方应答 %s。") % status, status=status, response=said,
                          wait=wait_of(reply.headers.get("Retry-After")), reached=status < 500)
    except requests.exceptions.SSLError as error:
        return answer(Fate.LATER, _("证书不对：%s") % type(error).__name__, reached=False)
    except requests.exceptions.Timeout:
        return answer(Fate.LATER, _("对方没有在限定时间内应答。"), reached=False)
    except Exception as error:  # what urllib3 raises while the answer is read has no base in common with what requests does
        return answer(Fate.LATER, _("联不通：%s") % _said(error), reached=False)


def _said(error: Exception) -> str:
    """The guard's own sentence where it was the guard, else the name of the fault: the rest is for programmers."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, outside.Inside):
            return str(cause)
        reason = getattr(cause, "reason", None) or (cause.args[0] if cause.args and isinstance(cause.args[0], Exception) else None)
        cause = cause.__cause__ or (reason if isinstance(reason, BaseException) else None)
    return type(error).__name__
