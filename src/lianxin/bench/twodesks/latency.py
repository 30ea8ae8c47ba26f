"""How long until the other side sees it: an emergency key to the other desk's screen, a ringing telephone to the screen before it.

The screens are real ones where Playwright and Chromium are installed (`./run test` installs them); the time is that of the browser's
drawing. Without a browser nothing is said about screens: the times end where the news lies in the other desk's database.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.test import Client

from lianxin.linkage.models import Handover
from lianxin.organisations.models import ApiToken, Role, RoleGrant, Staff, token_digest

from .harness import Stage

WARM = 5
PATIENCE = 20.0  # seconds for one
GAP = 0.05  # seconds from one to the next
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
WORDS = "花板桥路口有人持刀伤人，一人倒地，请马上来。"


def cookie_of(staff: Staff) -> str:
    """The session of somebody who is signed in."""
    client = Client()
    client.force_login(staff, backend=BACKEND)
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


@dataclass(slots=True)
class Operator:
    """One operator's browser, as far as it speaks to the server."""

    base: str
    staff: Staff

    def session(self) -> tuple[requests.Session, str]:
        """A session, and the token of its forms."""
        session = requests.Session()
        session.trust_env = False
        session.cookies.set(settings.SESSION_COOKIE_NAME, cookie_of(self.staff))
        page = session.get(f"{self.base}/desk/call/", timeout=30)
        page.raise_for_status()
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        return session, token


def _milliseconds() -> float:
    return time.time() * 1000


def emergencies(desks: Stage, base: str, operator: Staff, presses: int, page: Any) -> list[float]:
    """Milliseconds from the press – the POST that the key makes – until the offer is drawn on the other desk's page, each.

    With `page` None: until it lies in the other desk's database. Raises RuntimeError when one does not come.
    """
    if page is not None:
        page.goto(desks.their_url + "/")
    session, token = Operator(base, operator).session()
    end, found = "visible_at" if page is not None else "received_at", []
    for number in range(WARM + presses):
        key = str(uuid.uuid4())
        began = _milliseconds()
        reply = session.post(f"{base}/desk/call/emergency/110/", headers={"X-CSRFToken": token}, timeout=PATIENCE, data={
            "submission": key, "words": f"{WORDS}（{number}）", "place_text": "花板桥路口", "phone": "13800000000"})
        reply.raise_for_status()
        handover = reply.text.partition('data-handover="')[2].partition('"')[0]
        matter = Handover.objects.values_list("matter_id", flat=True).get(pk=handover)
        seen = _seen(desks.their_url, str(matter), end, page)
        if number >= WARM:
            found.append(seen - began)
        requests.post(f"{desks.their_url}/api/handovers/{handover}/refuse", json={"reason": "duplicate"}, timeout=PATIENCE)
        time.sleep(GAP)
    return found


def _seen(url: str, matter: str, end: str, page: Any) -> float:
    ends = time.monotonic() + PATIENCE
    while True:
        with suppress(requests.RequestException, ValueError):
            at = requests.get(f"{url}/api/seen", params={"matter": matter}, timeout=5).json().get(end)
            if at is not None:
                return float(at)
        if time.monotonic() > ends:
            raise RuntimeError(f"an emergency was not {end.partition('_')[0]} within {PATIENCE:.0f} s")
        page.wait_for_timeout(10) if page is not None else time.sleep(0.01)


HEAR = """() => { window.popped = []; document.getElementById("call-form").addEventListener("lx:call", () =>
  requestAnimationFrame(() => window.popped.push(performance.timeOrigin + performance.now()))); }"""


@contextmanager
def switchboard(unit: Any) -> Iterator[str]:
    """The token of a telephone system."""
    staff = Staff.objects.create(username=f"bench-switch-{uuid.uuid4().hex[:6]}", name="话务系统", unit=unit)
    RoleGrant.objects.create(staff=staff, role=Role.SWITCHBOARD, unit=unit)
    secret = ApiToken.new_secret()
    ApiToken.objects.create(name="bench switch", unit=unit, staff=staff, scopes=["*"], digest=token_digest(secret), hint=secret[-4:])
    yield secret


def pops(base: str, operator: Staff, calls: int, page: Any, wait: Callable[[int], None]) -> list[float]:
    """Milliseconds from the event of a telephone system – `ringing`, as it comes over HTTP – until number and open cases are drawn on
    the page of who is to answer."""
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie_of(operator), "url": base}])
    found = []
    with switchboard(operator.unit) as token:  # pages show a telephone where there is a telephone system
        page.goto(f"{base}/desk/call/")
        page.locator("#agent-extension").fill("8001")
        page.keyboard.press("Enter")
        page.locator("#desk-agent .desk-agent-state").wait_for()
        page.keyboard.press("Control+.")
        page.wait_for_function("() => document.documentElement.dataset.live === 'on'")
        page.evaluate(HEAR)
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        for number in range(WARM + calls):
            call = f"bench-{uuid.uuid4()}"
            _event(session, base, call, "queued", number=f"138{number:08}")
            began = _milliseconds()
            _event(session, base, call, "ringing", number=f"138{number:08}", extension="8001")
            page.wait_for_function(f"() => window.popped.length > {number}", timeout=PATIENCE * 1000)
            if number >= WARM:
                found.append(page.evaluate("() => window.popped.at(-1)") - began)
            _event(session, base, call, "abandoned")
            wait(150)
    return found


def _event(session: requests.Session, base: str, call: str, kind: str, **more: str) -> None:
    from datetime import UTC, datetime

    reply = session.post(f"{base}/api/v1/telephony/events", timeout=PATIENCE, json={
        "id": str(uuid.uuid4()), "call": call, "kind": kind, "at": datetime.now(UTC).isoformat(), **more})
    if reply.status_code >= 300:
        raise RuntimeError(f"{kind}: {reply.status_code} {reply.text[:300]}")


def open_page(running: Any) -> Any:
    page = running.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai").new_page()
    page.set_default_timeout(30_000)
    return page
