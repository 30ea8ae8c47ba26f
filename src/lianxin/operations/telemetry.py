"""Traces for a city that collects them (OpenTelemetry, OTLP over HTTP): requests, jobs and SQL, with the trace that comes in and goes
out (W3C Trace Context).

Off unless `LIANXIN_TRACES_URL` names a collector; then nothing of OpenTelemetry is imported and a request pays one comparison. The spans
are our own: the ready-made instrumentations write addresses, query strings and statements as they are sent, and those hold people's
codes and words. Ours hold the route's pattern, and SQL with its place-holders; no parameters, no addresses, no exception's message.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from lianxin.kernel import request_ids

log = logging.getLogger(__name__)
LONGEST = 2_000  # letters of a statement
_tracer: Any = None
_provider: Any = None


def on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def start() -> None:
    """Begin to trace as the settings say; nothing where no collector is named. Raises ImproperlyConfigured without the packages."""
    if not settings.LIANXIN_TRACES_URL:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImproperlyConfigured(
            "LIANXIN_TRACES_URL is set, and the packages that trace are not installed: pip install 'lianxin[telemetry]'") from error
    trace_with(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.LIANXIN_TRACES_URL)))


def trace_with(processor: Any) -> None:
    """Trace, handing finished spans to `processor`. A share of the traces begun here; one begun by somebody in front as they decided."""
    global _tracer, _provider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = _provider = TracerProvider(
        resource=Resource({"service.name": settings.LIANXIN_TRACES_NAME, "process.pid": os.getpid()}), shutdown_on_exit=True,
        sampler=ParentBased(TraceIdRatioBased(min(100, max(0, settings.LIANXIN_TRACES_PERCENT)) / 100)))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("lianxin")
    if _carry not in request_ids.CARRIERS:
        request_ids.CARRIERS.append(_carry)
    _watch_sql()


def flush() -> None:
    """Hand over what has been traced and waits to be sent."""
    if _provider is not None:
        _provider.force_flush()


def stop() -> None:
    """Trace no more, as tests want it; connections that are open keep their watcher, which then does nothing."""
    global _tracer, _provider
    if _provider is not None:
        _provider.shutdown()
    _tracer = _provider = None
    if _carry in request_ids.CARRIERS:
        request_ids.CARRIERS.remove(_carry)


def _carry(headers: dict[str, str]) -> None:
    """The trace that runs now, for a call to another system."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    TraceContextTextMapPropagator().inject(headers)


@contextmanager
def request(meta: Mapping[str, Any]) -> Iterator[Any]:
    """A span for one request, below the trace that `traceparent` names."""
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    given = {name: str(meta[key]) for name, key in (("traceparent", "HTTP_TRACEPARENT"), ("tracestate", "HTTP_TRACESTATE")) if key in meta}
    above = TraceContextTextMapPropagator().extract(given)
    with _tracer.start_as_current_span("request", context=above, kind=SpanKind.SERVER, record_exception=False,
                                       set_status_on_exception=False) as span:
        span.set_attribute("lianxin.request", request_ids.current())
        yield span


def answered(span: Any, method: str, route: str, status: int) -> None:
    """What is known of a request once it has its answer."""
    from opentelemetry.trace import StatusCode

    span.update_name(f"{method} {route}")
    span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
    if status >= 500:
        span.set_status(StatusCode.ERROR)


@contextmanager
def job(task: str, queue: str) -> Iterator[None]:
    """A span for one job."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind, StatusCode

    with _tracer.start_as_current_span(f"job {task}", kind=SpanKind.CONSUMER, record_exception=False,
                                       set_status_on_exception=False) as span:
        span.set_attributes({"lianxin.request": request_ids.current(), "messaging.destination.name": queue})
        try:
            yield
        except Exception as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _watch_sql() -> None:
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.connect(_watch, dispatch_uid="lianxin.operations.telemetry")
    for connection in connections.all(initialized_only=True):
        _watch(connection=connection)


def _watch(*, connection: Any, **_more: Any) -> None:
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """A span for one statement below a request or job; none for what runs by itself."""
    tracer = _tracer
    if tracer is None or not request_ids.current():
        return execute(sql, params, many, context)
    from opentelemetry.trace import SpanKind, StatusCode

    text = str(sql).strip()
    with tracer.start_as_current_span(text.split(None, 1)[0].upper() if text else "SQL", kind=SpanKind.CLIENT, record_exception=False,
                                      set_status_on_exception=False) as span:
        # A statement without parameters was put together by the program, perhaps with values in it: its first words must do.
        span.set_attributes({"db.system.name": "postgresql",
                             "db.query.text": (text if params else " ".join(text.split()[:3]))[:LONGEST]})
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
