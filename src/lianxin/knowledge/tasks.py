"""Jobs of this context."""

from __future__ import annotations

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now


@app.periodic(cron="27 3 * * *")
@app.task(queue="housekeeping", name="knowledge.forget_words", queueing_lock="knowledge.forget_words")
def forget_words(timestamp: int) -> None:
    """Each night: residents' words against articles whose retention has ended."""
    from .actions import forget_words as forget

    forget(now())
