"""docs/reference/webhooks.md: the types of events from the transition table, and what is promised of sending them."""

from __future__ import annotations

from lianxin.cases.states import BY_ACTION
from lianxin.webhooks import queue
from lianxin.webhooks.keys import OVERLAP
from lianxin.webhooks.models import DeliveryState, SubscriptionState
from lianxin.webhooks.types import PREFIX, types

from .markdown import code, page, table

_BODY = """```json
{"type": "case.dispatch",
 "timestamp": "2026-11-23T02:00:00.000Z",
 "data": {"event_id": "01930e5a-5b7c-7c3e-9d43-0b6f6f3f6a10", "case_id": "01930e59-88f1-7a0c-8f0e-5d9b1f2c7e44",
          "number": "26-0004217-3", "action": "dispatch", "from_state": "accepted", "to_state": "dispatched",
          "version": 3, "public": true, "unit": "hotline", "lead_unit": "urban", "category": "010101",
          "area": "430602001001", "url": "https://12345.example/api/v1/cases/01930e59-88f1-7a0c-8f0e-5d9b1f2c7e44"}}
```"""
_FIELDS = (
    ("type", "what happened, from the table below; `webhook.test` for a test, whose `data` holds the subscription's id only"),
    ("timestamp", "when it happened, RFC 3339 in UTC"),
    ("data.event_id", "the event's id, the same as the header `webhook-id`; ids of one case grow"),
    ("data.case_id, data.number", "the case's id and the number people say"),
    ("data.action, data.from_state, data.to_state", "the row of the [transition table](states.md); `from_state` is null for a new case"),
    ("data.version", "the case's version after it"),
    ("data.public", "whether the reporter sees it"),
    ("data.unit", "code of the unit on whose behalf it was done; null for the reporter and the system"),
    ("data.lead_unit, data.category, data.area", "codes of how the case stood when the event was read; null while unknown"),
    ("data.url", "where the API tells the rest, to a token that may see it"),
)


def _states(choices: type[SubscriptionState] | type[DeliveryState], meaning: dict[str, str]) -> str:
    return table(["state", "on the screens", "what it means"], [(code(one.value), one.label, meaning[one.value]) for one in choices])


def render() -> str:
    hours = int(queue.REFUSED_FOR.total_seconds()) // 3600
    rows = [(code(name), label, "yes" if BY_ACTION[name.removeprefix(PREFIX)].public else "no") for name, label in types().items()]
    return page(
        "Webhooks", "lianxin/webhooks and lianxin/cases/states.py",
        "Other systems are told what happens to cases by [Standard Webhooks](https://www.standardwebhooks.com). How to subscribe and to "
        "verify: [receive webhooks](../howto/receive-webhooks.md). The operations of the API: [api.md](api.md#operations).",
        "## A message", "One POST of `application/json` with the headers `webhook-id`, `webhook-timestamp` (seconds) and "
        "`webhook-signature` (`v1,` and an HMAC-SHA256 in base64; two of them while a secret is changed).",
        _BODY, table(["field", "holds"], [(", ".join(code(part) for part in name.split(", ")), text) for name, text in _FIELDS]),
        "No words of anybody and nobody's name: a test holds the bodies to ids, numbers, codes and times. `lead_unit`, `category` and "
        "`area` may have moved on since; `data.url` says how it stands now.",
        "## What is promised",
        f"""- A subscription is told of every event, of the types, units and areas it asks for, of cases its account may see – asked when
  the event is read, and again when it is sent. Events from before it was made are only sent when they are asked for.
- Each event is sent until it is answered with 2xx, under one id. What was taken without an answer that arrived comes again: keep the ids
  of what you have.
- One at a time, in the order in which events were read; those of one case always in their order.
- After a failure it is tried again after {queue.FIRST:.0f} seconds, then twice as long each time up to
  {queue.LONGEST / 3600:.0f} hour, less a random part; `Retry-After` is kept to. Redirects are not followed; an answer is
  waited for 10 seconds.
- A message that is answered 4xx (but not 408, 425, 429) for {hours} hours is given up on and the next one goes. While nothing is answered,
  nothing is given up on: after `LIANXIN_WEBHOOK_FAILING_DAYS` days the subscription is disabled, its keepers are told, and what happens
  meanwhile is kept for `LIANXIN_WEBHOOK_LOG_DAYS` days. 410 disables it at once.
- While a secret is changed both sign for {int(OVERLAP.total_seconds()) // 3600} hours.
- Addresses of closed networks are refused, when they are typed in and at every connection, but for those of `LIANXIN_OUTBOUND_PRIVATE`.""",
        "## States", "Of a subscription:", _states(SubscriptionState, {
            "active": "events are sent", "paused": "events are kept, and sent in order when it is resumed",
            "disabled": "as paused, after failing for days; a person resumes it",
            "ended": "nothing is sent or kept; the secrets are gone"}),
        "Of a delivery:", _states(DeliveryState, {
            "waiting": "not taken yet", "sent": "answered with 2xx", "dead": "given up on; can be sent again",
            "withheld": "the account may not see the case any more, so it was not sent"}),
        "## Types of events", "From the transition table. *public*: the reporter sees the event as well.",
        table(["type", "on the screens", "public"], rows))
