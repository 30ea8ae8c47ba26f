"""Check-ins and inspections as telephones send them: done once, judged by the version they were filled in with."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lianxin.cases.models import Attachment, Case
from lianxin.fieldwork import uploads
from lianxin.fieldwork.inbox import Result
from lianxin.kernel.clock import Frozen, now
from lianxin.patrols.codes import letters_of, qr_of
from lianxin.patrols.models import CheckIn, Form, Inspection, InspectionPhoto
from lianxin.places.models import Site
from tests.fieldwork.phones import Phone, codes, item, statuses
from tests.patrols.made import CHOICES, GOOD, REPORTS, SURVEY, sites, text_of, version
from tests.world import World

pytestmark = pytest.mark.django_db
BLOCKED: dict[str, Any] = {"clear": "no", "by": ["goods"], "photo": 1, "missing": 0}


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def phone(world: World, monday: Frozen) -> Phone:
    sites(world)
    return Phone.of(world)


def one(results: list[Result]) -> Result:
    assert len(results) == 1
    return results[0]


def refused(result: Result, *fields: str) -> dict[str, str]:
    """The words at the named fields, which are all that are at fault."""
    assert result.status == "refused", result
    assert result.problem is not None
    assert sorted(result.problem["fields"]) == sorted(fields), result.problem
    return dict(result.problem["fields"])


def photo(phone: Phone, colour: int = 0) -> str:
    """A photo that has come whole. Returns the upload's id."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (colour, 90, 90)).save(out, "JPEG")
    body, pk = out.getvalue(), uuid.uuid4()
    uploads.begin(phone.worker, upload_id=pk, size=len(body), name="photo.jpg")
    uploads.append(phone.worker, upload_id=pk, offset=0, read=io.BytesIO(body).read, length=len(body))
    return str(pk)


def filled(answers: dict[str, Any], *photos: str, **more: Any) -> dict[str, Any]:
    body = {"form": "exits", "form_version": 1, "site": "school", "answers": answers} | more
    return item("inspection", body, files=[{"id": one, "role": "proof"} for one in photos])


def test_a_check_in_at_a_site_keeps_no_position(phone: Phone, monday: Frozen) -> None:
    monday.move(minutes=10)
    said = item("check_in", {"how": "button", "site": "school", "lon": 113.1, "lat": 29.1, "accuracy": 12.4},
                made_at=now() - timedelta(minutes=5))
    result = one(phone.push(said))
    assert result.answer["site"] == {"code": "school", "name": "花园小学"}
    row = CheckIn.objects.get()
    assert (str(row.pk), row.site.code, row.lon, row.lat, row.accuracy, row.how) == (said["id"], "school", None, None, None, "button")  # type: ignore[union-attr]
    assert row.at == now() - timedelta(minutes=5)
    assert one(phone.push(said)).answer == result.answer
    assert CheckIn.objects.count() == 1


def test_a_check_in_where_there_is_no_site(phone: Phone) -> None:
    assert statuses(phone.push(item("check_in", {"how": "button", "lon": 113.2, "lat": 29.2, "accuracy": 12.4}))) == ["accepted"]
    row = CheckIn.objects.get()
    assert (row.site, row.lon, row.lat, row.accuracy) == (None, 113.2, 29.2, 12)


@pytest.mark.parametrize("said", [qr_of, letters_of, lambda code: letters_of(code).lower().replace("-", " ")])
def test_a_code_says_which_site(phone: Phone, said: Any) -> None:
    assert one(phone.push(item("check_in", {"how": "qr", "code": said("school")}))).answer["site"]["code"] == "school"
    assert CheckIn.objects.get().how == "qr"


@pytest.mark.parametrize(("body", "field"), [
    ({"how": "button"}, "site"), ({"how": "button", "lon": 113.1}, "site"), ({"how": "button", "site": "nowhere"}, "site"),
    ({"how": "qr"}, "code"), ({"how": "qr", "site": "school"}, "code"), ({"how": "qr", "code": "LX1:school:0000000000"}, "code"),
    ({"how": "qr", "code": "school"}, "code"), ({"how": "qr", "code": "https://example.cn/"}, "code"),
])
def test_a_check_in_that_cannot_be_taken(phone: Phone, body: dict[str, Any], field: str) -> None:
    refused(one(phone.push(item("check_in", body))), field)
    assert not CheckIn.objects.exists()


def test_a_copied_number_proves_no_other_site(phone: Phone) -> None:
    """The market's code with the school's number on it, and the school's code while the market was chosen."""
    letters = letters_of("market").replace("-", "")
    refused(one(phone.push(item("check_in", {"how": "qr", "code": f"LX1:school:{letters}"}))), "code")
    assert "花园小学" in str(one(phone.push(item("check_in", {"how": "qr", "site": "market", "code": qr_of("school")}))).problem)
    assert not CheckIn.objects.exists()


def test_an_inspection_with_a_condition_and_photos(phone: Phone) -> None:
    version()
    first, second = photo(phone, 10), photo(phone, 20)
    said = filled({**BLOCKED, "missing": 3, "rack": 2, "note": " 一处\u202e "}, first, second, task="exits_weekly:school")
    result = one(phone.push(said))
    assert result.status == "accepted", result
    row = Inspection.objects.get()
    assert (str(row.pk), row.site.code, row.area, row.case, row.version.number) == (said["id"], "school", None, None, 1)  # type: ignore[union-attr]
    assert row.answers == {"clear": "no", "by": ["goods"], "photo": 1, "missing": 3, "rack": 2, "note": "一处"}
    held = {one.question: str(one.attachment.pk) for one in InspectionPhoto.objects.select_related("attachment")}
    assert held.keys() == {"photo", "rack"}
    assert len(set(held.values())) == 2
    assert Case.objects.count() == 0, "a failed point is not reported by itself"
    assert one(phone.push(said)).answer == result.answer
    assert Inspection.objects.count() == 1


@pytest.mark.parametrize(("answers", "fields"), [
    ({}, ("clear", "missing")), ({"clear": "no", "missing": 0}, ("by", "photo")), ({**GOOD, "missing": 99}, ("missing",)),
    ({**GOOD, "rack": 1}, ("rack",)), ({**GOOD, "constructor": 1}, ("constructor",)),
])
def test_answers_that_do_not_fit_are_refused_by_name(phone: Phone, answers: dict[str, Any], fields: tuple[str, ...]) -> None:
    version()
    told = refused(one(phone.push(filled(answers))), *fields)
    if "missing" in answers and answers["missing"] == 99:
        assert told == {"missing": "“缺几个灭火器？”：填 0 到 50 的整数"}
    assert not Inspection.objects.exists()


def test_photos_belong_to_their_questions(phone: Phone) -> None:
    version()
    refused(one(phone.push(filled(BLOCKED))), "photo")
    refused(one(phone.push(filled({**BLOCKED, "photo": 2}, photo(phone)))), "photo")
    refused(one(phone.push(filled({**BLOCKED, "missing": 5, "rack": 1}, photo(phone)))), "rack")
    assert not Inspection.objects.exists()


def test_one_place_and_one_only(phone: Phone, world: World) -> None:
    version()
    for place in ({"site": ""}, {"area": "990101001001"}, {"site": "nowhere"}):
        refused(one(phone.push(filled(GOOD, **place))), "site")
    refused(one(phone.push(filled(GOOD, site="", area="nowhere"))), "area")
    assert one(phone.push(filled(GOOD, site="", area="990101001001"))).status == "accepted"
    assert Inspection.objects.get().area == world.areas["990101001001"]


def test_an_older_version_is_judged_as_it_was(phone: Phone) -> None:
    version()
    version(2, text_of(survey=(SURVEY[0],), choices=CHOICES, reports=REPORTS[:1]))
    assert one(phone.push(filled({"clear": "yes"}, form_version=2))).status == "accepted"
    refused(one(phone.push(filled({"clear": "yes"}))), "missing")
    assert one(phone.push(filled(GOOD))).status == "accepted"
    Form.objects.update(active=False)
    assert one(phone.push(filled(GOOD))).status == "accepted", "a telephone may have been away while the form was taken out"
    assert codes(phone.push(filled(GOOD, form_version=3), filled(GOOD, form="other"))) == ["form_unknown", "form_unknown"]


def test_a_failed_point_becomes_a_case_where_the_worker_wants_it(phone: Phone, world: World) -> None:
    version()
    result = one(phone.push(filled(BLOCKED, photo(phone), report={"rule": "way_blocked", "words": "二楼楼道堆满了。"})))
    assert result.status == "accepted", result
    case = Case.objects.get()
    assert (case.words, case.channel, case.category.code, case.place_text) == ("二楼楼道堆满了。", "field", "010101", "花园小学")  # type: ignore[union-attr]
    assert (case.area.code, case.registered_by) == ("990101001001", world.staff["grid"])  # type: ignore[union-attr]
    assert Inspection.objects.get().case == case
    assert result.answer["number"] == case.number
    assert Attachment.objects.get().case_id == case.pk
    result = one(phone.push(filled(BLOCKED, photo(phone), report={"rule": "way_blocked"}, site="", area="990101001001")))
    assert Case.objects.get(number=result.answer["number"]).words == "巡查发现通道被堵。"


@pytest.mark.parametrize("rule", ["none_left", "nothing"])
def test_only_what_failed_can_be_reported(phone: Phone, rule: str) -> None:
    version()
    refused(one(phone.push(filled(BLOCKED, photo(phone), report={"rule": rule}))), "report")
    assert Case.objects.count() == Inspection.objects.count() == 0, "neither, for it is one transaction"


def test_a_site_that_is_gone_takes_nothing_new(phone: Phone) -> None:
    version()
    Site.objects.filter(code="school").update(active=False)
    refused(one(phone.push(filled(GOOD))), "site")
    refused(one(phone.push(item("check_in", {"how": "qr", "code": qr_of("school")}))), "code")
