"""A port that passes everything on to the server of the test: whoever was told one address keeps it from test to test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _join(given: socket.socket, to: tuple[str, int]) -> None:
    with given:
        try:
            other = socket.create_connection(to, timeout=10)
        except OSError:
            return
        with other:
            other.settimeout(None)
            back = threading.Thread(target=_pump, args=(other, given), daemon=True)
            back.start()
            _pump(given, other)
            back.join(30)


@contextmanager
def passing(port: int, url: str) -> Iterator[None]:
    """Listen on `port` and pass every connection on to the server at `url`."""
    parts = urlsplit(url)
    to = (parts.hostname or "localhost", parts.port or 80)
    with socket.create_server(("127.0.0.1", port), reuse_port=False, backlog=64) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    given, _address = server.accept()
                except OSError:
                    continue
                given.settimeout(None)
                threading.Thread(target=_join, args=(given, to), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(2)
