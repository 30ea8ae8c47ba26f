"""巡查 at the desk: who gets there, what is shown, the file of answers, the sheet of codes."""

from __future__ import annotations

import csv
import io
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from lianxin.cases.files import store
from lianxin.kernel.clock import Frozen, now
from lianxin.patrols.codes import letters_of
from lianxin.patrols.models import CheckIn, Form, FormVersion, Inspection, InspectionPhoto
from lianxin.places.models import Site
from tests.desk.conftest import SignIn
from tests.files import samples
from tests.patrols.made import SURVEY, round_of, sites, text_of, version
from tests.world import World

pytestmark = pytest.mark.django_db
PAGES = ("rounds", "inspections", "forms", "site_codes")
ANSWERS = {"clear": "no", "by": ["goods", "bikes"], "photo": 1, "missing": 12, "note": "张三家门口\n堆满了"}


@pytest.fixture
def made(world: World, monday: Frozen, tmp_path: Path, settings: Any) -> Inspection:
    """An inspection of the school with a photo, a round over three places."""
    settings.MEDIA_ROOT = tmp_path
    sites(world)
    form = version()
    round_of(world, form.form)
    row = Inspection.objects.create(pk=uuid.uuid4(), version=form, site=Site.objects.get(code="school"), staff=world.staff["grid"],
                                    at=now(), answers=ANSWERS)
    photo, _offered = store(file=io.BytesIO(samples.photo()), name="a.jpg", size=1, by=world.actor("grid"))
    InspectionPhoto.objects.create(inspection=row, question="photo", attachment=photo)
    return row


@pytest.mark.parametrize("page", PAGES)
def test_who_gets_there(world: World, made: Inspection, as_: SignIn, page: str) -> None:
    address = reverse(f"desk:{page}")
    for username in ("supervisor", "leader", "admin", "east_supervisor"):
        assert as_(username).get(address).status_code == 200, username
    for username in ("operator", "dispatcher", "urban", "urban_head", "grid", "callback"):
        assert as_(username).get(address).status_code == 403, username


@pytest.mark.parametrize("page", PAGES)
def test_before_anything_is_there(world: World, monday: Frozen, as_: SignIn, page: str) -> None:
    shown = as_("supervisor").get(reverse(f"desk:{page}")).content.decode()
    assert "lx-empty" in shown


def test_what_falls_due_by_place(world: World, made: Inspection, as_: SignIn, monday: Frozen) -> None:
    monday.move(days=1)
    shown = as_("supervisor").get(reverse("desk:rounds")).content.decode()
    assert [shown.index(name) for name in ("西县市场", "花园社区", "花园小学")] == sorted(
        shown.index(name) for name in ("西县市场", "花园社区", "花园小学"))
    assert "还没去过" in shown
    assert "grid甲" not in shown
    late = as_("supervisor").get(reverse("desk:rounds"), {"standing": "overdue", "round": "exits_weekly"}).content.decode()
    assert "西县市场" in late
    assert "花园小学" not in late
    assert "没有符合条件的地方" in as_("supervisor").get(reverse("desk:rounds"), {"standing": "soon"}).content.decode()
    assert as_("supervisor").get(reverse("desk:rounds"), {"standing": "?", "round": "?"}).status_code == 200
    east = as_("east_supervisor").get(reverse("desk:rounds")).content.decode()
    assert "花园小学" in east
    assert "西县市场" not in east


def test_one_inspection_with_its_photo(world: World, made: Inspection, as_: SignIn) -> None:
    supervisor = as_("supervisor")
    shown = supervisor.get(reverse("desk:inspection", args=[made.pk])).content.decode()
    for said in ("消防通道", "花园小学", "堵塞情况", "杂物、电动车", "12", "张三家门口", "通道堵塞", "灭火器缺得多"):
        assert said in shown, said
    assert "最窄多少米" not in shown, "it was not answered"
    assert "grid甲" not in shown
    small = supervisor.get(reverse("desk:inspection_photo_small", args=[made.pk, "photo"]))
    assert (small.status_code, small["Content-Type"]) == (200, "image/jpeg")
    assert supervisor.get(reverse("desk:inspection_photo", args=[made.pk, "photo"])).status_code == 200
    assert supervisor.get(reverse("desk:inspection_photo", args=[made.pk, "rack"])).status_code == 404
    assert supervisor.get(reverse("desk:inspection", args=[uuid.uuid4()])).status_code == 404
    Inspection.objects.update(site=Site.objects.get(code="market"))
    assert as_("east_supervisor").get(reverse("desk:inspection", args=[made.pk])).status_code == 404
    assert as_("east_supervisor").get(reverse("desk:inspection_photo", args=[made.pk, "photo"])).status_code == 404


def test_the_list_narrows(world: World, made: Inspection, as_: SignIn) -> None:
    supervisor, address = as_("supervisor"), reverse("desk:inspections")
    assert reverse("desk:inspection", args=[made.pk]) in supervisor.get(address, {"form": "exits", "place": "school"}).content.decode()
    assert "没有符合条件的检查" in supervisor.get(address, {"place": "market"}).content.decode()
    assert supervisor.get(address, {"form": "?", "after": "x"}).status_code == 200
    assert supervisor.get(address, {"place": "\x00"}).status_code == 400


def test_that_somebody_was_there(world: World, made: Inspection, as_: SignIn) -> None:
    for code in ("school", "market"):
        CheckIn.objects.create(pk=uuid.uuid4(), staff=world.staff["grid"], site=Site.objects.get(code=code), how="qr", at=now())
    shown = as_("east_supervisor").get(reverse("desk:inspections"), {"place": "school"}).content.decode()
    assert "在这里打过卡" in shown
    assert "扫码" in shown
    assert "grid甲" not in shown
    assert "在这里打过卡" not in as_("east_supervisor").get(reverse("desk:inspections"), {"place": "market"}).content.decode()
    assert "在这里打过卡" not in as_("supervisor").get(reverse("desk:inspections")).content.decode()


def test_the_file_of_answers(world: World, made: Inspection, as_: SignIn) -> None:
    answer = as_("supervisor").get(reverse("desk:answers_file"), {"form": "exits"})
    assert answer["Content-Disposition"] == 'attachment; filename="exits-2026-08-25-2026-11-23.csv"'
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 2
    assert dict(zip(*rows, strict=True))["被什么堵了？"] == "杂物、电动车"
    assert "张三" not in text
    assert "grid" not in text
    later = as_("supervisor").get(reverse("desk:answers_file"), {"form": "exits", "since": "2026-11-24"})
    assert len(later.content.decode().splitlines()) == 1
    assert as_("supervisor").get(reverse("desk:answers_file"), {"form": "other"}).status_code == 404
    assert as_("operator").get(reverse("desk:answers_file"), {"form": "exits"}).status_code == 403


def test_a_form_and_its_versions(world: World, made: Inspection, as_: SignIn) -> None:
    version(2, text_of(survey=(*SURVEY[:6], "text,other,另外呢？,What else?,,no,,,"), reports=("name,when,label,words,category",)))
    supervisor, address = as_("supervisor"), reverse("desk:form", args=["exits"])
    assert "另外呢？" in supervisor.get(address).content.decode()
    old = supervisor.get(address, {"version": "1"}).content.decode()
    assert "另外呢？" not in old
    assert "这是以前的版本" in old
    assert "通道堵塞" in old
    assert "填 0 到 50 的整数" in old
    for gone in ({"version": "3"},):
        assert supervisor.get(address, gone).status_code == 404
    assert supervisor.get(reverse("desk:form", args=["other"])).status_code == 404
    Form.objects.update(active=False)
    assert supervisor.get(address).status_code == 200, "answers of it can still be read"
    assert "lx-empty" in supervisor.get(reverse("desk:forms")).content.decode()
    assert FormVersion.objects.count() == 2


def test_the_sheet_of_codes(world: World, made: Inspection, as_: SignIn) -> None:
    Site.objects.create(code="far", name="没有巡查的公园", kind="park", area=world.areas["990101001"], lon=113.1, lat=29.1)
    supervisor, address = as_("supervisor"), reverse("desk:site_codes")
    listed = supervisor.get(address).content.decode()
    assert "花园小学" in listed
    assert "没有巡查的公园" not in listed
    assert "没有巡查的公园" in supervisor.get(address, {"every": "1"}).content.decode()
    assert "没有符合条件的地点" in supervisor.get(address, {"kind": "park"}).content.decode()
    sheet = supervisor.get(address, {"print": "1"}).content.decode()
    assert len(re.findall('<li class="plate">', sheet)) == sheet.count("<svg") == 2
    assert letters_of("school") in sheet
    assert " style=" not in sheet
    one = supervisor.get(address, {"print": "1", "site": "far", "every": "1"}).content.decode()
    assert one.count("<svg") == 1
    east = as_("east_supervisor").get(address, {"print": "1", "every": "1"}).content.decode()
    assert letters_of("market") not in east
