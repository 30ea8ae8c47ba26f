"""`/metrics` for Prometheus: what this process served, and how the city's cases, jobs and database stand.

Counters and times belong to the process that answers: each web process counts for itself and says its own id, so a
scrape through one port sees one process at a time. The gauges of cases, jobs and database are read when asked, and
are the same whichever process answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lianxin.cases.standings import standings
from lianxin.faces.limits import client_address
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.queues import standings as queue_standings
from lianxin.operations import standing
from lianxin.organisations.actors import SYSTEM
from lianxin.organisations.models import Role

from . import problems
from .tokens import bearer, caller_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FACES = {"api": "api", "desk": "desk", "field": "field", "open311": "open311", "linkage": "linkage", "places": "places",
         "accounts": "accounts", "static": "static", "healthz": "operations", "readyz": "operations",
         "metrics": "operations"}
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each counter, which nobody reads
registry = CollectorRegistry()
requests = Counter("lianxin_requests", "Requests answered by this process.", ["face", "method", "status"],
                   registry=registry)
seconds = Histogram("lianxin_request_seconds", "Seconds from request to answer in this process.", ["face", "method"],
                    buckets=BUCKETS, registry=registry)


def face_of(path: str) -> str:
    """The face a path belongs to; what has no name of its own is the portal's."""
    return FACES.get(path.split("/", 2)[1] if path.startswith("/") else "", "portal")


class Measure:
    """The outermost middleware: counts and times every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        face = face_of(request.path_info)
        method = request.method if request.method in METHODS else "other"
        requests.labels(face, method, str(response.status_code)).inc()
        seconds.labels(face, method).observe(time.perf_counter() - started)
        return response


JOBS = """
SELECT queue_name, count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing'),
       count(*) FILTER (WHERE status = 'failed')
  FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY queue_name
"""
DATABASE = """
SELECT pg_database_size(current_database()),
       (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
       current_setting('max_connections')::integer
"""


class City(Collector):
    """Gauges read from the database at each scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("lianxin_database_up", "1 when the database answers.")
        try:
            found = list(self._read())
        except Error:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found

    def _read(self) -> Iterator[GaugeMetricFamily]:
        cases = GaugeMetricFamily("lianxin_open_cases", "Open cases by state.", labels=["state"])
        overdue = GaugeMetricFamily("lianxin_overdue_cases", "Open cases whose answer is owed and overdue, by state.",
                                    labels=["state"])
        for row in standings(SYSTEM, at=now()):
            cases.add_metric([row.state], row.total)
            overdue.add_metric([row.state], row.overdue)
        yield cases
        yield overdue
        jobs = GaugeMetricFamily("lianxin_jobs", "Jobs by queue and status.", labels=["queue", "status"])
        with connection.cursor() as cursor:
            cursor.execute(JOBS)
            for queue, *counts in cursor.fetchall():
                for status, count in zip(("waiting", "running", "failed"), counts, strict=True):
                    jobs.add_metric([queue, status], count)
            cursor.execute(DATABASE)
            size, connections, allowed = cursor.fetchone()
        yield jobs
        yield from _running()
        yield from _outboxes()
        yield from _backups()
        yield _one("lianxin_database_bytes", "Size of the database in bytes.", size)
        yield _one("lianxin_database_connections", "Connections to the database.", connections)
        yield _one("lianxin_database_connections_allowed", "Connections the server allows.", allowed)
        yield _one("lianxin_process_id", "The process that answered this scrape.", os.getpid())


def _outboxes() -> Iterator[GaugeMetricFamily]:
    """What waits for other systems."""
    messages = GaugeMetricFamily("lianxin_outbox_messages", "What is not taken yet by its destination, by state.",
                                 labels=["queue", "destination", "state"])
    oldest = GaugeMetricFamily("lianxin_outbox_oldest_seconds", "Age of the oldest message that waits for a destination.",
                               labels=["queue", "destination"])
    for one in queue_standings(now()):
        messages.add_metric([one.queue, one.code, "waiting"], one.waiting)
        messages.add_metric([one.queue, one.code, "dead"], one.dead)
        oldest.add_metric([one.queue, one.code], one.oldest)
    yield messages
    yield oldest


def _running() -> Iterator[GaugeMetricFamily]:
    """Whether the jobs are worked off, and the log has its tables ahead."""
    oldest = GaugeMetricFamily("lianxin_jobs_oldest_seconds", "How long the oldest job that is due has been waiting.", labels=["queue"])
    for queue, seconds in standing.oldest_jobs().items():
        oldest.add_metric([queue], seconds)
    yield oldest
    yield _one("lianxin_workers", "Workers that gave a sign of life within a minute.", standing.workers_alive())
    yield _one("lianxin_event_partitions_ahead", "Months ahead for which the log has its own table.", standing.partitions_ahead(now()))


def _backups() -> Iterator[GaugeMetricFamily]:
    """The last backup that was verified; nothing when there never was one."""
    last = standing.last_backup()
    if last is not None:
        yield _one("lianxin_backup_age_seconds", "Age of the last backup.", (now() - last.at).total_seconds())
        yield _one("lianxin_backup_bytes", "Bytes of its dump and its files.", last.database_bytes + last.file_bytes)
        yield _one("lianxin_backup_seconds", "How long it took.", (last.finished_at - last.at).total_seconds())


def _one(name: str, said: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, said)
    family.add_metric([], value)
    return family


registry.register(City())


def _from_this_machine(request: HttpRequest) -> bool:
    """Whether the caller sits on the server itself. Behind a proxy that nobody declared, no address is believed."""
    passed_on = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    if passed_on and settings.LIANXIN_TRUSTED_PROXIES <= 0:
        return False
    try:
        return ip_address(client_address(request)).is_loopback
    except ValueError:
        return False


def _is_administrator(request: HttpRequest) -> bool:
    try:
        return caller_of(request).actor.has(Role.ADMINISTRATOR)
    except DomainError:
        return False


def view(request: HttpRequest) -> HttpResponse:
    """Prometheus text: for this machine, and for an administrator's token; nobody else learns that it is there."""
    if not _from_this_machine(request):
        if not bearer(request):
            return problems.problem(404)
        if not _is_administrator(request):
            return problems.problem(403)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
