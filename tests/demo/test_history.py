"""The demo's past: lives that the actions would have led, many of them for the price of an import."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from lianxin.analysis import facts
from lianxin.analysis.models import Episode
from lianxin.cases.clocks import promise
from lianxin.cases.models import Case, Event
from lianxin.cases.rebuild import differences
from lianxin.cases.reference import reference, today_of
from lianxin.cases.states import BY_ACTION
from lianxin.demo import history, lives
from lianxin.demo.seed import Cast
from lianxin.kernel import clock
from lianxin.quality.models import CallbackAttempt, Rating
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_past_is_one_that_could_have_been(world: World) -> None:
    world.categories["010102"].quick_topic = 1
    world.categories["010102"].save()
    with clock.frozen(datetime(2026, 11, 25, 4, 0, tzinfo=UTC)):
        assert history.write(70) == 70
    found = Case.objects.all()
    assert found.count() == 70 + len(lives.WAYS)
    assert [differences(case.pk) for case in found] == [[]] * found.count()
    events: dict[object, list[Event]] = {}
    for event in Event.objects.order_by("id"):
        events.setdefault(event.case_id, []).append(event)
    for own in events.values():
        assert [one.at for one in own] == sorted(one.at for one in own)
        assert own[-1].at < datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
        for before, event in pairwise(own):
            assert before.to_state == event.from_state
            assert BY_ACTION[event.action].leads_from(event.from_state)
    outcomes = set(found.values_list("outcome", flat=True))
    assert outcomes == {"solved", "explained", "unreached", "imported"}
    assert all("演示数据" in case.words for case in found)
    assert CallbackAttempt.objects.count() > 60
    assert Rating.objects.exists()
    facts.refresh()
    called = Episode.objects.filter(callback_due_at__isnull=False)
    assert called.filter(reached=True, satisfaction="satisfied").exists()
    assert called.filter(reached=False).exists()
    assert called.filter(solved=False).exists()
    assert called.count() > 50


def test_no_two_clocks_of_a_way_fall_due_at_one_instant_whenever_it_was_gone(world: World) -> None:
    """They would be taken for one another: a day in the middle of holidays showed it."""
    world.categories["010102"].quick_topic = 1
    world.categories["010102"].save()
    past = history._Past(random.Random(1), reference(), today_of(clock.now()), Cast.of_city(), history._clerks())
    past.begin(list(history._matters(random.Random(1), 20, clock.now())))
    assert past.made is not None
    for day in range(400):
        begun = datetime(2026, 1, 1, 1, 7, tzinfo=UTC) + timedelta(days=day)
        for life in past.made:
            at = lives.moments(begun, life.steps)
            assert at == sorted(set(at))
            dues = [promise(start=at[step], minutes=minutes, calendar=name).due_at for step, minutes, name in set(life.dues)]
            assert len(set(dues)) == len(dues), (begun, life.steps)
            assert not set(dues) & set(at), (begun, life.steps)
