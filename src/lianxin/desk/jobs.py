"""Trying again what the job queue gave up on."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, NotAllowed
from lianxin.organisations.actors import Actor
from lianxin.organisations.models import Role


def retry(*, job_id: int, by: Actor) -> None:
    """Put one failed job back into the queue, for now. Jobs are idempotent, so trying twice does the work once.

    Raises NotAllowed, and Conflict when the job is not failed (any more) or the same work already waits.
    """
    if not by.has(Role.ADMINISTRATOR):
        raise NotAllowed()
    try:
        with transaction.atomic():
            job = ProcrastinateJob.objects.select_for_update().filter(pk=job_id, status="failed").first()
            if job is None:
                raise Conflict(_("这项任务已经不在失败之列，可能有人刚重试过。"))
            app.job_manager.retry_job_by_id(job_id, retry_at=now())
    except IntegrityError as error:
        raise Conflict(_("同样的任务已经在排队，不用再试。")) from error
