"""A signed-in client for each member of staff of the small city."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.world import World

SignIn = Callable[[str], Client]


def forgotten(form: str, after: str) -> bool:
    """Whether the page `after` a form was taken tells the browser to drop what it kept of that form, under its own name."""
    done = re.findall('data-draft-done="([^"]+)"', after)
    return bool(done) and set(done) <= set(re.findall('data-draft="([^"]+)"', form))


@pytest.fixture
def as_(world: World) -> SignIn:
    """`as_("dispatcher")`: a client signed in as that person."""

    def sign_in(username: str) -> Client:
        client = Client()
        client.force_login(world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
