"""Every event reaches every subscription that may see it exactly once per id, in the order of its case – whatever order transactions
commit in, however often passes are repeated, and through failures of the receiver."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from lianxin.cases.models import Case, Event
from lianxin.kernel import sending
from lianxin.kernel.clock import Frozen, frozen, now
from lianxin.kernel.ids import uuid7_after, uuid7_floor
from lianxin.organisations.actors import SYSTEM
from lianxin.webhooks import actions, feeding, queue
from lianxin.webhooks.models import Delivery, DeliveryState, Subscription
from lianxin.webhooks.posting import Answer
from tests.world import World

SEES = {"http://a.example/": "dispatcher", "http://b.example/": "urban"}
FATES = st.lists(st.sampled_from([200, 200, 200, 500, 429, 404, -1]), max_size=12)


def event(case_id: uuid.UUID, key: uuid.UUID) -> Event:
    return Event.objects.create(id=key, case_id=case_id, action="ask_colleague", at=now(), from_state="registered", to_state="registered",
                                actor_kind="system", version=1)


class Line:
    """A receiver in memory: takes, fails, or takes and does not answer."""

    def __init__(self, fates: list[int]) -> None:
        self.fates, self.heard = list(fates), defaultdict(list)  # type: ignore[var-annotated]

    def post(self, url: str, message_id: str, body: str, secrets: Any, **_more: Any) -> Answer:
        fate = self.fates.pop(0) if self.fates else 200
        if fate in (200, -1):
            self.heard[url].append(message_id)
        if fate == 200:
            return Answer(sending.Fate.SENT, status=200)
        return Answer(sending.Fate.LATER, "x", status=None if fate < 0 else fate, reached=fate > 0)


@pytest.mark.django_db
def test_in_any_order_of_commits_and_through_failures() -> None:
    """Commits are played: an event appears when its transaction would have committed, and as long as it has not, `settled` says when
    the oldest open transaction began – what PostgreSQL says of its sessions, tried below with real ones."""
    began = datetime.now(UTC)
    with frozen(began) as watch:
        world = World.make()
        cases = [world.case() for _each in range(3)]
        watch.move(seconds=1)
        for url, person in SEES.items():
            made, _secret = actions.create(actions.Wish(name="x", url="http://127.0.0.1/"), by=SYSTEM, person=world.staff[person])
            Subscription.objects.filter(pk=made.pk).update(url=url)
        # The second may see one of the cases only.
        Case.objects.filter(pk=cases[0]).update(unit_ids=[world.units["urban"].pk])
        feeding.feed()

        @settings(max_examples=20)
        @given(data=st.data())
        def play(data: st.DataObject) -> None:
            watch.set(began + timedelta(seconds=2))
            with transaction.atomic():
                _played(data, watch, cases)
                transaction.set_rollback(True)

        play()


def _played(data: st.DataObject, watch: Frozen, cases: list[uuid.UUID]) -> None:
    open_transactions: list[SimpleNamespace] = []
    made_ids: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    line = Line(data.draw(FATES))
    original = feeding.settled
    held_cases: set[uuid.UUID] = set()
    patch = pytest.MonkeyPatch()
    patch.setattr(queue, "post", line.post)
    patch.setattr(feeding, "settled", lambda: min([now(), *(one.began for one in open_transactions)]))
    try:
        for _step in range(data.draw(st.integers(3, 14))):
            watch.move(seconds=data.draw(st.sampled_from([0.001, 1.0, 30.0, 400.0])))
            what = data.draw(st.sampled_from(["begin", "commit", "commit", "feed", "send"]))
            free = [case for case in cases if case not in held_cases]
            if what == "begin" and free:
                case = data.draw(st.sampled_from(free))  # the engine locks a case for a write
                skew = data.draw(st.sampled_from([-1200.0, -20.0, 0.0, 20.0]))  # machines' clocks differ
                key = uuid.UUID(int=uuid7_floor(now() + timedelta(seconds=skew)).int | data.draw(st.integers(0, 2**30)))
                last = made_ids[case][-1] if made_ids[case] else Event.objects.filter(case_id=case).order_by("-id")[0].pk
                key = max(key, uuid.UUID(int=last.int + 1))  # as `uuid7_after` does
                open_transactions.append(SimpleNamespace(case=case, key=key, began=now()))
                held_cases.add(case)
            elif what == "commit" and open_transactions:
                one = open_transactions.pop(data.draw(st.integers(0, len(open_transactions) - 1)))
                held_cases.discard(one.case)
                event(one.case, one.key)
                made_ids[one.case].append(one.key)
            elif what == "feed":
                feeding.feed(batch=data.draw(st.sampled_from([1, 2, 500])))
            elif what == "send":
                _due_now()
                sending.drain(queue.QUEUE)
        for one in open_transactions:
            event(one.case, one.key)
            made_ids[one.case].append(one.key)
        open_transactions.clear()
        for _round in range(8):
            watch.move(seconds=60)
            feeding.feed()
            _due_now()
            sending.drain(queue.QUEUE, most=50)
    finally:
        patch.undo()
        assert feeding.settled is original
    for url, person in SEES.items():
        mine = cases if person == "dispatcher" else cases[:1]
        first_heard = list(dict.fromkeys(line.heard[url]))
        wanted = {str(key) for case in mine for key in made_ids[case]}
        assert set(first_heard) == wanted, "none lost, none that may not be seen"
        for case in mine:
            assert [key for key in first_heard if key in {str(one) for one in made_ids[case]}] == [str(one) for one in made_ids[case]]
    for row in Subscription.objects.all():
        ids = list(row.deliveries.values_list("event_id", flat=True))
        assert len(ids) == len(set(ids))
    assert not Delivery.objects.exclude(state=DeliveryState.SENT).exists()


def _due_now() -> None:
    Delivery.objects.filter(state=DeliveryState.WAITING).update(next_at=now())


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """With real sessions: an event whose transaction began before others and commits after them."""
    monkeypatch.setattr(feeding, "NEAR", timedelta())
    monkeypatch.setattr(feeding, "FAR", timedelta())
    world = World.make()
    slow, quick = world.case(), world.case()
    made, _secret = actions.create(actions.Wish(name="x", url="http://127.0.0.1:9/"), by=SYSTEM, person=world.staff["dispatcher"])
    feeding.feed()
    began, go, done = threading.Event(), threading.Event(), threading.Event()

    def late() -> None:
        try:
            with transaction.atomic():
                event(slow, uuid7_after(Event.objects.filter(case_id=slow).order_by("-id")[0].pk))
                began.set()
                go.wait(20)
        finally:
            connections.close_all()
            done.set()

    thread = threading.Thread(target=late)
    thread.start()
    assert began.wait(20)
    event(quick, uuid7_after(Event.objects.order_by("-id")[0].pk))
    for _pass in range(3):
        feeding.feed()
    told = Delivery.objects.filter(subscription=made, type="case.ask_colleague")
    assert set(told.values_list("case_id", flat=True)) == {quick}
    go.set()
    thread.join()
    feeding.feed()
    assert set(told.values_list("case_id", flat=True)) == {quick, slow}
    assert told.count() == 2
