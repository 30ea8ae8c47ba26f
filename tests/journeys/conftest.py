"""Windows of people who are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.browser import new_page
from tests.journeys.hand import town
from tests.journeys.phone import Phone

Open = Callable[..., Any]


@pytest.fixture
def open_as(browser: Any, served: Any) -> Iterator[Open]:
    """`open_as("dispatcher", "/desk/")`: a page in a window of its own, signed in as that person; `None` signs nobody in."""
    contexts = []

    def open_page(username: str | None, path: str, **more: Any) -> Any:
        page = new_page(browser, **more)
        contexts.append(page.context)
        if username:
            client = Client()
            client.force_login(served.world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
            page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key,
                                       "url": served.url}])
        page.goto(served.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def telephone(browser: Any, served: Any) -> Iterator[Phone]:
    """A grid worker's own, enrolled, in a town with grids and a named place."""
    town(served.world)
    made = Phone.new(browser, served)
    yield made
    made.context.close()
