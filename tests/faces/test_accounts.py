"""Signing in: password, one-time codes, passkeys offered, the city's single sign-on, lock-out, sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from lianxin.organisations.models import Staff
from tests.world import World

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
PASSWORD = "桥头的路灯2026亮了"


@pytest.fixture
def person(world: World) -> Staff:
    cache.clear()
    found = world.staff["urban"]
    found.set_password(PASSWORD)
    found.save()
    return found


def sign_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": "urban", "password": password, **more})


def code_of(secret: str) -> str:
    """RFC 6238: six digits for this half minute."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_the_page_asks_for_two_things_and_offers_a_passkey(client: Client, person: Staff) -> None:
    page = client.get(LOGIN).content.decode()
    assert "工作人员登录" in page
    assert "用通行密钥登录" in page
    assert "/accounts/password/reset/" not in page
    assert "统一身份认证" not in page


def test_a_forgotten_password_is_a_matter_of_the_unit_and_nothing_is_mailed(client: Client, person: Staff) -> None:
    page = client.get("/accounts/password/reset/").content.decode()
    assert "系统管理员或负责人" in page
    assert "<input type=\"email\"" not in page
    assert client.post("/accounts/password/reset/", {"email": "someone@example.org"}).status_code == 405
    assert mail.outbox == []


def test_signing_in_leads_to_where_one_wanted_to_go(client: Client, person: Staff) -> None:
    assert sign_in(client, next="/desk/board/mine/?due=today").headers["Location"] == "/desk/board/mine/?due=today"
    other = Client()
    assert sign_in(other, next="https://evil.example/").headers["Location"] == "/desk/"


def test_a_wrong_password_is_told_with_the_name_kept_and_the_fifth_locks(client: Client, person: Staff) -> None:
    wrong = sign_in(client, "不对的密码")
    assert wrong.status_code == 200
    assert 'value="urban"' in wrong.content.decode()
    assert "不对的密码" not in wrong.content.decode()
    for _ in range(5):
        last = sign_in(client, "不对的密码")
    assert "lx-notice error" in last.content.decode()
    right = sign_in(Client())
    assert right.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_somebody_who_left_cannot_sign_in(client: Client, person: Staff) -> None:
    person.is_active = False
    person.save()
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_a_one_time_code_is_enrolled_and_then_asked_for(client: Client, person: Staff) -> None:
    sign_in(client)
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    if page.redirect_chain:  # enrolment asks for the password again when signing in is a while ago
        page = client.post(page.redirect_chain[-1][0], {"password": PASSWORD}, follow=True)
    secret = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', page.content.decode())
    assert secret
    wrong = client.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert "lx-error" in wrong.content.decode()
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret.group(1))}, follow=True)
    assert done.status_code == 200
    codes = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert "textarea" in codes

    second = Client()
    asked = sign_in(second, next="/desk/board/mine/")
    assert asked.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert second.get("/desk/board/mine/").status_code == 302
    cache.clear()
    recovery = re.search(r"<textarea[^>]*>([^<]+)</textarea>", codes)
    assert recovery
    through = second.post("/accounts/2fa/authenticate/", {"code": recovery.group(1).split()[0]})
    assert through.headers["Location"] == "/desk/board/mine/"
    assert second.get("/desk/board/mine/").status_code == 200


def test_other_devices_are_listed_and_signed_out(client: Client, person: Staff) -> None:
    other = Client(headers={"User-Agent": "值班室的电脑"})
    sign_in(other)
    other.get("/desk/board/mine/")
    sign_in(client)
    client.get("/desk/board/mine/")
    page = client.get("/accounts/sessions/").content.decode()
    assert "值班室的电脑" in page
    client.post("/accounts/sessions/")
    assert client.get("/desk/board/mine/").status_code == 200
    assert other.get("/desk/board/mine/").status_code == 302


def test_the_password_is_changed_by_whoever_knows_it(client: Client, person: Staff) -> None:
    sign_in(client)
    new = "花园社区的井盖2027"
    weak = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "12345", "password2": "12345"})
    assert "lx-error" in weak.content.decode()
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(new)
    assert client.get("/desk/board/mine/").status_code == 200


def test_nobody_makes_an_account_for_themselves(client: Client, person: Staff) -> None:
    client.post("/accounts/signup/", {"username": "mallory", "password1": PASSWORD, "password2": PASSWORD})
    assert not Staff.objects.filter(username="mallory").exists()


def test_single_sign_on_appears_when_the_city_has_set_it(client: Client, person: Staff, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [{
        "provider_id": "city", "name": "岳阳统一身份认证", "client_id": "lianxin", "secret": "s",
        "settings": {"server_url": "https://sso.example"},
    }]}}
    page = client.get(LOGIN).content.decode()
    assert "用岳阳统一身份认证登录" in page
    assert 'action="/accounts/oidc/city/login/?process=login"' in page
    assert 'method="post"' in page


@pytest.mark.parametrize("address", [
    "/accounts/2fa/", "/accounts/sessions/", "/accounts/password/change/", "/accounts/logout/",
    "/accounts/2fa/webauthn/", "/accounts/reauthenticate/",
])
def test_account_pages_wear_the_desks_dress_and_need_signing_in(client: Client, person: Staff, address: str) -> None:
    assert client.get(address).status_code == 302
    sign_in(client)
    page = client.get(address, follow=True)
    assert page.status_code == 200
    assert "desk/desk.css" in page.content.decode()
    assert "回到工作台" in page.content.decode()


@pytest.mark.parametrize(("agent", "words"), [
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0",
     "Edge · Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1", "Safari · iPhone"),
    ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 MicroMessenger/8.0", "WeChat · Android"),
    ("something else", "something else"),
])
def test_devices_signed_in_are_told_in_words(client: Client, person: Staff, agent: str, words: str) -> None:
    client.defaults["HTTP_USER_AGENT"] = agent
    sign_in(client)
    page = client.get("/accounts/sessions/").content.decode().partition("<main")[2]
    assert words in page
    assert "就是这台" in page
    assert "Mozilla" not in page
