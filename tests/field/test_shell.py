"""What the browser is given before any screen: small enough, of one version, checked, and nobody's name in it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lianxin.field import bundle, wording
from lianxin.fieldwork.models import Device
from tests.world import World

pytestmark = pytest.mark.django_db
BUDGET = 100_000  # bytes of our own script and style, compressed
JSON = "application/json"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    bundle.forget()
    yield
    bundle.forget()


@pytest.fixture
def world(db: None) -> World:
    return World.make()


def told(client: Client) -> dict[str, Any]:
    """What the service worker is told before its own script."""
    head = client.get("/field/sw.js").content.decode().split("\n", 1)[0]
    return dict(json.loads(head.removeprefix("const APP = ").removesuffix(";")))


def test_the_budget() -> None:
    own = {part.name: part.weight for part in bundle.current().parts.values() if part.own}
    worker = len(gzip.compress((bundle.OWN / bundle.WORKER).read_bytes(), 9))
    assert {"boot.js", "vault.js", "queue.js", "lianxin.css"} <= own.keys()
    assert sum(own.values()) + worker <= BUDGET, own


def test_everything_is_of_one_version_and_checked(client: Client) -> None:
    version = bundle.current().version
    app = told(client)
    assert app["version"] == version
    listed = dict(app["files"])
    assert listed.pop(reverse("field:manifest")) == ""
    for address, integrity in listed.items():
        answer = client.get(address, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, address
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        body = gzip.decompress(answer.content) if answer.get("Content-Encoding") == "gzip" else answer.content
        assert integrity == "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    shell = client.get("/field/").content.decode()
    for address in re.findall(r'(?:src|href)="([^"]+)"', shell):
        assert address in app["files"][-1] or address in listed, f"{address} is not on the telephone"


def test_every_import_is_on_the_telephone() -> None:
    """A module that is imported but not kept would be missed without a network."""
    parts = bundle.current().parts
    for part in parts.values():
        if not part.own or not part.name.endswith(".js"):
            continue
        for found in re.findall(r'(?:from|import)\s*\(?\s*"(\.[^"]+)"', part.body.decode()):
            folder = part.name.rpartition("/")[0].split("/") if "/" in part.name else []
            for step in found.split("/"):
                if step == "..":
                    folder.pop()
                elif step != ".":
                    folder.append(step)
            assert "/".join(folder) in parts, f"{part.name} imports {found}"


def test_a_change_anywhere_is_another_version(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before, files = bundle.current().version, bundle.own_files
    gone = f"/field/app/{before}/boot.js"
    assert client.get(gone).status_code == 200
    for name in ("boot.js", "sw.js", "icons/icon-192.png"):
        changed = files()
        monkeypatch.setattr(bundle, "own_files", lambda changed=changed, name=name: {**changed, name: changed[name] + b"\n"})
        bundle.forget()
        assert bundle.current().version != before
        assert client.get(gone).status_code == 404
        assert told(client)["version"] == bundle.current().version
    monkeypatch.setitem(wording.WORDS, "gate.name", "别的名字")
    monkeypatch.setattr(bundle, "own_files", files)
    bundle.forget()
    assert bundle.current().version != before


def test_strict_and_nobody_s(client: Client, world: World) -> None:
    client.force_login(world.staff["grid"], backend=BACKEND)
    page = client.get("/field/")
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    body = page.content.decode()
    assert "grid甲" not in body
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", body) == []
    assert Client().get("/field/").content == page.content, "the page is kept for whoever holds the telephone"
    assert "no-store" in page["Cache-Control"]


def test_installable(client: Client) -> None:
    manifest = client.get("/field/manifest.webmanifest").json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/field/", "/field/", "standalone")
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert any(icon["purpose"] == "maskable" for icon in manifest["icons"])
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).content.startswith(b"\x89PNG")


def test_who_is_signed_in(client: Client, world: World) -> None:
    assert client.get("/field/session").json() == {
        "signed_in": False, "id": None, "name": "", "sign_in": "/accounts/login/?next=/field/", "csrf": ""}
    client.force_login(world.staff["grid"], backend=BACKEND)
    known = client.get("/field/session").json()
    assert (known["signed_in"], known["name"]) == (True, "grid甲")
    assert known["csrf"]


def test_enrolling(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.staff["grid"], backend=BACKEND)
    csrf = client.get("/field/session").json()["csrf"]
    assert client.post("/field/enrol", {"name": "红米"}, content_type=JSON).status_code == 403
    answer = client.post("/field/enrol", {"name": "红米"}, content_type=JSON, headers={"x-csrftoken": csrf})
    assert answer.status_code == 201
    made, device = answer.json(), Device.objects.get()
    assert made["secret"].startswith("lxd_")
    assert (made["device_id"], device.name) == (str(device.pk), "红米")
    assert made["worker"] == {"id": world.staff["grid"].pk, "name": "grid甲"}
    assert made["secret"].encode() not in bytes(device.digest)
    assert not client.get("/field/session").json()["signed_in"], "whoever finds the telephone is not signed in to the desk"


@pytest.mark.parametrize(("body", "status"), [
    ({"name": " "}, 422), ({}, 422), ({"name": 7}, 422), ([], 422), ("x", 422),
])
def test_enrolling_with_what_is_none(client: Client, world: World, body: Any, status: int) -> None:
    client.force_login(world.staff["grid"], backend=BACKEND)
    answer = client.post("/field/enrol", json.dumps(body), content_type=JSON)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert client.post("/field/enrol", "{", content_type=JSON).status_code == 422
    assert not Device.objects.exists()


def test_only_grid_workers_enrol(client: Client, world: World) -> None:
    assert client.post("/field/enrol", {"name": "红米"}, content_type=JSON).status_code == 401
    client.force_login(world.staff["urban"], backend=BACKEND)
    answer = client.post("/field/enrol", {"name": "红米"}, content_type=JSON)
    assert answer.status_code == 403
    assert "网格员" in answer.json()["detail"]
    assert client.get("/field/session").json()["signed_in"]
    assert not Device.objects.exists()
