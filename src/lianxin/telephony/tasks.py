"""Jobs of this context. Each is idempotent: run twice, it does its work once."""

from __future__ import annotations

import uuid

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from lianxin.kernel.clock import now

PATIENCE = RetryStrategy(max_attempts=6, exponential_wait=3)


@app.task(queue="telephony", name="telephony.owe_call_back", retry=PATIENCE)
def owe_call_back(call: str) -> None:
    """Some seconds after a call ended unanswered: it is among the missed calls, once."""
    from .receiving import owe_call_back as owe

    owe(uuid.UUID(call))


@app.task(queue="telephony", name="telephony.end_wrap_up", retry=PATIENCE)
def end_wrap_up(spell: int) -> None:
    """When a wrap-up's time is over: the agent is ready."""
    from .agents import end_wrap_up as end

    end(spell)


@app.periodic(cron="*/10 * * * *")
@app.task(queue="telephony", name="telephony.end_lost", queueing_lock="telephony.end_lost", lock="telephony.end_lost")
def end_lost(timestamp: int) -> None:
    """Every ten minutes: calls of which nothing was heard for hours, and wrap-ups whose own job was lost."""
    from .housekeeping import end_lost as end

    end(now())


@app.periodic(cron="21 2 * * *")
@app.task(queue="housekeeping", name="telephony.keep_house", queueing_lock="telephony.keep_house", lock="telephony.keep_house")
def keep_house(timestamp: int) -> None:
    """Each night: half-hours counted, then spells, numbers and events whose time is over taken away."""
    from .housekeeping import keep_house as keep

    keep(now())
