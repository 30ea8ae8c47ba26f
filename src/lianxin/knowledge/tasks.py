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


@app.periodic(cron="* * * * *")
@app.task(queue="clocks", name="knowledge.tell_due", queueing_lock="knowledge.tell_due", lock="knowledge.tell_due")
def tell_due(timestamp: int) -> None:
    """Each minute: whose answer to a report on an article is nearly due or late."""
    from .notices import tell_due as tell

    tell()
