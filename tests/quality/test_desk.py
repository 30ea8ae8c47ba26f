"""The callers' list, the supervisor's, and the campaigns' page at the desk; the resident's page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from lianxin.cases.models import Case, State
from lianxin.kernel.clock import Frozen
from lianxin.quality.models import Campaign
from tests.cases.ways import at_state, take, walk
from tests.desk.conftest import as_  # noqa: F401
from tests.quality import checklists
from tests.quality.test_campaigns import not_drawn
from tests.world import World

pytestmark = pytest.mark.django_db
NO_ANSWER: dict[str, Any] = {"outcome": "no_answer", "solved": None, "truthful": None, "satisfaction": ""}
TO_CALL = ("accept", "dispatch", "sign", "reply", "approve")


def listed(page: str, world: World) -> list[str]:
    found = {case.number: page.find(case.number) for case in Case.objects.all()}
    return sorted((number for number, place in found.items() if place > 0), key=lambda number: found[number])


def number_of(case_id: Any) -> str:
    return Case.objects.get(pk=case_id).number


def test_the_list_proposes_whom_to_call_now(world: World, monday: Frozen, as_: Any, settings: Any) -> None:  # noqa: F811
    settings.LIANXIN_CALLBACK_REST_HOURS = 3
    plain, tried, decided = (walk(world, world.case(), TO_CALL) for _ in range(3))
    contested = walk(world, world.case(), (*TO_CALL, "record_callback_attempt", "close"))
    undrawn = not_drawn(world)
    take(world, decided, "record_callback_attempt", solved=False)
    Campaign.objects.update(unit=world.units["housing"])
    walk(world, decided, ("sign", "reply", "approve"))
    take(world, decided, "record_callback_attempt", solved=False)
    take(world, tried, "record_callback_attempt", **NO_ANSWER)
    take(world, contested, "contest")
    client = as_("callback")
    page = client.get(reverse("desk:board", args=["callback"])).content.decode()
    shown = listed(page, world)
    assert shown[0] == number_of(contested), "who does not accept comes first"
    assert number_of(plain) in shown
    assert not {number_of(tried), number_of(decided), number_of(undrawn)} & set(shown)
    assert "诉求人不认可" in page
    assert "刚打过的 1 件" in page
    everybody = client.get(reverse("desk:board", args=["callback"]), {"tried": "1"}).content.decode()
    assert number_of(tried) in everybody
    assert "已试 1 次" in everybody
    assert "没试过下午、晚上" in everybody
    monday.move(hours=4)
    later = client.get(reverse("desk:board", args=["callback"])).content.decode()
    assert number_of(tried) in later
    boss = as_("supervisor").get(reverse("desk:board", args=["decide"])).content.decode()
    assert listed(boss, world) == [number_of(decided)]
    assert client.get(reverse("desk:board", args=["decide"])).status_code == 404


def test_the_form_asks_the_checklist_and_keeps_what_was_answered(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    checklists.make(world)
    case_id = at_state(world, State.REPLIED)
    client, address = as_("reviewer"), reverse("desk:act", args=[case_id, "approve"])
    page = client.get(address).content.decode()
    assert page.count('role="radiogroup"') == 5
    wrong = client.post(address, {"submission": "1", "answers.contacted": "yes", "answers.proof": "no"})
    assert wrong.status_code == 422
    again = wrong.content.decode()
    assert "“有凭据”答了否" in again
    assert 'name="answers.contacted" value="yes" data-answer-key="y" checked' in again
    right = {f"answers.{code}": value for code, value in checklists.ALL_YES.items()}
    assert client.post(address, {"submission": "2", **right}).status_code == 302
    shown = client.get(reverse("desk:case", args=[case_id])).content.decode()
    assert "✓ 联系过诉求人" in shown
    assert "— 写明了依据" in shown


def test_campaigns_are_ordered_and_stopped(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    client, address = as_("supervisor"), reverse("desk:campaigns")
    assert client.get(address).status_code == 200
    fields = {"name": "抽样", "starts_on": "2026-11-23", "ends_on": "2026-12-31", "share": "30", "minimum": "2"}
    bad = client.post(address, fields | {"ends_on": "2020-01-01"})
    assert bad.status_code == 422
    assert "不能早于开始日期" in bad.content.decode()
    assert client.post(address, fields | {"unit": "urban 市城管局", "category": "0101", "county": "990101"}).status_code == 302
    made = Campaign.objects.get()
    assert (made.share, made.minimum, made.unit, made.category.code) == (30, 2, world.units["urban"], "0101")  # type: ignore[union-attr]
    assert "30%" in client.get(address).content.decode()
    client.post(reverse("desk:end_campaign", args=[made.pk]))
    made.refresh_from_db()
    assert made.ended_by == world.staff["supervisor"]
    assert as_("east_supervisor").get(address).status_code == 403
    assert as_("callback").get(address).status_code == 403


def test_staff_in_the_browser_cannot_rate_for_the_reporter(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    from django.http import HttpResponse

    from lianxin.portal.access import cookie_name, remember
    from lianxin.quality.models import Rating

    case_id = walk(world, world.case(), TO_CALL)
    client = as_("urban")
    kept = HttpResponse()
    remember(kept, case_id)
    client.cookies[cookie_name()] = kept.cookies[cookie_name()].value
    case = Case.objects.get(pk=case_id)
    for name, fields in (("rate", {"solved": "yes", "satisfaction": "satisfied"}), ("withdraw", {"reason": "好了"})):
        answer = client.post(reverse("portal:act", args=[name]), {"submission": "s" * 24, "number": case.number, **fields})
        assert answer.status_code == 403
        assert "工作人员" in answer.content.decode()
    assert not Rating.objects.exists()
    case.refresh_from_db()
    assert case.state == State.CALLBACK


def test_who_was_not_drawn_is_told_so_plainly(world: World, monday: Frozen, client: Any) -> None:
    from lianxin.quality.hearing import hearing

    case_id = not_drawn(world)
    heard = hearing(Case.objects.get(pk=case_id))
    assert "没有抽到电话回访" in heard.steps[0]
    take(world, case_id, "rate", solved=True)
    after = hearing(Case.objects.get(pk=case_id))
    assert (after.rated, after.contestable) == (True, True)
    assert "不认可" in after.steps[0]


def test_a_campaign_sent_twice_is_one(world: World, monday: Frozen, as_: Any) -> None:  # noqa: F811
    client = as_("supervisor")
    page = client.get(reverse("desk:campaigns")).content.decode()
    submission = re.search(r'name="submission" value="([^"]+)"', page)
    assert submission
    fields = {"name": "抽样", "starts_on": "2026-11-23", "ends_on": "2026-12-23", "share": "30", "minimum": "5",
              "submission": submission[1]}
    for _ in range(2):
        assert client.post(reverse("desk:campaigns"), fields).status_code == 302
    assert Campaign.objects.count() == 1
    assert client.post(reverse("desk:campaigns"), fields | {"share": "31"}).status_code == 409
