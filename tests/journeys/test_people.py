"""人员 in a real browser: an account is made, closed with a reason and given back; every page accessible, narrow and wide."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.browser import axe, new_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (360, True)])
def test_an_account_is_made_closed_and_given_back(served: Any, browser: Any, width: int, dark: bool) -> None:
    client = Client()
    client.force_login(served.world.staff["admin"], backend="allauth.account.auth_backends.AuthenticationBackend")
    page = new_page(browser, width=width, dark=dark)
    page.context.add_cookies([{"name": name, "value": morsel.value, "url": served.url} for name, morsel in client.cookies.items()])

    def look(name: str) -> None:
        assert axe(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name

    page.goto(f"{served.url}/desk/office/")
    look("list")
    page.click("main .desk-head a")
    look("new")
    page.click("main form button.primary")
    page.wait_for_selector(".lx-error")
    look("faults")
    page.fill("[name=name]", "李新")
    page.fill("[name=username]", "lixin")
    page.fill("[name=unit]", "urban")
    page.check("[name=roles][value=clerk]")
    page.click("main form button.primary")
    page.wait_for_selector(".desk-secret")
    look("made")
    page.on("dialog", lambda dialog: dialog.accept())
    page.fill("[name=why]", "没有来报到")
    page.click("form[action$=deactivate\\/] button")
    page.wait_for_selector("form[action$=reactivate\\/]")
    look("closed")
    page.fill("[name=why]", "来报到了")
    page.click("form[action$=reactivate\\/] button")
    page.wait_for_selector("form[action$=deactivate\\/]")
    assert "来报到了" in page.inner_text("main")
    assert page.faults == []
    page.context.close()
