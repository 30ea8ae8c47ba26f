"""The answer of a public case: read by anyone once staff have cleared it, blacked out where it must be, and only while it stands."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client

from lianxin.cases import actions as a
from lianxin.cases.answers import standing_answer
from lianxin.cases.models import AnswerPublication, Case, Event, PublicVersion
from lianxin.cases.queries import Filters
from lianxin.cases.rebuild import differences
from lianxin.cases.retention import anonymise_due
from lianxin.desk.queries import waiting_publication
from lianxin.kernel.clock import Frozen
from lianxin.kernel.errors import Invalid, NotAllowed
from lianxin.publishing import files
from lianxin.publishing.models import Record
from lianxin.publishing.records import published, refresh
from tests.cases.ways import VILLAGE, take, walk
from tests.world import World

pytestmark = pytest.mark.django_db
NAME, PHONE, HOUSE = "王小明", "13812342201", "3栋501"
ANSWER = f"已给{NAME}家（{HOUSE}，电话{PHONE}）门口换灯，\n物业李师傅以后每周巡查。"
CLEARED = "已给■■■家（■■■■■，电话■■■■■■■■■■■）门口换灯，\n物业■■■以后每周巡查。"
PLANTED = (NAME, PHONE, HOUSE, "李师傅")
ASKED = ("accept", "request_publication", "clear_publication")


def answered(world: World, *before: str) -> uuid.UUID:
    """A case whose answer names its reporter."""
    case_id = world.case(area=VILLAGE, name=NAME, phone=PHONE)
    walk(world, case_id, [*before, "dispatch", "sign"])
    take(world, case_id, "reply", public_answer=ANSWER)
    take(world, case_id, "approve")
    return case_id


def stands(case_id: uuid.UUID) -> str | None:
    """What became of the answer; the log says the same."""
    assert differences(case_id) == []
    return Case.objects.values_list("answer_publication", flat=True).get(pk=case_id)


def listed(world: World) -> list[uuid.UUID]:
    return [case.pk for case in waiting_publication(world.actor("reviewer"), filters=Filters())]


def test_an_answer_waits_is_cleared_and_withdrawn_when_it_is_done_again(world: World, october: Frozen) -> None:
    case_id = answered(world, *ASKED)
    assert stands(case_id) == AnswerPublication.WAITING
    assert listed(world) == [case_id]
    take(world, case_id, "clear_publication", answer=CLEARED)
    assert stands(case_id) == AnswerPublication.PUBLIC
    assert listed(world) == []
    walk(world, case_id, ["record_callback_attempt", "close"])
    assert stands(case_id) == AnswerPublication.PUBLIC, "closing does not change the answer"
    refresh()
    assert Record.objects.get(pk=case_id).answer == CLEARED
    take(world, case_id, "reopen", by="supervisor")
    assert stands(case_id) is None
    assert PublicVersion.objects.get(pk=case_id).answer == ""
    refresh()
    assert Record.objects.get(pk=case_id).answer == ""
    walk(world, case_id, ["sign", "reply"])
    assert stands(case_id) is None, "nobody has approved it yet"
    take(world, case_id, "approve")
    assert stands(case_id) == AnswerPublication.WAITING
    with pytest.raises(Invalid) as error:
        take(world, case_id, "clear_publication", answer=CLEARED)
    assert "answer" in error.value.fields, "that was another answer"
    take(world, case_id, "refuse_publication")
    assert (stands(case_id), listed(world)) == (None, [])


def test_an_answer_may_stay_with_the_reporter(world: World, october: Frozen) -> None:
    case_id = answered(world, *ASKED)
    take(world, case_id, "clear_publication")
    assert stands(case_id) == AnswerPublication.KEPT
    assert listed(world) == []
    refresh()
    assert Record.objects.get(pk=case_id).answer == ""
    take(world, case_id, "clear_publication", answer=CLEARED)
    assert stands(case_id) == AnswerPublication.PUBLIC, "thought better of"


def test_words_and_answer_are_cleared_in_one_step(world: World, october: Frozen) -> None:
    case_id = answered(world, "accept", "request_publication")
    assert stands(case_id) is None
    take(world, case_id, "clear_publication", answer=CLEARED.replace("\n", "\r\n"))
    assert stands(case_id) == AnswerPublication.PUBLIC
    assert Event.objects.filter(case=case_id).order_by("-id")[0].data["answer"] is True


@pytest.mark.parametrize("said", ["已换灯。", f"{CLEARED}谢谢。", CLEARED.replace("每周", "每天"), ANSWER.replace("已给", "没给")])
def test_nobody_rewrites_an_answer(world: World, october: Frozen, said: str) -> None:
    case_id = answered(world, *ASKED)
    with pytest.raises(Invalid) as error:
        take(world, case_id, "clear_publication", answer=said)
    assert "涂黑" in error.value.fields["answer"]
    assert stands(case_id) == AnswerPublication.WAITING
    with pytest.raises(NotAllowed):
        take(world, case_id, "clear_publication", by="urban", answer=CLEARED)


def test_no_answer_no_clearing_of_it(world: World, october: Frozen) -> None:
    case_id = walk(world, world.case(area=VILLAGE), ["accept", "request_publication", "dispatch", "sign", "reply"])
    assert standing_answer(Case.objects.get(pk=case_id)) == ""
    with pytest.raises(Invalid):
        take(world, case_id, "clear_publication", answer="已责令停工。")
    take(world, case_id, "clear_publication")
    assert stands(case_id) is None
    take(world, case_id, "approve")
    assert stands(case_id) == AnswerPublication.WAITING
    # At once, by the hotline itself, and contested: the same answer until it is done again.
    spot = walk(world, world.case(area=VILLAGE), [*ASKED, "answer_on_the_spot"])
    assert stands(spot) == AnswerPublication.WAITING
    take(world, spot, "contest")
    assert stands(spot) is None, "it went back"
    # Written, not approved, then gone to another service: what was written never was an answer.
    gone = walk(world, world.case(area=VILLAGE), [*ASKED, "dispatch", "sign", "reply", "send_back", "offer_handover", "release_handover"])
    take(world, gone, "close_handover")
    said = standing_answer(Case.objects.get(pk=gone))
    assert said != "已责令停工。"
    assert stands(gone) == (AnswerPublication.WAITING if said else None)


def test_an_answer_whose_words_are_gone_waits_no_more(world: World, october: Frozen) -> None:
    case_id = walk(world, answered(world, *ASKED), ["record_callback_attempt", "close"])
    assert stands(case_id) == AnswerPublication.WAITING
    assert anonymise_due(october.move(days=4000)) == 1
    assert stands(case_id) is None


def everything_public(client: Client, said: str) -> str:
    """All that is told of a case outside, and all files."""
    pages = [client.get(page, follow=True) for page in (
        f"/public/{said}/", "/public/", "/public/?q=巡查", "/feeds/all.atom", "/api/v1/public/cases", "/open311/v2/requests.json",
        f"/open311/v2/requests/{said}.xml?extensions=true", f"/open311/v2/requests/{said}/notes.json",
        "/ogc/collections/cases/items?f=json", "/")]
    assert [page.request["PATH_INFO"] for page in pages if page.status_code != 200] == []
    texts = [page.content.decode() for page in pages]
    texts += [json.dumps(json.loads(text), ensure_ascii=False) for text in texts if text[:1] in "[{"]
    made = files.write()
    texts += [made.path(one).read_text(encoding="utf-8-sig") for one in made.files if one.kind in ("csv", "jsonl", "geojson")]
    return "\n".join(texts)


def test_names_and_numbers_in_an_answer_are_in_nothing_public(world: World, october: Frozen, client: Client) -> None:
    """Before it is cleared, after, and after it went back."""
    case_id = answered(world, *ASKED)
    refresh()
    record = published(Case.objects.get(pk=case_id).number)
    assert record is not None
    text = everything_public(client, record.number)
    assert "门口换灯" not in text
    assert [one for one in PLANTED if one in text] == []
    assert "工作人员还没有看过" in client.get(f"/public/{record.said_number}/").content.decode()
    # What the desk proposes, as the form gives it back.
    client.force_login(world.staff["reviewer"])
    form = client.get(f"/desk/cases/{case_id}/do/clear_publication/")
    client.logout()
    proposal = form.context["form"].fields["answer"].initial
    assert proposal == CLEARED
    assert "".join(piece for piece, _kind in form.context["form"].marked) == ANSWER
    assert [piece for piece, kind in form.context["form"].marked if kind] == [NAME, HOUSE, PHONE, "李师傅"]
    take(world, case_id, "clear_publication", answer=proposal)
    refresh()
    text = everything_public(client, record.number)
    assert text.count("门口换灯") >= 9, "wherever a reader would look"
    assert [one for one in PLANTED if one in text] == []
    assert json.loads(client.get("/api/v1/public/cases").content)["items"][0]["answer"] == CLEARED
    assert client.get(f"/open311/v2/requests/{record.number}.json").json()[0]["status_notes"] == CLEARED
    take(world, case_id, "reopen")
    refresh()
    assert "门口换灯" not in everything_public(client, record.number)


def test_a_cleared_answer_needs_cleared_words(world: World, october: Frozen) -> None:
    case_id = answered(world, "accept", "request_publication")
    a.refuse_publication(world.on(case_id, "reviewer"), reason="有门牌。")
    with pytest.raises(Invalid):
        take(world, case_id, "clear_publication", answer=CLEARED)
    assert stands(case_id) is None
