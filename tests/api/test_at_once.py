"""The same write from many hands at the same instant: it happens once, and everyone is told the same."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from lianxin.cases.models import Attachment, Case, Event
from tests.api.conftest import Machine, token
from tests.api.test_actions import photo, upload
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
HANDS = 5


def together(send: Callable[[], Any]) -> list[Any]:
    """What `HANDS` threads are answered that begin at once."""
    answers: list[Any] = []
    start = threading.Barrier(HANDS)

    def run() -> None:
        try:
            start.wait()
            answers.append(send())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(HANDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_with_one_key_everything_happens_once(world: World) -> None:
    secret = token(world, "operator")
    made = together(lambda: Machine(secret).post("/cases", {"words": "路灯不亮。"}, Idempotency_Key="a"))
    assert Counter(answer.status_code for answer in made) == {201: HANDS}
    assert len({answer.content for answer in made}) == 1
    assert Counter(answer.headers.get("Idempotent-Replayed") for answer in made) == {None: 1, "true": HANDS - 1}
    case = Case.objects.get()
    done = together(lambda: Machine(secret).post(f"/cases/{case.pk}/actions/accept", {"category": "010102"},
                                                 Idempotency_Key="b"))
    assert {(answer.status_code, answer.content) for answer in done} == {(200, done[0].content)}
    assert Event.objects.filter(action="accept").count() == 1
    body = photo()
    kept = together(lambda: upload(Machine(secret), body, Idempotency_Key="c"))
    assert {answer.status_code for answer in kept} == {201}
    assert len({answer.json()["id"] for answer in kept}) == Attachment.objects.count() == 1


def test_without_a_key_one_wins_and_the_others_are_told(world: World) -> None:
    secret = token(world, "operator")
    case_id = world.case()
    done = together(lambda: Machine(secret).post(f"/cases/{case_id}/actions/accept", {"category": "010102"},
                                                 If_Match='"1"'))
    assert Counter(answer.status_code for answer in done) == {200: 1, 409: HANDS - 1}
    late = next(answer.json() for answer in done if answer.status_code == 409)
    assert late["current"]["version"] == 2
