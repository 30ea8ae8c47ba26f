"""Asking one system over HTTP: what came back as rows, or a fault that says whether it may have been taken all the same."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import requests
from django.utils.translation import gettext as _
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from lianxin.kernel import outside
from lianxin.kernel.crypto import decrypt, encrypt
from lianxin.kernel.sending import Fate, Outcome, meaning

from . import georeport
from .models import Format, System
from .photos import Media

NOTHING: Final = Media()
LARGEST: Final = 8 * 1024 * 1024  # bytes of an answer
ELSEWHERE: Final = frozenset({404, 406, 415})  # how servers say that they do not speak a format

_local = threading.local()


class Fault(Exception):
    """A question or a letter got no good answer. `unclear`: it may have been taken all the same."""

    def __init__(self, outcome: Outcome, *, unclear: bool = False, status: int = 0) -> None:
        self.outcome, self.unclear, self.status = outcome, unclear, status
        super().__init__(outcome.why)


def _context(system: System) -> str:
    return f"exchange_system:{system.pk}:key"


def sealed_key(system: System, said: str) -> bytes | None:
    """A system's api_key as it is kept; None for an empty one."""
    return encrypt(said, context=_context(system)) if said else None


def key_of(system: System) -> str:
    return decrypt(bytes(system.key), context=_context(system)) if system.key is not None else ""


def _session() -> requests.Session:
    """This thread's connections, kept open between letters."""
    found: requests.Session | None = getattr(_local, "session", None)
    if found is None:
        found = _local.session = outside.session()
    return found


class Client:
    """One system as it is asked. Raises Fault and nothing else."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.format = system.format
        self._key = key_of(system)

    def _address(self, path: str) -> str:
        return f"{self.system.url.rstrip('/')}/{path}.{self.format}"

    def _common(self) -> dict[str, str]:
        said = {"jurisdiction_id": self.system.jurisdiction, "api_key": self._key}
        return {name: value for name, value in said.items() if value}

    def get(self, path: str, **query: str) -> list[dict[str, str]]:
        """Rows of an answer."""
        return self._asked("GET", path, params={**self._common(), **{name: value for name, value in query.items() if value}})

    def post(self, path: str, fields: Mapping[str, str], *, key: uuid.UUID, media: Media = NOTHING) -> list[dict[str, str]]:
        """Post a form; `key` goes as Idempotency-Key, photos as `media_url` each, or as parts named `media`."""
        data = [*self._common().items(), *fields.items(), *(("media_url", url) for url in media.urls)]
        more: dict[str, Any] = {"files": [("media", (name, body, "image/jpeg")) for name, body in media.files]} if media.files else {}
        return self._asked("POST", path, data=data, headers={"Idempotency-Key": str(key)}, **more)

    def _asked(self, method: str, path: str, **more: Any) -> list[dict[str, str]]:
        writes = method == "POST"
        try:
            with _session().request(method, self._address(path), stream=True, timeout=(outside.CONNECT, outside.READ), **more) as reply:
                said, status, after = outside.read(reply, LARGEST), reply.status_code, reply.headers.get("Retry-After")
        except requests.exceptions.SSLError as error:
            raise Fault(Outcome(Fate.LATER, _("证书不对：%s") % _short(error), reached=False)) from error
        except Exception as error:  # what urllib3 raises while the answer is read has no base in common with what requests does
            raise Fault(Outcome(Fate.LATER, _why(error), reached=False), unclear=writes and not _never_sent(error)) from error
        if not 200 <= status < 300:
            outcome = meaning(status, _("对方的应答：%(status)s %(words)s") % {"status": status, "words": georeport.fault(said)},
                              retry_after=after)
            raise Fault(outcome, unclear=writes and status >= 500, status=status)
        try:
            return georeport.rows(said)
        except georeport.Unreadable as error:
            raise Fault(Outcome(Fate.LATER, _("对方的应答看不懂（不是 GeoReport）。")), unclear=writes, status=status) from error

    def other_format(self) -> Client:
        """The same system asked in the other format."""
        made = Client(self.system)
        made.format = Format.XML if self.format == Format.JSON else Format.JSON
        return made


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, down to the socket's: `requests` wraps urllib3's, which keep theirs as a reason or an argument."""
    seen = 0
    while error is not None and seen < 10:
        yield error
        seen += 1
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else next((one for one in error.args if isinstance(one, BaseException)), None)
        error = inner or error.__cause__


def _short(error: BaseException) -> str:
    last = list(_causes(error))[-1]
    return f"{type(last).__name__} {last}"[:160]


def _why(error: BaseException) -> str:
    inside = next((one for one in _causes(error) if isinstance(one, outside.Inside)), None)
    if inside is not None:
        return str(inside)
    if isinstance(error, requests.exceptions.Timeout):
        return _("对方没有在限定时间内应答。")
    return _("联不通：%s") % _short(error)


def _never_sent(error: BaseException) -> bool:
    """Whether nothing can have arrived: there was no connection."""
    return any(isinstance(one, (requests.exceptions.ConnectTimeout, NewConnectionError, ConnectTimeoutError)) for one in _causes(error))
