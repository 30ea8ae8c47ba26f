"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

import logging

from procrastinate.contrib.django import app

from lianxin.kernel.clock import now

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(queue="messages", name="webhooks.tell_news", queueing_lock="webhooks.tell_news", lock="webhooks.tell_news")
def tell_news(timestamp: int) -> None:
    """Each minute: what is new in the public record, to those who asked for it."""
    from . import news, telling

    news.gather()
    telling.tell_due()


@app.periodic(cron="37 3 * * *")
@app.task(queue="housekeeping", name="webhooks.keep_house", queueing_lock="webhooks.keep_house", lock="webhooks.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: the log of deliveries, news that all were told, and addresses that were never confirmed."""
    from . import actions, following, news

    at = now()
    log.info("webhooks housekeeping: %s", {**actions.forget(at), "news": news.forget(at), "pending": following.forget(at)})
