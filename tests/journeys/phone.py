"""A grid worker's telephone: a small window, enrolled, with the app open. What a screen would do is done through the app's own
modules; what arrived is counted in the database."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.test import Client
from PIL import Image
from playwright.sync_api import expect

from tests.browser import new_page

PIN = "482915"
SIZE = {"width": 360, "height": 640}
PROMISED = """async ([module, name, given]) => {
  const base = document.querySelector("script[type=module]").src.replace("boot.js", "");
  const found = await import(base + module + ".js");
  const [first, second] = name.split(".");
  const run = second ? found[first][second].bind(found[first]) : found[first];
  try { return { value: await run(...given) ?? null }; } catch (fault) {
    return { fault: String(fault.code ?? fault), message: fault.message };
  }
}"""
ADD = """async ([kind, body, files]) => {
  const base = document.querySelector("script[type=module]").src.replace("boot.js", "");
  const { queue } = await import(base + "queue.js");
  const bytesOf = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const made = files.map(({ role, bytes, name, type }) => ({ role, name, blob: new Blob([bytesOf(bytes)], { type }) }));
  try { return { value: await queue.add(kind, body, made) }; } catch (fault) {
    return { fault: String(fault.code ?? fault), message: fault.message };
  }
}"""
# Everything in the store as one text, bytes both as latin-1 and as UTF-8: what somebody reads who has the telephone's files.
RAW = """async () => {
  const answer = (request) => new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const db = await answer(indexedDB.open("lianxin-field")), all = [], rows = {};
  const text = (thing) => {
    if (thing instanceof Uint8Array || thing instanceof ArrayBuffer) {
      return new TextDecoder("latin1").decode(thing) + new TextDecoder().decode(thing);
    }
    if (thing instanceof CryptoKey) return `key:${thing.extractable}`;
    if (thing && typeof thing === "object") return Object.entries(thing).map(([key, value]) => `${key}=${text(value)}`).join(" ");
    return String(thing);
  };
  for (const name of db.objectStoreNames) {
    const found = await answer(db.transaction(name).objectStore(name).getAll());
    rows[name] = found.length;
    all.push(...found.map(text));
  }
  const { version } = db;
  db.close();
  return { rows, version, text: all.join("\\n") };
}"""


class Fault(Exception):
    """What the app threw: `code` and the words for the worker."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def _told(answer: dict[str, Any]) -> Any:
    if "fault" in answer:
        raise Fault(answer["fault"], answer.get("message", ""))
    return answer["value"]


@dataclass(slots=True)
class Phone:
    """One telephone: a browser context with a window in it."""

    url: str
    context: Any
    page: Any

    @classmethod
    def new(cls, browser: Any, served: Any, username: str | None = "grid", *, context: Any = None, enrolled: bool = True,
            dark: bool = False) -> Phone:
        """A new one; `username` signs in first, as on the sign-in page. `context`: one that is there already."""
        if context is None:
            page = new_page(browser, **SIZE, has_touch=True, dark=dark, permissions=["geolocation"],
                            geolocation={"longitude": 113.1, "latitude": 29.1})
            context = page.context
        else:
            page = context.pages[0] if context.pages else context.new_page()
        phone = cls(served.url, context, page)
        if username:
            phone.sign_in(served, username)
        page.goto(f"{served.url}/field/")
        if enrolled:
            phone.enrol()
        return phone

    def sign_in(self, served: Any, username: str) -> None:
        """As on the sign-in page."""
        client = Client()
        client.force_login(served.world.staff[username], backend="allauth.account.auth_backends.AuthenticationBackend")
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": served.url}])

    def enrol(self, pin: str = PIN) -> None:
        self.page.get_by_label("解锁码").fill(pin)
        self.page.get_by_label("再输一遍").fill(pin)
        self.page.get_by_role("button", name="登记这部手机").click()
        expect(self.page.locator("#app nav")).to_be_visible()
        self.kept()

    def kept(self) -> None:
        """Wait until the whole app lies on the telephone."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller || "
                           "new Promise((done) => { navigator.serviceWorker.oncontrollerchange = done; })).then(() => null)")

    def unlock(self, pin: str = PIN) -> None:
        self.page.get_by_label("解锁码").fill(pin)
        self.page.get_by_role("button", name="打开").click()
        expect(self.page.locator("#app nav")).to_be_visible()

    def reopen(self, *, pin: str = PIN, unlocked: bool = True) -> None:
        """The window is gone, without a word; another is opened."""
        self.page.close()
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.goto(f"{self.url}/field/")
        if unlocked:
            self.unlock(pin)

    def offline(self, off: bool = True) -> None:
        self.context.set_offline(off)

    def call(self, module: str, name: str, *given: Any) -> Any:
        """A function of the app. Raises Fault for what it throws."""
        return _told(self.page.evaluate(PROMISED, [module, name, list(given)]))

    def add(self, kind: str, body: dict[str, Any], *files: tuple[str, bytes]) -> str:
        """As a screen does it: role and bytes of each file. Returns the item's id when it is durable."""
        said = [{"role": role, "bytes": base64.b64encode(data).decode(), "name": f"{role}.jpg", "type": "image/jpeg"}
                for role, data in files]
        return str(_told(self.page.evaluate(ADD, [kind, body, said])))

    def items(self) -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in self.call("queue", "queue.list")}

    def states(self) -> list[str]:
        """How each item stands, in order; what is under way this moment is waited for."""
        for _each in range(100):
            found = [item["state"] for item in self.items().values()]
            if "sending" not in found:
                break
            self.page.wait_for_timeout(50)
        return found

    def sync(self) -> str:
        """Send and fetch now; returns the phase in which it ended."""
        return str(self.call("sync", "sync")["phase"])

    def raw(self) -> dict[str, Any]:
        return dict(self.page.evaluate(RAW))


def noise(size: int) -> bytes:
    """A JPEG of about `size` bytes that does not pack: a real photo's weight."""
    side = max(64, int((size / 0.9) ** 0.5))
    stream = hashlib.shake_256(str(size).encode()).digest(side * side * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), stream).save(out, "JPEG", quality=90)
    return out.getvalue()
