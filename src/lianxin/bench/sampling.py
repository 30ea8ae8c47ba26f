"""Time, CPU and statements of requests made in this process, without a network between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import connection
from django.test import Client

from lianxin.organisations.models import Staff

from .results import percentile

ROWS: Final = (b"data-preview=", b'aria-labelledby="case-')  # how a row of a list and a pair of cases begin, in a page


class Answer(Protocol):
    """What the test client answers."""

    status_code: int
    content: bytes
    wsgi_request: Any


@dataclass(slots=True)
class Sample:
    """What repeated calls took: the whole call, the part spent waiting for PostgreSQL, CPU of this process – in
    milliseconds – and the statements and list rows of the last one."""

    whole: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    statements: int = 0
    rows: int = 0

    def p50(self) -> float:
        return percentile(self.whole, 0.5)

    def p95(self) -> float:
        return percentile(self.whole, 0.95)

    def database_p95(self) -> float:
        return percentile(self.database, 0.95)


def signed_in(staff: Staff) -> Client:
    """A browser's stand-in with this person's session."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@contextmanager
def counted(sample: Sample) -> Iterator[None]:
    """Add one call to the sample."""
    waited = 0.0
    statements = 0

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal waited, statements
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            waited += time.perf_counter() - began
            statements += 1

    with connection.execute_wrapper(watch):
        cpu, began = time.process_time(), time.perf_counter()
        yield
        ended, spent = time.perf_counter(), time.process_time()
    sample.whole.append((ended - began) * 1000)
    sample.cpu.append((spent - cpu) * 1000)
    sample.database.append(waited * 1000)
    sample.statements = statements


def repeat(call: Callable[[], Answer], *, times: int, warm: int = 2) -> Sample:
    """`warm` calls that are not counted, then `times` that are. Raises RuntimeError for an answer that is a fault."""
    for _number in range(warm):
        call()
    sample = Sample()
    for _number in range(times):
        with counted(sample):
            answer = call()
        if answer.status_code >= 400:
            raise RuntimeError(f"{answer.status_code} for {answer.wsgi_request.get_full_path()}")
        sample.rows = sum(answer.content.count(mark) for mark in ROWS)
    return sample
