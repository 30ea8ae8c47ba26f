"""Addresses that people typed in lead out of the house, or nowhere."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from lianxin.kernel import outside
from lianxin.kernel.errors import Invalid


@pytest.fixture
def here() -> Iterator[int]:
    """A server on this machine; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("closed", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1",
    "::127.0.0.1", "fec0::1", "64:ff9b:1::a00:1", "::ffff:0:127.0.0.1",
    "not an address"])
def test_closed_addresses_are_refused_however_they_are_written(closed: str) -> None:
    assert not outside.allowed(closed)


def test_public_addresses_and_named_networks_are_open(settings: Any) -> None:
    assert outside.allowed("114.114.114.114")
    assert outside.allowed("2400:3200::1")
    settings.LIANXIN_OUTBOUND_PRIVATE = ["10.20.0.0/16", "fd00::/8"]
    assert outside.allowed("10.20.3.4")
    assert outside.allowed("::ffff:10.20.3.4")
    assert outside.allowed("fd00::7")
    assert not outside.allowed("10.21.3.4")


@pytest.mark.parametrize("url", [
    "ftp://city.example/", "file:///etc/passwd", "http://", "//city.example", "http://user:secret@city.example/", "https://city.example/#x",
    "http://city.example:99999/", "http://[::1", "http://city.example/a b", "http://127.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/",
    "http://localhost/", "https://city.example/" + "x" * 300])
def test_what_cannot_be_an_address_is_refused_where_it_is_typed(url: str) -> None:
    with pytest.raises(Invalid):
        outside.checked(url)


def test_a_name_with_one_closed_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("114.114.114.114", "10.0.0.8")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(outside.Inside):
        outside.checked("https://city.example/open311/v2")


def test_a_name_that_turns_inside_after_it_was_checked_is_not_connected_to(here: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is public when it is typed in, and this machine when it is asked."""
    answers = ["114.114.114.114", "127.0.0.1"]

    def resolve(host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert outside.checked(f"http://turns.example:{here}/")
    with outside.session() as session, pytest.raises(requests.ConnectionError, match="内部网络"):
        session.get(f"http://turns.example:{here}/", timeout=2)
    assert answers == []


def test_a_named_network_is_reached_and_a_redirect_is_not_followed_into_a_closed_one(here: int, settings: Any) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    with outside.session() as session:
        with session.get(f"http://127.0.0.1:{here}/", timeout=2, stream=True) as reply:
            assert (reply.status_code, outside.read(reply, 2)) == (302, b"ok")
        assert session.get(f"http://127.0.0.1:{here}/", timeout=2).status_code == 302
        with pytest.raises(requests.ConnectionError, match="内部网络"):
            session.get("http://169.254.169.254/latest/meta-data", timeout=2)


def test_a_long_answer_is_cut_off(here: int, settings: Any) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    with outside.session() as session:
        reply = session.get(f"http://127.0.0.1:{here}/", timeout=2, stream=True)
        with reply, pytest.raises(ValueError, match="too long"):
            outside.read(reply, 1)
    with outside.session(most=1) as session, pytest.raises(ValueError, match="too long"):
        session.get(f"http://127.0.0.1:{here}/", timeout=2)  # whatever a library above does not ask for
    with outside.session(most=2) as session:
        assert session.get(f"http://127.0.0.1:{here}/", timeout=2).text == "ok"


@contextmanager
def dripping(*first: bytes) -> Iterator[str]:
    """A server that sends these parts and then a byte now and then, for ever; its address. No single wait is long."""
    done, listening = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        taken, _whose = listening.accept()
        with taken, suppress(OSError):
            taken.recv(65_536)
            for part in first:
                taken.sendall(part)
            while not done.wait(0.02):
                taken.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        done.set()
        listening.close()
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize("first", [[b"HTTP/1.1 200 OK\r\nX-"], [HEAD]])
def test_an_answer_that_drips_is_not_waited_for(settings: Any, first: list[bytes]) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    begun = time.monotonic()
    with (dripping(*first) as url, outside.session(seconds=0.3) as session, pytest.raises(OSError),
          session.get(url, timeout=(1, 5), stream=True) as reply):
        outside.read(reply, 200_000)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("body", [HEAD + b"only this", HEAD.replace(b"Content-Length: 100000", b"Content-Encoding: gzip") + b"no gzip"])
def test_an_answer_that_breaks_off_or_cannot_be_unpacked_is_a_fault_of_the_line(settings: Any, body: bytes) -> None:
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            taken, _whose = listening.accept()
            with taken:
                taken.recv(65_536)
                taken.sendall(body)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with (outside.session() as session, session.get(url, timeout=5, stream=True) as reply,
              pytest.raises(OSError, match="cannot be read")):
            outside.read(reply, 200_000)
        thread.join()


def test_a_guarded_stretch_looks_at_every_connection_of_any_library(here: int, settings: Any) -> None:
    with outside.guarded() as watch, pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{here}/", timeout=5)
    assert watch.refused
    with outside.guarded() as watch, pytest.raises(OSError, match="内部网络"):
        smtplib.SMTP("localhost", here, timeout=5)
    assert watch.refused
    settings.LIANXIN_OUTBOUND_PRIVATE = ["127.0.0.0/8"]
    with outside.guarded() as watch, pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{here}/", timeout=5)  # leads on to where nothing may go
    assert watch.refused
    settings.LIANXIN_OUTBOUND_PRIVATE = []
    assert requests.get(f"http://127.0.0.1:{here}/", timeout=5, allow_redirects=False).status_code == 302  # behind it all is as before
