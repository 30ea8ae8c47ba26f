"""Message gateways for tests."""

from __future__ import annotations

from typing import ClassVar

from lianxin.cases.messages import GatewayError


class Counting:
    """Takes everything and remembers it."""

    name = "counting"
    sent: ClassVar[list[tuple[str, str]]] = []

    def send(self, *, phone: str, text: str) -> None:
        self.sent.append((phone, text))


class Away:
    """Takes nothing."""

    name = "away"

    def send(self, *, phone: str, text: str) -> None:
        raise GatewayError("away")


class Unreachable:
    name = "unreachable"

    def send(self, *, phone: str, text: str) -> None:
        raise ConnectionRefusedError
