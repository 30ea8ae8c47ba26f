"""HTTP to addresses that people typed in: never to this machine, its network or a cloud's metadata, unless a setting names the network.

A name is resolved once, every address it has is looked at, and the connection goes to one of those very addresses: a name that answers
differently the second time gets nowhere. Redirects are not followed. The same guard stands under every outgoing connection of a
`session`, whatever the library above it makes of the address. Under a library that makes its own connections, `guarded` stands where
names are resolved.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from .errors import Invalid

CONNECT: Final = 3.05  # seconds
READ: Final = 10.0
LONGEST: Final = 300  # characters of an address
PART: Final = 65_536  # bytes read at a time, where the time is looked at
AGENT: Final = "lianxin"
Address = IPv4Address | IPv6Address
# Ways to write an IPv4 address inside an IPv6 one: what is inside is what is reached.
_NAT64: Final = ip_network("64:ff9b::/96")


class Inside(Invalid):
    """The address leads to this machine or a closed network."""

    default_code = "inside"
    default_message = _("这个地址在内部网络里，平台不会连接。确需连接的，请系统管理员在设置中写明这个网段。")


@lru_cache(maxsize=8)
def _networks(named: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in named)


def _meant(address: Address) -> Address:
    """The address that is reached: an IPv4 address that is written as an IPv6 one counts as itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def allowed(said: str) -> bool:
    """Whether a numeric address may be connected to: a public one, or one in a network of `LIANXIN_OUTBOUND_PRIVATE`."""
    try:
        address = _meant(ip_address(said.partition("%")[0]))
    except ValueError:
        return False
    if any(address in network for network in _networks(tuple(settings.LIANXIN_OUTBOUND_PRIVATE))):
        return True
    return address.is_global and not address.is_multicast


def addresses(host: str, port: int) -> list[tuple[Any, Any]]:
    """Every address of a host as (family, socket address), resolved now. Raises Inside when one of them is closed, OSError when the
    name is not known."""
    found = [(family, address) for family, _kind, _protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(allowed(str(address[0])) for _family, address in found):
        raise Inside()
    return found


def checked(url: str, *, resolve: bool = True, longest: int = LONGEST) -> str:
    """An address as it is kept: http or https, no name and password, no fragment, at most `longest` characters. With `resolve` it is looked
    up and refused if it leads inside; one whose name is not known just now is taken – it is looked at again at every connection.
    Raises Invalid."""
    said = url.strip()
    try:
        parts = urlsplit(said)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Invalid(_("地址看不懂，请核对。")) from None
    if parts.scheme not in ("http", "https") or not host or len(said) > longest or not said.isprintable() or " " in said:
        raise Invalid(_("地址须以 http:// 或 https:// 开头，最多 %d 个字符。") % longest)
    if parts.username or parts.password or parts.fragment:
        raise Invalid(_("地址里不能写用户名、密码和 # 之后的部分。"))
    if resolve:
        try:
            addresses(host, port)
        except Inside:
            raise
        except (OSError, UnicodeError):
            return said
    return said


class _Guarded:
    """Connects to an address that was checked, and to no other."""

    host: str
    port: int
    timeout: Any
    source_address: Any
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        host = self.host.strip("[]")
        fault: OSError | None = None
        try:
            found = addresses(host, self.port)
        except Inside as error:
            raise Refused(self, str(error)) from error  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"{type(error).__name__}: {error}") from error  # type: ignore[arg-type]
        for family, address in found:
            made = socket.socket(family, socket.SOCK_STREAM)
            try:
                for option in self.socket_options or ():
                    made.setsockopt(*option)
                if isinstance(self.timeout, (int, float)):
                    made.settimeout(self.timeout)
                made.connect(address)
            except OSError as error:
                made.close()
                fault = error
            else:
                return made
        raise NewConnectionError(self, f"{type(fault).__name__}: {fault}") from fault  # type: ignore[arg-type]


class Refused(NewConnectionError):
    """The guard said no."""


class _Plain(_Guarded, HTTPConnection):
    pass


class _Secure(_Guarded, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Closed(OSError):
    """What a library hears that asks for an address where nothing may go."""


@dataclass(slots=True)
class Watch:
    """What a `guarded` stretch has met; `refused` when a name or address led inside."""

    refused: bool = False


_watch: ContextVar[Watch | None] = ContextVar("outside_watch", default=None)
_resolve: Callable[..., list[Any]] = socket.getaddrinfo


def _looked_at(*args: Any, **more: Any) -> list[Any]:
    """`socket.getaddrinfo`, which also numeric addresses go through. In a guarded stretch it gives out nothing that leads inside, and
    what it gives out is what is connected to."""
    found = _resolve(*args, **more)
    watch = _watch.get()
    if watch is not None and not all(allowed(str(one[4][0])) for one in found):
        watch.refused = True
        raise Closed(str(Inside.default_message))
    return found


@contextmanager
def guarded() -> Iterator[Watch]:
    """A stretch in which whatever this thread connects to – over whichever library, redirects and later look-ups among it – is looked at
    as a `session` does. It stands in the process's resolver, and other threads notice nothing of it."""
    socket.getaddrinfo = _looked_at
    watch = Watch()
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


class Adapter(HTTPAdapter):
    """What a `requests` session mounts to be guarded."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class Session(requests.Session):
    """Follows no redirect, and reads the body of none to find out where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def session() -> requests.Session:
    """A session whose every connection is guarded; nothing of the environment is used (no proxy, no password file). TLS is checked.
    No redirect is followed. Ask with `timeout=(CONNECT, READ)`."""
    made = Session()
    made.trust_env = False
    made.headers["User-Agent"] = AGENT
    for scheme in ("http://", "https://"):
        made.mount(scheme, Adapter())
    return made


def read(reply: requests.Response, most: int, *, seconds: float | None = None) -> bytes:
    """The body of an answer that was asked for with `stream=True`, at most `most` bytes, read within `seconds`. Raises ValueError for a
    longer one, TimeoutError for one that comes too slowly."""
    until = None if seconds is None else time.monotonic() + seconds
    said = bytearray()
    while len(said) <= most:
        part: bytes = reply.raw.read(most + 1 - len(said) if until is None else PART, decode_content=True)
        if not part:
            return bytes(said)
        said += part
        if until is not None and time.monotonic() > until:
            raise TimeoutError("the answer comes too slowly")
    raise ValueError("the answer is too long")
