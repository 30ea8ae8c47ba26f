"""Around every job: its number, one line in the log, a span where we trace.

A job's number is `job-` and its row's; which request it follows from, the id of the event it works on says: the request's line names
the events that it wrote. Nothing is added to a job's arguments, so that workers of an older version go on with new jobs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from lianxin.kernel import request_ids

from . import telemetry

log = logging.getLogger("lianxin.jobs")
TOLD = ("event_id", "case_id", "call", "spell")  # arguments that are ids; others are not written down


def numbered(call_next: Callable[[], Any], context: Any, worker: Any) -> Any:
    """procrastinate's middleware for tasks, in the task's own thread."""
    job = context.job
    extra: dict[str, object] = {"job": job.id, "task": job.task_name, "queue": job.queue, "attempt": job.attempts + 1}
    extra |= {name: str(job.task_kwargs[name]) for name in TOLD if name in job.task_kwargs}
    started = time.perf_counter()
    with request_ids.under(f"job-{job.id}"), telemetry.job(job.task_name, job.queue):
        try:
            done = call_next()
        except Exception as error:
            extra |= {"ms": round((time.perf_counter() - started) * 1000, 1), "error": type(error).__name__}
            log.warning("%s failed: %s", job.task_name, type(error).__name__, extra=extra)
            raise
        extra["ms"] = round((time.perf_counter() - started) * 1000, 1)
        log.info("%s done", job.task_name, extra=extra)
        return done
