"""The hotline's list of independent looks, and their forms at the desk."""

from __future__ import annotations

import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from lianxin.cases.models import Case, Check, State
from lianxin.kernel.clock import Frozen
from tests.cases.ways import at_state, take
from tests.desk.conftest import SignIn
from tests.world import World

pytestmark = pytest.mark.django_db


def photo() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(out, "JPEG")
    return SimpleUploadedFile("现场.jpg", out.getvalue(), "image/jpeg")


@pytest.mark.parametrize(("name", "status"), [
    ("reviewer", 200), ("callback", 200), ("supervisor", 200), ("east_supervisor", 200), ("operator", 403), ("urban", 403),
    ("grid", 403), ("admin", 403)])
def test_who_reads_the_list(world: World, as_: SignIn, name: str, status: int) -> None:
    assert as_(name).get(reverse("desk:checks")).status_code == status


def test_the_list_says_what_was_seen_and_what_waits(world: World, as_: SignIn, monday: Frozen) -> None:
    unhandled, waiting, seen = (at_state(world, State.CALLBACK) for _each in range(3))
    for case_id, handled in ((unhandled, False), (waiting, None), (seen, True)):
        take(world, case_id, "ask_check")
        if handled is not None:
            take(world, case_id, "answer_check", handled=handled)
    monday.move(days=5)
    page = as_("supervisor").get(reverse("desk:checks")).content.decode()
    order = [page.index(str(pk)) for pk in (unhandled, waiting, seen)]
    assert order == sorted(order)
    assert page.count("没有办好</span>") == 1
    assert page.count("已超期") == 1
    far = as_("east_supervisor").get(reverse("desk:checks")).content.decode()
    assert str(unhandled) in far  # the county's
    take(world, unhandled, "reopen", by="supervisor")
    assert str(unhandled) not in as_("supervisor").get(reverse("desk:checks")).content.decode()
    monday.move(days=40)
    assert str(seen) not in as_("supervisor").get(reverse("desk:checks")).content.decode()


def test_asked_and_answered_at_the_desk(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id = at_state(world, State.REPLIED)
    url = reverse("desk:act", args=[case_id, "ask_check"])
    form = as_("reviewer").get(url).content.decode()
    assert "grid甲" in form
    assert as_("reviewer").post(url, {"note": "请看灯亮没亮。", "worker": "grid", "submission": "1"}).status_code == 302
    check = Check.objects.get()
    assert check.worker == world.staff["grid"]
    url = reverse("desk:act", args=[case_id, "answer_check"])
    missing = as_("grid").post(url, {"handled": "no", "submission": "2"})
    assert missing.status_code == 422
    assert as_("grid").post(url, {"handled": "no", "note": "还黑着。", "photos": photo(), "submission": "3"}).status_code == 302
    check.refresh_from_db()
    assert check.handled is False
    review = as_("reviewer").get(reverse("desk:case", args=[case_id])).content.decode()
    assert "没有办好" in review
    refused = as_("reviewer").post(reverse("desk:act", args=[case_id, "approve"]), {"submission": "4"})
    assert refused.status_code == 422
    assert "现场核查没有办好" in refused.content.decode()
    assert Case.objects.get(pk=case_id).state == State.REPLIED


def test_settled_at_the_desk_with_both_photos(world: World, as_: SignIn, monday: Frozen) -> None:
    case_id: uuid.UUID = at_state(world, State.REGISTERED, before="settle_on_the_spot")
    url = reverse("desk:act", args=[case_id, "settle_on_the_spot"])
    fields = {"public_answer": "已盖好。", "category": "010101", "submission": "1"}
    refused = as_("grid").post(url, fields)
    assert refused.status_code == 422
    assert "还差几项" in refused.content.decode()
    assert as_("grid").post(url, fields | {"photos": photo()}).status_code == 302
    page = as_("grid").get(reverse("desk:case", args=[case_id])).content.decode()
    assert "自行处置" in page
