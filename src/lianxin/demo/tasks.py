"""What the demo does after it has opened."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from lianxin.telephony.models import HalfHour
from lianxin.triage import learnt
from lianxin.triage.hot.models import HotRun
from lianxin.triage.hot.tasks import work_out
from lianxin.triage.models import LearntModel

from . import calls, linking

log = logging.getLogger(__name__)


def _learnt() -> Path:
    """Holds the hash of the texts that were learnt from."""
    return Path(settings.DATA) / "triage" / "texts.sha256"


def _hash(texts: Path) -> str:
    whole = hashlib.sha256()
    for path in learnt.texts_in(texts):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def wanted(texts: Path) -> bool:
    """Whether there are texts, and no model was learnt from just these: a model that somebody took out stays out."""
    if not learnt.texts_in(texts):
        return False
    known = _learnt()
    return not (known.is_file() and known.read_text().strip() == _hash(texts) and LearntModel.objects.exists())


def _once(task: Task[..., Any, ...], **given: Any) -> None:
    """Leave a job to the worker, if it does not wait already."""
    try:
        with transaction.atomic():
            task.configure(queueing_lock=task.name).defer(**given)
    except AlreadyEnqueued:
        log.info("%s waits already", task.name)


def read_along(texts: Path) -> bool:
    """Let the worker train a model, if one is wanted. Returns whether it will."""
    if not wanted(texts):
        return False
    _once(learn, texts=str(texts.resolve()))
    return True


def gather() -> None:
    """Let the worker look for hot issues now rather than at its next hour, where it never did."""
    if HotRun.objects.exists():
        return
    _once(work_out, timestamp=0)


def ring() -> None:
    """Let the worker write a log of calls, where there is none."""
    if not HalfHour.objects.exists():
        _once(log_calls)


def link(path: Path) -> None:
    """Let the worker play the handovers of a file with the other desk, if some were not begun yet."""
    if linking.to_play(path):
        _once(hand_over, path=str(path.resolve()))


@app.task(queue="housekeeping", name="demo.hand_over", retry=RetryStrategy(max_attempts=5, wait=10))
def hand_over(path: str) -> None:
    """Play them. One that stopped in the middle is left as it stands: so do things in a real city."""
    linking.lived_through(Path(path))


@app.task(queue="housekeeping", name="demo.log_calls")
def log_calls() -> None:
    """Four weeks of calls."""
    calls.seed()


@app.task(queue="housekeeping", name="demo.learn")
def learn(texts: str) -> None:
    """Train on the city's texts and put the model in force. Whoever stops the demo meanwhile loses nothing: the next start
    trains again, and until then the rules read."""
    folder = Path(texts)
    if not wanted(folder):
        return
    said = _hash(folder)
    learnt.learn(texts=folder, cases=0, use=True)
    half = _learnt().with_suffix(".half")
    half.write_text(said + "\n")
    half.replace(_learnt())
