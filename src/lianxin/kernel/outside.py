"""HTTP to addresses that people typed in: never to this machine, its network or a cloud's metadata, unless a setting names the network.

A name is resolved once, every address it has is looked at, and the connection goes to one of those very addresses: a name that answers
differently the second time gets nowhere. Redirects are not followed. The same guard stands under every outgoing connection of a
`session`, whatever the library above it makes of the address. Under a library that makes its own connections, `guarded` stands where
names are resolved.

A timeout of a socket begins anew with every byte, so a server that drips could hold a sender, and the row it has locked, for days. An
answer is therefore read within `ANSWER` seconds as a whole, its head and its body, however it comes.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from .errors import Invalid

CONNECT: Final = 3.05  # seconds
READ: Final = 10.0  # between two signs of life
ANSWER: Final = 40.0  # for a whole answer; less than the minute after which the database ends a transaction that does nothing
LONGEST: Final = 300  # characters of an address
TRIED: Final = 4  # addresses of one name: its owner may write down hundreds, each of which is silent
AGENT: Final = "lianxin"
Address = IPv4Address | IPv6Address
# Ways to write an IPv4 address inside an IPv6 one: what is inside is what is reached.
_NAT64: Final = ip_network("64:ff9b::/96")
# All of IPv6 that has ever been given out. What Python calls global is wider: site-local addresses, and forms that lead to IPv4 ones.
_GIVEN_OUT: Final = ip_network("2000::/3")


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
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return False
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


class _Timed(io.RawIOBase):
    """What a socket receives, until a moment of the monotonic clock. Raises TimeoutError after it."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        self._received = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer comes too slowly")
        usual = self._sock.gettimeout()
        if usual is None or usual > left:
            self._sock.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that has to be whole, head and body, so many seconds after it was begun to be waited for."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, time.monotonic() + seconds))


class _Guarded:
    """Connects to an address that was checked, and to no other, and waits for an answer for `seconds` at most."""

    host: str
    port: int
    timeout: Any
    socket_options: Any
    response_class: Any

    def __init__(self, *args: Any, seconds: float = ANSWER, **more: Any) -> None:
        super().__init__(*args, **more)
        self.response_class = partial(_Answer, seconds=seconds)

    def _new_conn(self) -> socket.socket:
        host = self.host.strip("[]")
        fault: OSError | None = None
        try:
            found = addresses(host, self.port)
        except Inside as error:
            raise Refused(self, str(error)) from error  # type: ignore[arg-type]
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"{type(error).__name__}: {error}") from error  # type: ignore[arg-type]
        for family, address in found[:TRIED]:
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
    """What a `requests` session mounts to be guarded; an answer has `seconds`."""

    def __init__(self, seconds: float = ANSWER) -> None:
        self.seconds = seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        pools: Any = {"http": partial(_PlainPool, seconds=self.seconds), "https": partial(_SecurePool, seconds=self.seconds)}
        self.poolmanager.pool_classes_by_scheme = pools


class Session(requests.Session):
    """Follows no redirect, and reads the body of none to find out where it leads. With `most` no body is longer: for libraries that ask
    through a session of ours and read whatever comes."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        super().__init__()

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        if self.most is None:
            return super().send(request, **more)
        with super().send(request, **(more | {"stream": True})) as reply:
            body = read(reply, self.most)
        reply.raw = io.BytesIO(body)
        return reply


def session(*, seconds: float = ANSWER, most: int | None = None) -> requests.Session:
    """A session whose every connection is guarded; nothing of the environment is used (no proxy, no password file). TLS is checked.
    No redirect is followed. Ask with `timeout=(CONNECT, READ)`; a whole answer has `seconds`. With `most` an answer whose body has more
    bytes raises ValueError, and is `read` already."""
    made = Session(most)
    made.trust_env = False
    made.headers["User-Agent"] = AGENT
    for scheme in ("http://", "https://"):
        made.mount(scheme, Adapter(seconds))
    return made


def read(reply: requests.Response, most: int) -> bytes:
    """The body of an answer that was asked for with `stream=True`, at most `most` bytes. Raises ValueError for a longer one, and OSError
    where it breaks off, comes too slowly or is packed in a way that cannot be read."""
    said = bytearray()
    try:
        while len(said) <= most:
            part: bytes = reply.raw.read(most + 1 - len(said), decode_content=True)
            if not part:
                return bytes(said)
            said += part
    except HTTPError as error:  # urllib3's, of which `requests` makes its own only where it reads the body itself
        raise OSError(f"the answer cannot be read: {type(error).__name__}") from error
    raise ValueError("the answer is too long")
