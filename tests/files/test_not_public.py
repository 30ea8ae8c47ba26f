"""No attachment is public: a case that everybody may read shows the words that were cleared, and no file at all."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import UUIDConverter

from lianxin.cases import actions as a
from lianxin.cases import files
from lianxin.cases.engine import On
from lianxin.cases.models import Attachment, Case
from lianxin.kernel.crypto import keyring
from lianxin.kernel.ids import tracking_code
from lianxin.organisations.actors import Actor, Kind, reporter_for
from tests.files import samples
from tests.portal.test_public import published
from tests.world import World

pytestmark = pytest.mark.django_db
READ_BY_ALL = ("portal:home", "portal:public", "portal:map", "portal:area_find", "portal:performance", "portal:listings", "portal:answers")


@pytest.fixture
def case(world: World) -> Case:
    """A published case with the reporter's photo, a photo that a unit gave for the reporter to see, and a document of the unit's."""
    found = published(world, category="010102")

    def kept(body: bytes, by: Actor) -> uuid.UUID:
        return files.store(file=io.BytesIO(body), name="现场实拍.jpg", size=len(body), by=by)[0].pk

    a.attach(On(found.pk, reporter_for(found.pk)), attachments=[kept(samples.photo(), Actor(kind=Kind.REPORTER, via="web"))])
    a.dispatch(world.on(found.pk, "dispatcher"), lead_unit="housing")
    a.sign(world.on(found.pk, "housing"))
    a.attach(world.on(found.pk, "housing"), attachments=[kept(samples.pdf(), world.actor("housing"))])
    shown = kept(samples.photo(size=(66, 48)), world.actor("housing"))
    a.attach(world.on(found.pk, "housing"), attachments=[shown])
    Attachment.objects.filter(pk=shown).update(public=True)
    assert Attachment.objects.filter(case=found).count() == 3
    return Case.objects.get(pk=found.pk)


def by_id(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every address of the whole site that takes one id and nothing else."""
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from by_id(one.url_patterns, route)
        elif route.count("<") == 1 and isinstance(next(iter(one.pattern.converters.values()), None), UUIDConverter):
            yield "/" + route[: route.index("<")] + "{}" + route[route.index(">") + 1 :]


def body_of(response: object) -> bytes:
    streamed = getattr(response, "streaming_content", None)
    return b"".join(streamed) if streamed is not None else response.content  # type: ignore[attr-defined]


def contents(case: Case) -> list[bytes]:
    return [files.open_file(one, thumbnail=small).read() for one in Attachment.objects.filter(case=case)
            for small in ((False, True) if one.thumbnail_sha256 else (False,))]


def test_pages_for_everybody_name_no_file(case: Case, client: Client) -> None:
    marks = [mark for one in Attachment.objects.filter(case=case)
             for mark in (str(one.pk), one.pk.hex, one.sha256, one.thumbnail_sha256, one.name) if mark]
    addresses = [reverse(name) for name in READ_BY_ALL] + [
        reverse("portal:public_case", args=[case.number]), "/api/v1/public/cases"]
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        body = body_of(response).decode()
        for mark in (*marks, "attachment", "现场实拍"):
            assert mark not in body, (address, mark)
    assert case.publication == "public", "it is the case of those pages"


def test_no_address_of_the_site_gives_a_file_to_somebody_unknown(case: Case, client: Client) -> None:
    """Every address that takes an id is tried with every file's: page, thumbnail, download, whatever comes to be added."""
    held, addresses = contents(case), sorted(set(by_id(get_resolver().url_patterns)))
    assert len(held) == 5
    assert {"/api/v1/attachments/{}", reverse("portal:file", args=[case.pk]).replace(str(case.pk), "{}"),
            reverse("desk:attachment", args=[case.pk]).replace(str(case.pk), "{}")} <= set(addresses)
    for one in Attachment.objects.filter(case=case):
        for address in addresses:
            for asked in ("", "?thumbnail=true", "?small"):
                response = client.get(address.format(one.pk) + asked)
                assert response.status_code in (302, 401, 403, 404, 405), (address, asked)
                assert body_of(response) not in held, (address, asked)


def test_who_may_read_the_public_case_has_no_key_to_its_files(world: World, case: Case, client: Client) -> None:
    """Neither the tracking code of another case, nor that this one is public, opens them; the reporter's own code opens theirs."""
    other = {"X-Tracking-Code": tracking_code(keyring().tracking, world.case())}
    own = {"X-Tracking-Code": tracking_code(keyring().tracking, case.pk)}
    statuses = []
    for one in Attachment.objects.filter(case=case).order_by("id"):
        assert client.get(f"/api/v1/attachments/{one.pk}", headers=other).status_code == 404
        statuses.append((one.by_reporter, one.public, client.get(f"/api/v1/attachments/{one.pk}", headers=own).status_code))
    assert sorted(statuses) == [(False, False, 404), (False, True, 200), (True, False, 200)]
