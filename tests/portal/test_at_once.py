"""The same sending several times in the same moment: an impatient thumb, a network that repeats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from lianxin.cases.models import Attachment, Case, EventText
from tests.portal.photos import photo
from tests.portal.way import form_of, send
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 4


def at_once(post: object) -> list[int]:
    start = Barrier(TIMES)

    def one(_turn: int) -> int:
        start.wait()
        try:
            return int(post().status_code)  # type: ignore[operator]
        finally:
            connection.close()

    with ThreadPoolExecutor(TIMES) as pool:
        return list(pool.map(one, range(TIMES)))


@pytest.fixture
def city(transactional_db: None) -> World:
    return World.make()


def test_one_case_whatever_arrives_together(city: World) -> None:
    body = photo()
    codes = at_once(lambda: send(Client(), phone="13812342201", files=SimpleUploadedFile("a.jpg", body)))
    assert codes == [302] * TIMES
    assert Case.objects.count() == 1
    assert Attachment.objects.filter(case__isnull=False).count() == 1


def test_one_addition_whatever_arrives_together(city: World) -> None:
    client = Client()
    send(client)
    values = form_of(client.get("/mine/add/")) | {"words": "又黑了"}

    def again() -> object:
        other = Client()
        other.cookies = client.cookies.copy()
        return other.post("/mine/add/", values)

    assert at_once(again) == [302] * TIMES
    assert EventText.objects.filter(body="又黑了").count() == 1
