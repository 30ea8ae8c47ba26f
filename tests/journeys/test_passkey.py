"""A passkey in a real browser: enrolled with a platform authenticator, used instead of the password, refused once the account is closed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from lianxin.organisations import accounts
from tests.browser import axe, new_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "桥头的路灯2026亮了"


def authenticator(page: Any) -> tuple[Any, str]:
    """Chromium's own virtual authenticator: a telephone or laptop that asks for a finger and gets it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True}})
    return session, made["authenticatorId"]


def test_a_passkey_is_enrolled_and_then_opens_the_desk(served: Any, browser: Any) -> None:
    cache.clear()
    person = served.world.staff["urban"]
    person.set_password(PASSWORD)
    person.save()
    page = new_page(browser)
    session, device = authenticator(page)
    page.goto(f"{served.url}/accounts/login/")
    page.fill("[name=login]", "urban")
    page.fill("[name=password]", PASSWORD)
    page.click("form.desk-card button.primary")
    page.wait_for_url("**/desk/**")

    page.goto(f"{served.url}/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/webauthn/add/**")
    assert axe(page) == []
    page.fill("[name=name]", "值班手机")
    page.check("[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    assert len(session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    page.goto(f"{served.url}/accounts/2fa/webauthn/")
    assert "值班手机" in page.inner_text("main")
    assert axe(page) == []

    page.goto(f"{served.url}/accounts/logout/")
    page.click("main button[type=submit]")
    page.goto(f"{served.url}/desk/board/mine/")
    assert "/accounts/login/" in page.url
    page.click("#passkey_login")
    page.wait_for_url("**/desk/**")
    assert "urban甲" in page.inner_text("header")
    assert page.faults == []

    accounts.deactivate(staff_id=person.pk, why="离职", by=served.world.actor("admin"))
    page.goto(f"{served.url}/accounts/login/")
    page.click("#passkey_login")
    page.locator("main").filter(has_text="停用").or_(page.locator(".error")).first.wait_for()
    page.goto(f"{served.url}/desk/")
    assert "/accounts/login/" in page.url
    page.context.close()
