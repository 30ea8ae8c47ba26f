"""Single sign-on from end to end, against an OpenID provider of a few lines: discovery, code with PKCE, id_token, user info."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client

from lianxin.organisations import accounts
from lianxin.organisations.models import Staff
from tests.world import World

pytestmark = pytest.mark.django_db
CLIENT, SECRET = "lianxin", "a secret of the provider"
BACK = "http://testserver/accounts/oidc/city/login/callback/"


@dataclass
class Provider:
    """What the provider vouches for, and what it saw."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "4711", "preferred_username": "urban"})
    token: dict[str, Any] = field(default_factory=dict)  # claims of the id_token that differ
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    broken: str = ""  # the path that answers 500

    def authorise(self, address: str) -> str:
        """The person agrees at the provider's page; returns the address to which the browser is sent back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["redirect_uri"] == BACK
        assert set(asked["scope"].split()) == {"openid", "profile", "email"}
        assert asked["code_challenge_method"] == "S256"
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}"

    def answer(self, path: str, form: dict[str, str], bearer: str) -> tuple[int, dict[str, Any]]:
        self.seen.append(path)
        if path == self.broken:
            return 500, {}
        if path == "/realm/.well-known/openid-configuration":
            base = f"{self.address}/realm"
            return 200, {"issuer": base, "authorization_endpoint": f"{base}/auth", "token_endpoint": f"{base}/token",
                         "userinfo_endpoint": f"{base}/userinfo", "jwks_uri": f"{base}/keys",
                         "token_endpoint_auth_methods_supported": ["client_secret_post"]}
        if path == "/realm/token":
            asked = self.codes.pop(form.get("code", ""), None)
            challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if asked is None or form.get("client_secret") != SECRET or asked["code_challenge"] != challenge.decode().rstrip("="):
                return 400, {"error": "invalid_grant"}
            claims = {"iss": f"{self.address}/realm", "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 300}
            signed = jwt.encode(claims | self.claims | self.token, self.key, algorithm="RS256", headers={"kid": "k1"})
            return 200, {"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": signed}
        if path == "/realm/userinfo":
            return (200, self.claims) if bearer == "Bearer access" else (401, {})
        if path == "/realm/keys":
            return 200, {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "k1"}]}
        return 404, {}


@pytest.fixture
def provider(world: World, settings: Any) -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, answer = made.answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
            told = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET

        def log_message(self, *_words: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [{
        "provider_id": "city", "name": "岳阳统一身份认证", "client_id": CLIENT, "secret": SECRET,
        "settings": {"server_url": f"{made.address}/realm"},
    }]}}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    cache.clear()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def start(client: Client) -> Any:
    return client.post("/accounts/oidc/city/login/?process=login&next=/desk/board/mine/")


def sign_on(provider: Provider, client: Client) -> Any:
    sent = start(client)
    assert sent.status_code == 302, sent.content.decode()
    return client.get(provider.authorise(sent.headers["Location"]))


def signed_in_as(client: Client) -> str:
    pk = client.session.get("_auth_user_id")
    return Staff.objects.get(pk=pk).username if pk else ""


def test_staff_come_in_by_the_name_that_the_provider_vouches_for(provider: Provider) -> None:
    people = Staff.objects.count()
    client = Client()
    landed = sign_on(provider, client)
    assert landed.status_code == 302
    assert landed.headers["Location"] == "/desk/board/mine/"
    assert signed_in_as(client) == "urban"
    assert client.get("/desk/board/mine/").status_code == 200
    assert {"/realm/.well-known/openid-configuration", "/realm/token", "/realm/userinfo"} <= set(provider.seen)
    assert SocialAccount.objects.get().user.username == "urban"
    again = Client()
    sign_on(provider, again)
    assert signed_in_as(again) == "urban"
    assert SocialAccount.objects.count() == 1
    assert Staff.objects.count() == people


@pytest.mark.parametrize("claims", [
    {"sub": "1", "preferred_username": "mallory"}, {"sub": "1"}, {"sub": "1", "preferred_username": ""},
    {"sub": "1", "preferred_username": "URBAN"}, {"sub": "1", "preferred_username": ["urban"]},
    {"sub": "1", "preferred_username": "mallory", "email": "urban@example.cn", "email_verified": True},
])
def test_whom_nobody_here_knows_is_told_whom_to_ask_and_no_account_is_made(provider: Provider, claims: dict[str, Any]) -> None:
    Staff.objects.filter(username="urban").update(email="urban@example.cn")
    people = Staff.objects.count()
    provider.claims = claims
    client = Client()
    refused = sign_on(provider, client)
    assert refused.status_code == 403
    assert "在这里没有登记" in refused.content.decode()
    assert signed_in_as(client) == ""
    assert (Staff.objects.count(), SocialAccount.objects.count()) == (people, 0)
    client.post("/accounts/3rdparty/signup/", {"username": "mallory"})
    assert Staff.objects.count() == people


def test_a_closed_account_is_refused_joined_before_or_not(provider: Provider, world: World) -> None:
    by = world.actor("admin")
    joined = Client()
    sign_on(provider, joined)
    assert signed_in_as(joined) == "urban"
    accounts.deactivate(staff_id=world.staff["urban"].pk, why="离职", by=by)
    assert joined.get("/desk/board/mine/").status_code == 302
    client = Client()
    refused = sign_on(provider, client)
    assert refused.status_code == 403
    assert "已经停用" in refused.content.decode()
    assert signed_in_as(client) == ""
    accounts.deactivate(staff_id=world.staff["water"].pk, why="离职", by=by)
    provider.claims = {"sub": "9", "preferred_username": "water"}
    assert "在这里没有登记" in sign_on(provider, client).content.decode()
    assert signed_in_as(client) == ""


@pytest.mark.parametrize("token", [
    {"aud": "another client"}, {"iss": "https://evil.example"}, {"exp": 1_000_000_000}, {"sub": "somebody else"},
])
def test_an_id_token_for_others_opens_nothing(provider: Provider, token: dict[str, Any]) -> None:
    provider.token = token
    client = Client()
    refused = sign_on(provider, client)
    assert refused.status_code in (403, 502)
    assert "没有" in refused.content.decode()
    assert signed_in_as(client) == ""
    assert SocialAccount.objects.count() == 0


def test_an_answer_that_was_not_asked_for_opens_nothing(provider: Provider) -> None:
    client, other = Client(), Client()
    back = provider.authorise(start(other).headers["Location"])
    for address in (back, f"{BACK}?code=made-up&state=made-up", f"{BACK}?error=access_denied&state=x", BACK):
        refused = client.get(address)
        assert refused.status_code in (401, 403, 502), address
        assert signed_in_as(client) == ""
    used = provider.authorise(start(client).headers["Location"])
    client.get(used)
    fresh = Client()
    assert fresh.get(used).status_code in (401, 403, 502)
    assert signed_in_as(fresh) == ""


@pytest.mark.parametrize("path", ["/realm/.well-known/openid-configuration", "/realm/token", "/realm/userinfo"])
def test_a_provider_that_is_down_is_said_on_a_page(provider: Provider, path: str) -> None:
    client = Client()
    if path == "/realm/.well-known/openid-configuration":
        provider.broken = path
        answer = start(client)
    else:
        sent = start(client)
        provider.broken = path
        answer = client.get(provider.authorise(sent.headers["Location"]))
    assert answer.status_code == 502
    assert "统一身份认证没有完成登录" in answer.content.decode()
    assert signed_in_as(client) == ""
