"""Files of residents: typed by content, stripped, bounded, and nobody else's."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from lianxin.cases import files
from lianxin.cases.models import Attachment, Case
from tests.portal.photos import photo
from tests.portal.way import KEY, form_of, said, send, step
from tests.world import World

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def upload(client: Client, body: bytes, *, name: str = "现场.jpg", submission: str = KEY) -> dict[str, str]:
    answer = client.post("/say/upload/", {"submission": submission, "files": SimpleUploadedFile(name, body), "offers": "1"},
                         headers=JSON)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def token_in(html: str) -> str:
    return html.split('name="upload" value="')[1].split('"')[0]


def test_a_photo_goes_with_the_case_and_says_nothing_of_itself(world: World, client: Client) -> None:
    token = token_in(upload(client, photo(lon=113.1, lat=29.1, taken="2026:11:20 14:30:00"))["html"])
    assert send(client, upload=token).status_code == 302
    attachment = Attachment.objects.get()
    assert attachment.case == Case.objects.get()
    with files.open_file(attachment) as stored, Image.open(stored) as image:
        assert not image.getexif()
    assert Case.objects.get().lon is None  # offered, not taken
    assert client.get(f"/mine/file/{attachment.pk}/?small").status_code == 200
    whole = client.get(f"/mine/file/{attachment.pk}/")
    assert "sandbox" in whole["Content-Security-Policy"]
    assert whole["X-Content-Type-Options"] == "nosniff"


def test_place_and_time_are_offered_and_used_when_wished(world: World, client: Client) -> None:
    html = upload(client, photo(lon=113.1, lat=29.1, taken="2026:11:20 14:30:00"))["html"]
    assert "花园社区" in html
    assert "2026-11-20 14:30" in html
    key = html.split('data-file="')[1].split('"')[0]
    assert send(client, upload=token_in(html), use_place=key, use_time=key).status_code == 302
    case = Case.objects.get()
    assert case.lon == pytest.approx(113.1)
    assert "照片拍于 2026-11-20 14:30" in case.words


def test_a_photo_from_elsewhere_offers_no_place(world: World, client: Client) -> None:
    assert "用它作地点" not in upload(client, photo(lon=116.4, lat=39.9))["html"]


def test_without_javascript_the_photo_comes_with_the_form_and_its_place_is_asked_for_once(world: World, client: Client) -> None:
    page = send(client, files=SimpleUploadedFile("a.jpg", photo(lon=113.1, lat=29.1)))
    assert page.status_code == 200
    assert "用它作地点" in said(page)
    key = page.content.decode().split('data-file="')[1].split('"')[0]
    assert step(client, page, "submit", use_place=key).status_code == 302
    case = Case.objects.get()
    assert (case.attachments.count(), round(case.lon or 0, 4)) == (1, 113.1)


def test_the_same_post_with_a_file_three_times_is_one_case(world: World, client: Client) -> None:
    for _again in range(3):
        assert send(client, files=SimpleUploadedFile("a.jpg", photo())).status_code == 302
    assert Case.objects.count() == 1
    assert Attachment.objects.count() == 1


def test_nobody_claims_another_forms_upload(world: World, client: Client) -> None:
    token = token_in(upload(client, photo())["html"])
    page = send(Client(), submission="o" * 32, upload=token)
    assert page.status_code == 422
    assert "重新添加" in said(page)
    assert Attachment.objects.get().case is None


def test_another_case_does_not_open_the_file(world: World, client: Client) -> None:
    send(client, upload=token_in(upload(client, photo())["html"]))
    other = Client()
    send(other, submission="o" * 32)
    pk = Attachment.objects.get().pk
    assert other.get(f"/mine/file/{pk}/").status_code == 404
    assert Client().get(f"/mine/file/{pk}/").status_code == 404


@pytest.mark.parametrize(("name", "body"), [
    ("virus.jpg", b"MZ\x90\x00" + b"\x00" * 200), ("page.jpg", b"<html><script>alert(1)</script></html>"),
    ("empty.jpg", b""), ("cut.jpg", photo()[:120]), ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
])
def test_files_that_are_no_good_leave_the_rest_alone(world: World, client: Client, name: str, body: bytes) -> None:
    one = client.post("/say/upload/", {"submission": KEY, "files": SimpleUploadedFile(name, body)}, headers=JSON)
    assert one.status_code == 422
    assert one.json()["detail"]
    page = client.post("/say/", {
        "submission": KEY, "words": "路灯坏了", "phone": "13812342201", "step": "send", "go": "submit",
        "files": [SimpleUploadedFile(name, body or b"\x00"), SimpleUploadedFile("good.jpg", photo())],
    })
    assert page.status_code == 422
    assert name in said(page)
    kept = form_of(page, action="/say/")
    assert len(kept["upload"]) == 1  # the good one stays
    assert kept["phone"] == "13812342201"
    assert step(client, page, "submit").status_code == 302


def test_a_name_is_only_a_name(world: World, client: Client) -> None:
    made = upload(client, photo(), name='..\\..\\<b onload="x">.jpg')
    assert "<b onload" not in made["html"]
    assert "/" not in Attachment.objects.get().name


def test_too_large_is_said_so(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.LIMITS, Attachment.MediaKind.PHOTO, 100)
    answer = client.post("/say/upload/", {"submission": KEY, "files": SimpleUploadedFile("a.jpg", photo())}, headers=JSON)
    assert answer.status_code == 413
    assert "20 MB" in answer.json()["detail"]


def test_no_more_than_so_many(world: World, client: Client) -> None:
    for shade in range(files.FILES_PER_CASE):
        upload(client, photo(shade=shade * 15))
    answer = client.post("/say/upload/", {"submission": KEY, "files": SimpleUploadedFile("z.jpg", photo(shade=250))}, headers=JSON)
    assert answer.status_code == 422


def test_taking_a_file_out_again_without_javascript(world: World, client: Client) -> None:
    page = client.post("/say/", {"submission": KEY, "words": "路灯", "step": "send", "go": "send",
                                 "files": SimpleUploadedFile("a.jpg", photo())})
    key = page.content.decode().split('data-file="')[1].split('"')[0]
    values = form_of(page, action="/say/") | {"drop": key}
    page = client.post("/say/", values)
    assert "upload" not in form_of(page, action="/say/")
    assert 'data-step="send" class="now"' in page.content.decode()


def test_the_small_picture_needs_its_token(world: World, client: Client) -> None:
    html = upload(client, photo())["html"]
    small = client.get(html.split('src="')[1].split('"')[0])
    assert small["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(b"".join(small.streaming_content))).size == (64, 48)
    assert client.get("/say/thumbnail/forged/").status_code == 404


def test_asking_without_a_file(world: World, client: Client) -> None:
    assert client.post("/say/upload/", {"submission": KEY}, headers=JSON).status_code == 422
    assert client.get("/say/upload/").status_code == 405


def test_a_file_that_is_gone_is_said_so_and_does_not_stand_in_the_way(world: World, client: Client) -> None:
    token = token_in(upload(client, photo())["html"])
    Attachment.objects.all().delete()
    page = send(client, upload=token)
    assert page.status_code == 422
    assert "重新添加" in said(page)
    assert step(client, page, "submit").status_code == 302
    case = Case.objects.get()
    assert case.attachments.count() == 0
    page = client.post("/mine/add/", form_of(client.get("/mine/add/")) | {"words": "还有一张", "upload": token})
    assert page.status_code == 422
    assert client.post("/mine/add/", form_of(page)).status_code == 302
