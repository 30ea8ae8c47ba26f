"""One case at the desk: what it shows, what may be done, and what happens when something is in the way."""

from __future__ import annotations

import io
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from lianxin.cases import actions as a
from lianxin.cases.actions.identity import without_name
from lianxin.cases.models import Attachment, Case, Event, IdentityReading, State
from lianxin.kernel.clock import Frozen, now
from lianxin.kernel.ids import uuid7_floor
from lianxin.quality import actions as q
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db


def case_url(case_id: uuid.UUID, name: str = "case") -> str:
    return reverse(f"desk:{name}", args=[case_id])


def act_url(case_id: uuid.UUID, action: str) -> str:
    return reverse("desk:act", args=[case_id, action])


def with_housing(world: World, *, signed: bool = True, category: str = "010102") -> uuid.UUID:
    case_id = world.accepted(category=category)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    if signed:
        a.sign(world.on(case_id, "housing"))
    return case_id


def photo(name: str = "修好了.jpg") -> SimpleUploadedFile:
    held = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(held, "JPEG")
    return SimpleUploadedFile(name, held.getvalue(), content_type="image/jpeg")


def buttons(page: str) -> list[str]:
    return re.findall(r'href="/desk/cases/[^/]+/do/(\w+)/', page) + re.findall(r'action="/desk/cases/[^/]+/do/(\w+)/', page)


@pytest.mark.parametrize(("username", "status"), [
    ("dispatcher", 200), ("housing", 200), ("supervisor", 200), ("water", 404), ("grid", 404), ("admin", 404),
])
def test_a_case_is_there_for_those_who_may_see_it(world: World, as_: SignIn, monday: Frozen, username: str, status: int) -> None:
    case_id = with_housing(world)
    for name in ("case", "pane", "print", "pdf"):
        assert as_(username).get(case_url(case_id, name)).status_code == status, name


def test_the_likeliest_button_comes_first_and_closed_ones_say_why(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing", assisting_units=["urban"])
    page = as_("housing").get(case_url(case_id)).content.decode()
    assert re.search(r'<button class="lx-button primary"[^>]*data-key="s"', page)
    a.sign(world.on(case_id, "housing"))
    page = as_("housing").get(case_url(case_id)).content.decode()
    assert re.search(r'class="lx-button primary" href="[^"]*/do/reply/', page)
    helper = as_("urban").get(case_url(case_id)).content.decode()
    assert re.search(r'aria-disabled="true" data-why="这一步由主办单位办理。"', helper)


def test_callback_is_tried_first_then_closed_or_goes_back(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    a.reply(world.on(case_id, "housing"), public_answer="已责令 22 时后停工。", solved=True, means="phone")
    q.approve(world.on(case_id, "reviewer"))
    client = as_("callback")
    assert buttons(client.get(case_url(case_id)).content.decode())[0] == "record_callback_attempt"
    client.post(act_url(case_id, "record_callback_attempt"), {"outcome": "busy", "submission": "1"})
    assert buttons(client.get(case_url(case_id)).content.decode())[0] == "record_callback_attempt"
    client.post(act_url(case_id, "record_callback_attempt"), {"outcome": "reached", "solved": "yes", "submission": "2"})
    page = client.get(case_url(case_id)).content.decode()
    assert buttons(page)[0] == "close"
    assert "已试 2 次" in page
    client.post(act_url(case_id, "record_callback_attempt"), {"outcome": "reached", "solved": "no", "submission": "3"})
    assert Case.objects.get(pk=case_id).state == "dispatched"  # back to the unit by itself


def test_an_action_is_done_once_however_often_it_is_sent(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world, signed=False)
    client = as_("housing")
    for _ in range(3):
        assert client.post(act_url(case_id, "sign"), {"submission": "x", "version": "3"}).status_code == 302
    assert Event.objects.filter(case_id=case_id, action="sign").count() == 1


def test_a_missing_field_keeps_what_was_typed(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    page = as_("housing").post(act_url(case_id, "reply"), {"public_answer": "已派人值守。", "submission": "1"})
    text = page.content.decode()
    assert page.status_code == 422
    assert "已派人值守。" in text
    assert "还没有联系上的记录" in text
    assert 'aria-invalid="true"' in text
    assert "诉求人会看到" in text
    assert "仅内部可见" in text


def test_files_sent_with_a_faulty_form_are_not_asked_for_again(world: World, as_: SignIn, monday: Frozen) -> None:
    world.categories["010102"].field_matter = True
    world.categories["010102"].save()
    case_id = with_housing(world)
    client = as_("housing")
    page = client.post(act_url(case_id, "reply"), {"public_answer": "修好了。", "submission": "1", "photos": photo()})
    assert page.status_code == 422
    kept = re.findall(r'name="kept" value="([^"]+)"', page.content.decode())
    assert len(kept) == 1
    assert "已收到 修好了.jpg" in page.content.decode()
    done = client.post(act_url(case_id, "reply"), {"public_answer": "修好了。", "solved": "yes", "means": "phone",
                                                   "submission": "2", "kept": kept})
    assert done.status_code == 302
    assert Attachment.objects.get().case_id == case_id


def test_files_of_others_are_not_taken_over(world: World, as_: SignIn, monday: Frozen) -> None:
    first, second = with_housing(world), world.accepted()
    page = as_("housing").post(act_url(first, "reply"), {"submission": "1", "photos": photo()})
    kept = re.findall(r'name="kept" value="([^"]+)"', page.content.decode())
    a.dispatch(world.on(second, "dispatcher"), lead_unit="urban")
    a.sign(world.on(second, "urban"))
    as_("urban").post(act_url(second, "reply"), {"public_answer": "x", "solved": "yes", "means": "phone", "submission": "2",
                                                 "kept": [*kept, "nonsense"]})
    assert Attachment.objects.get().case_id is None


def test_two_people_on_one_case_the_second_is_told_and_keeps_the_words(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    version = Case.objects.get(pk=case_id).version
    a.dispatch(world.on(case_id, "operator"), lead_unit="urban")
    a.redispatch(world.on(case_id, "dispatcher"), lead_unit="water", reason="市政路面以内归水务。")
    page = as_("dispatcher").post(act_url(case_id, "redispatch"), {
        "lead_unit": "housing", "reason": "我写的理由", "version": str(version), "submission": "1"})
    text = page.content.decode()
    assert page.status_code == 409
    assert "我写的理由" in text
    assert "改派" in text
    assert "operator甲" in text
    again = re.search(r'name="version" value="(\d+)"', text)
    assert again
    fresh = re.search(r'name="submission" value="([^"]+)"', text)
    assert fresh
    done = as_("dispatcher").post(act_url(case_id, "redispatch"), {
        "lead_unit": "housing", "reason": "我写的理由", "version": again.group(1), "submission": fresh.group(1)})
    assert done.status_code == 302


def test_an_action_of_another_role_is_refused_in_words(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = world.accepted()
    page = as_("operator").post(act_url(case_id, "redispatch"), {"lead_unit": "urban", "reason": "x", "submission": "1"})
    assert page.status_code in (403, 409)
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="housing")
    page = as_("operator").post(act_url(case_id, "redispatch"), {"lead_unit": "urban", "reason": "理由在", "submission": "1"})
    assert page.status_code == 403
    assert "理由在" in page.content.decode()
    assert as_("operator").get(act_url(case_id, "nonsense")).status_code == 404
    assert as_("operator").get(act_url(case_id, "anonymise")).status_code == 404


def test_a_return_is_judged_with_everything_in_view_and_goes_on_to_dispatch(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    a.raise_return(world.on(case_id, "housing"), reason="not_ours", evidence="三定方案第七条写明归城管。", suggested_unit="urban")
    client = as_("dispatcher")
    page = client.get(case_url(case_id)).content.decode()
    for words in ("市住建局要求退单", "非本单位职责", "三定方案第七条写明归城管。", "市城管局", "派单目录"):
        assert words in page
    done = client.post(act_url(case_id, "uphold_return"), {"ruling": "同意。", "submission": "1", "next": "/desk/board/returns/"})
    assert done.headers["Location"] == f"{act_url(case_id, 'dispatch')}?next=%2Fdesk%2Fboard%2Freturns%2F"
    form = client.get(done.headers["Location"]).content.decode()
    assert 'value="urban 市城管局"' in form
    assert "退单单位建议的单位" in form
    assert 'name="next" value="/desk/board/returns/"' in form


def test_the_reviewer_reads_the_answer_beside_the_words(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    monday.move(days=9)
    a.reply(world.on(case_id, "housing"), public_answer="已停工。", solved=False, means="phone", private_note="老板难说话")
    context = as_("reviewer").get(case_url(case_id)).context
    found = {str(check.label): check.good for check in context["checks"]}
    assert found == {"联系诉求人": True, "是否解决": False, "现场照片": True, "答复长短": False, "按时答复": False}
    page = as_("reviewer").get(case_url(case_id)).content.decode()
    assert page.index("楼下工地半夜还在打桩") < page.index("已停工。") < page.index("老板难说话")
    assert "内部说明，诉求人看不到" in page


def test_identity_is_shown_once_after_a_reason_and_only_to_those_who_handle_the_case(world: World, as_: SignIn,
                                                                                     monday: Frozen) -> None:
    case_id = with_housing(world)
    client = as_("housing")
    assert "13812342201" not in client.get(case_url(case_id)).content.decode()
    refused = client.post(case_url(case_id, "identity"), {"why": " "})
    assert refused.status_code == 422
    shown = client.post(case_url(case_id, "identity"), {"why": "约现场查看"}, headers={"HX-Request": "true"})
    assert "13812342201" in shown.content.decode()
    reading = IdentityReading.objects.get()
    assert (reading.why, reading.staff_id) == ("约现场查看", world.staff["housing"].pk)
    assert as_("reviewer").post(case_url(case_id, "identity"), {"why": "看看"}).status_code == 403
    assert as_("water").post(case_url(case_id, "identity"), {"why": "看看"}).status_code == 404
    assert IdentityReading.objects.count() == 1


def test_attachments_are_served_to_those_who_see_the_case_only(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    as_("housing").post(case_url(case_id, "attach"), {"photos": photo()})
    stored = Attachment.objects.get()
    for name in ("attachment", "thumbnail"):
        address = reverse(f"desk:{name}", args=[stored.pk])
        response = as_("reviewer").get(address)
        assert response.status_code == 200
        assert b"".join(response.streaming_content)[:2] == b"\xff\xd8"  # type: ignore[arg-type]
        assert as_("water").get(address).status_code == 404
        assert Client().get(address).status_code == 302
    assert as_("housing").get(reverse("desk:attachment", args=[uuid.uuid4()])).status_code == 404
    wrong = as_("housing").post(case_url(case_id, "attach"), {"photos": SimpleUploadedFile("a.exe", b"MZ" + b"\0" * 90)}, follow=True)
    assert "lx-notice error" in wrong.content.decode()


def test_the_case_file_on_paper_has_everything_but_the_person(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    case = Case.objects.get(pk=case_id)
    response = as_("housing").get(case_url(case_id, "pdf"))
    assert response["Content-Type"] == "application/pdf"
    assert response.content[:5] == b"%PDF-"
    assert case.number in response["Content-Disposition"]
    page = as_("housing").get(case_url(case_id, "print")).content.decode()
    for words in ("楼下工地半夜还在打桩", "市住建局", "签收", "期限"):
        assert words in page
    assert "13812342201" not in page


def test_what_others_did_meanwhile_is_told(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world, signed=False)
    page = as_("housing").get(case_url(case_id)).content.decode()
    since = re.search(r'data-since="([0-9a-f-]{36})"', page)
    assert since
    watch, query = case_url(case_id, "watch"), {"since": since.group(1)}
    client = as_("dispatcher")
    assert client.get(watch, query).status_code == 204
    a.sign(world.on(case_id, "housing"))
    told = client.get(watch, query).json()["text"]
    assert "housing甲" in told
    assert "签收" in told
    assert as_("housing").get(watch, query).status_code == 204  # one's own doing is no news
    assert client.get(watch, {"since": "nonsense"}).status_code == 204
    assert as_("water").get(watch, query).status_code == 404


def test_a_session_that_ended_leads_back_to_the_form(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    form, gone = act_url(case_id, "reply"), Client()
    assert gone.post(form, {"public_answer": "写了一半"}).headers["Location"].endswith(f"next={form.replace('/', '%2F')}")
    swapped = gone.post(form, {"public_answer": "写了一半"}, headers={"HX-Request": "true"})
    assert swapped.status_code == 204
    assert swapped.headers["HX-Redirect"].endswith(f"next={form.replace('/', '%2F')}")
    bulk = gone.post(reverse("desk:bulk", args=["mine"]), {}, headers={"Referer": "http://testserver/desk/board/mine/?due=today"})
    assert bulk.headers["Location"] == "/accounts/login/?next=%2Fdesk%2Fboard%2Fmine%2F%3Fdue%3Dtoday"
    foreign = gone.post(reverse("desk:bulk", args=["mine"]), {}, headers={"Referer": "https://evil.example/desk/"})
    assert foreign.headers["Location"] == "/accounts/login/?next=%2Fdesk%2F"
    pane = gone.get(case_url(case_id, "pane"), headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/board/mine/"})
    assert pane.headers["HX-Redirect"] == "/accounts/login/?next=%2Fdesk%2Fboard%2Fmine%2F"


def test_an_expired_form_keeps_the_words(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world)
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.staff["housing"], backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.post(act_url(case_id, "reply"), {"public_answer": "写了很久的答复"})
    assert page.status_code == 403
    assert "写了很久的答复" in page.content.decode()
    assert act_url(case_id, "reply") in page.content.decode()
    assert Case.objects.get(pk=case_id).state == State.IN_HAND


def test_next_never_leads_away(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = with_housing(world, signed=False)
    done = as_("housing").post(act_url(case_id, "sign"), {"submission": "1", "next": "https://evil.example/"})
    assert done.headers["Location"] == case_url(case_id)


def test_one_case_costs_few_queries(world: World, as_: SignIn, monday: Frozen,
                                    django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    case_id = with_housing(world)
    for _ in range(8):
        a.ask_colleague(world.on(case_id, "housing"), note="记一笔")
    client = as_("housing")
    client.get(case_url(case_id))
    with django_assert_max_num_queries(12):
        client.get(case_url(case_id))
    with django_assert_max_num_queries(6):
        client.get(case_url(case_id, "watch"), {"since": str(uuid7_floor(now()))})


def test_the_name_a_reporter_gave_is_blacked_out_of_what_is_proposed_to_be_public(world: World, as_: SignIn, monday: Frozen) -> None:
    """Sealed with the case, it is compared where it lies: nobody is shown it, so no reading is written down."""
    words = "王晓明 家门口的路灯坏了，王 晓明 报过两次，隔壁王晓东也报过。"
    case_id = world.accepted(words=words, name="王晓明", publication_title="王晓明家门口的路灯", publication_body=words)
    form = as_("reviewer").get(act_url(case_id, "clear_publication")).content.decode()
    proposed = form.split('name="title"')[1].split("</form>")[0]
    assert "■■■ 家门口的路灯坏了，■■■■ 报过两次，隔壁王晓东也报过。" in proposed
    assert 'value="■■■家门口的路灯"' in proposed
    assert not IdentityReading.objects.exists()
    for none in (world.accepted(words="王晓明家门口的路灯坏了。"), world.accepted(words="明天家门口的路灯能亮吗", name="明")):
        Case.objects.filter(pk=none).update(publication="requested")
        assert "■" not in as_("reviewer").get(act_url(none, "clear_publication")).content.decode()


def test_a_confidential_name_is_not_even_compared(world: World) -> None:
    case = Case.objects.get(pk=world.accepted(name="王晓明", confidential=True))
    assert without_name(case, "王晓明说的", black="■") == "王晓明说的"
    open_case = Case.objects.get(pk=world.accepted(name="O'Neill (x)"))
    assert without_name(open_case, "o'neill (X) came", black="■") == "■" * 11 + " came"
