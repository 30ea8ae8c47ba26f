"""Files as the desk hands them out: photos shown, everything else saved, nothing ever read as a page."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.cases import files
from lianxin.cases.models import Attachment
from lianxin.organisations.actors import Actor, Kind
from tests.files import samples
from tests.world import World

pytestmark = pytest.mark.django_db


def given(world: World, body: bytes, name: str) -> Attachment:
    held, _offered = files.store(file=io.BytesIO(body), name=name, size=len(body), by=world.actor("operator"))
    Attachment.objects.filter(pk=held.pk).update(case_id=world.accepted())
    return held


@pytest.mark.parametrize("name", ["photo", *samples.MEDIA])
def test_no_file_is_ever_a_page(name: str, world: World, client: Client) -> None:
    body = samples.photo() if name == "photo" else samples.MEDIA[name][0]()
    held = given(world, body, '"><script>alert(1)</script>.html')
    client.force_login(world.staff["operator"])
    response: Any = client.get(reverse("desk:attachment", args=[held.pk]))
    assert response.status_code == 200
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "html" not in response["Content-Type"]
    assert "svg" not in response["Content-Type"]
    assert response["Content-Type"].split(";")[0] == held.content_type
    disposition = response["Content-Disposition"]
    assert disposition.startswith("inline" if name == "photo" else "attachment")
    assert "<script>" not in disposition or '\\"' in disposition
    assert b"".join(response.streaming_content) == files.open_file(held).read()


@pytest.mark.parametrize("name", ["photo", *samples.MEDIA])
def test_nor_on_the_residents_page(name: str, world: World, client: Client) -> None:
    from django.http import HttpResponse

    from lianxin.portal.access import cookie_name, remember

    body = samples.photo() if name == "photo" else samples.MEDIA[name][0]()
    held, _offered = files.store(file=io.BytesIO(body), name="<b>.html", size=len(body),
                                 by=Actor(kind=Kind.REPORTER, via="web"))
    case_id = world.accepted()
    Attachment.objects.filter(pk=held.pk).update(case_id=case_id)
    assert client.get(reverse("portal:file", args=[held.pk])).status_code != 200, "only with the case open"
    opened = HttpResponse()
    remember(opened, case_id)
    client.cookies[cookie_name()] = opened.cookies[cookie_name()].value
    response: Any = client.get(reverse("portal:file", args=[held.pk]))
    assert response.status_code == 200
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"].split(";")[0] == held.content_type
    assert response["Content-Disposition"].startswith("inline" if name == "photo" else "attachment")
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_file_the_storage_has_lost_is_not_found(world: World, client: Client, disk: Any) -> None:
    held = given(world, samples.pdf(), "a.pdf")
    (disk / files.path_of(held.sha256)).unlink()
    client.force_login(world.staff["operator"])
    assert client.get(reverse("desk:attachment", args=[held.pk])).status_code == 404


@pytest.mark.parametrize("body", [
    pytest.param(b"", id="empty"), pytest.param(b"<svg onload=alert(1)>", id="svg"),
    pytest.param(samples.png_bomb(), id="bomb"), pytest.param(samples.photo()[:100], id="cut"),
])
def test_a_hostile_upload_to_the_desk_is_said_and_not_kept(body: bytes, world: World, client: Client, disk: Any) -> None:
    case_id = world.accepted()
    client.force_login(world.staff["operator"])
    response = client.post(reverse("desk:attach", args=[case_id]), {"photos": io.BytesIO(body)}, follow=True)
    assert response.status_code == 200
    assert not Attachment.objects.exists()
    assert not [path for path in disk.rglob("*") if path.is_file()]
