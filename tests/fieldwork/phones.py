"""A telephone as the tests use one: enrolled, with items made by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lianxin.fieldwork import devices, inbox
from lianxin.fieldwork.inbox import Result
from lianxin.fieldwork.registry import Worker
from lianxin.fieldwork.workers import worker_for
from lianxin.kernel.clock import now
from tests.world import World

WORDS = "花园社区门口路灯不亮。"


@dataclass(slots=True)
class Phone:
    """One enrolled telephone."""

    secret: str
    worker: Worker

    @classmethod
    def of(cls, world: World, username: str = "grid", name: str = "旧手机") -> Phone:
        made = devices.enrol(staff=world.staff[username], name=name, by=world.actor(username))
        return cls(made.secret, worker_for(made.device))

    def push(self, *items: Mapping[str, Any], sent_at: datetime | None = None) -> list[Result]:
        # As over HTTP: what is sent is text in between.
        sent = json.loads(json.dumps(items))
        return inbox.take(self.worker, [(uuid.UUID(one["id"]), one) for one in sent], sent_at=sent_at or now())


def item(kind: str = "report", body: Mapping[str, Any] | None = None, *, made_at: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "kind": kind, "made_at": (made_at or now()).isoformat(),
            "body": {"words": WORDS} if body is None else dict(body), **more}


def statuses(results: list[Result]) -> list[str]:
    return [result.status for result in results]


def codes(results: list[Result]) -> list[str]:
    return [result.problem["code"] if result.problem else "" for result in results]
