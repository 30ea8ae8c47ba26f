"""The grid worker's app without a network, with a network that breaks, and with a telephone that dies. In a real browser;
each journey counts in the database what arrived: every item once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from playwright.sync_api import Error, expect

from lianxin.cases import actions as a
from lianxin.cases.models import Assignment, Attachment, Case, EventText
from lianxin.field import bundle
from lianxin.fieldwork import devices, inbox
from lianxin.fieldwork.models import Device, Receipt, Upload
from lianxin.kernel.browsers import chromium
from lianxin.kernel.clock import now
from lianxin.organisations.actors import actor_for
from tests.browser import axe

from .phone import PIN, SIZE, Fault, Phone, noise

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "花园社区三栋后面的井盖缺了一块，晚上看不见。"
Make = Callable[..., Phone]


@pytest.fixture
def telephone(browser: Any, served: Any) -> Iterator[Make]:
    """`telephone("grid")`: an enrolled one."""
    made: list[Phone] = []

    def make(username: str | None = "grid", **more: Any) -> Phone:
        made.append(Phone.new(browser, served, username, **more))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def once(count: int) -> None:
    """As many cases and receipts as things were done, no two of one."""
    assert Case.objects.count() == Receipt.objects.count() == count


def test_without_a_network_from_the_second_minute_on(telephone: Make) -> None:
    phone = telephone()
    phone.offline()
    phone.reopen()
    photo = noise(40_000)
    phone.add("report", {"words": WORDS}, ("report", photo))
    phone.call("data", "drafts.put", "half", {"words": "写到一半的话"})
    assert phone.states() == ["unsent"]
    assert Receipt.objects.count() == 0
    for screen in ("report", "map", "unsent", "more"):
        phone.page.evaluate("(screen) => { location.hash = `#/${screen}`; }", screen)
        expect(phone.page.locator("#app main h1")).not_to_have_text("这一页没能打开")
    phone.page.evaluate("() => { location.hash = '#/map'; }")
    expect(phone.page.locator("#app canvas")).to_be_visible()
    raw = phone.raw()
    assert raw["rows"]["items"] == raw["rows"]["blobs"] == 1
    assert raw["rows"]["drafts"] >= 1
    for plain in (WORDS, "井盖", "lxd_", "settled", "image/jpeg", "写到一半", "grid甲", photo[100:120].decode("latin-1")):
        assert plain not in raw["text"], plain
    phone.reopen(unlocked=False)
    expect(phone.page.get_by_text("还有 1 件没有发送")).to_be_visible()
    phone.unlock()
    assert phone.states() == ["unsent"]
    phone.offline(False)
    assert phone.sync() == "idle"
    assert phone.states() == ["accepted"]
    once(1)
    assert Attachment.objects.filter(case__isnull=False).count() == 1
    assert phone.raw()["rows"]["blobs"] == 0


def test_the_network_goes_before_while_and_after(telephone: Make) -> None:
    """The answer is lost after the server did it; the pieces break off in the middle; the server fails for a while."""
    phone = telephone()
    phone.add("duty", {"on": True})
    assert phone.sync() == "idle"
    assert phone.states() == ["accepted"]

    lost: list[str] = []

    def lose(route: Any) -> None:
        route.fetch()
        lost.append(route.request.post_data)
        route.abort()

    phone.context.route("**/field/items", lose)
    phone.add("report", {"words": WORDS})
    assert phone.sync() == "offline"
    assert len(lost) == 1
    assert Case.objects.count() == 1
    assert phone.states() == ["accepted", "unsent"]
    phone.context.unroute("**/field/items")

    photo = noise(400_000)
    pieces: list[int] = []

    def break_off(route: Any) -> None:
        pieces.append(int(route.request.headers["upload-offset"]))
        if len(pieces) == 2:
            route.abort()
        else:
            route.continue_()

    phone.context.route("**/field/uploads/*", lambda route: break_off(route) if route.request.method == "PATCH" else route.continue_())
    phone.add("report", {"words": WORDS + "又一处。"}, ("report", photo))
    assert phone.sync() == "offline"
    assert phone.states() == ["accepted", "accepted", "unsent"]
    held = Upload.objects.get()
    assert 0 < held.received < held.size
    assert phone.sync() == "idle"
    assert pieces[0] == 0
    assert pieces[2] == held.received, "what has arrived is not sent again"
    assert phone.states() == ["accepted"] * 3
    assert Case.objects.count() == 2
    assert Receipt.objects.count() == 3
    assert Attachment.objects.get().case_id is not None


def test_the_server_fails_for_a_while(telephone: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = telephone()

    def broken(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("out of order")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "take", broken)
        for word in "一二三":
            phone.add("report", {"words": f"{WORDS}第{word}处。"})
        assert phone.sync() == "failed"
        assert phone.states() == ["unsent"] * 3
        phone.reopen()
        assert phone.sync() == "failed"
    assert phone.sync() == "idle"
    assert phone.states() == ["accepted"] * 3
    once(3)
    made = [Case.objects.get(pk=receipt.answer["case"]).words[-4:-1] for receipt in Receipt.objects.order_by("made_at")]
    assert made == ["第一处", "第二处", "第三处"]


def test_killed_in_the_middle_of_a_photo(telephone: Make) -> None:
    phone = telephone()
    photo = noise(600_000)
    offsets: list[int] = []

    def slow(route: Any) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) != 3 or route.request.method != "PATCH":
            route.continue_()

    phone.context.route("**/field/uploads/*", slow)
    phone.add("report", {"words": WORDS}, ("report", photo))
    while len(offsets) < 3:
        phone.page.wait_for_timeout(50)
    held = Upload.objects.get()
    assert 0 < held.received < held.size
    phone.reopen()
    assert phone.sync() == "idle"
    # The piece that was under way may have arrived whole just as the window died.
    assert offsets[3] >= held.received, "it goes on where it stopped"
    assert len(offsets) == len({*offsets[:2], *offsets[3:]}) + 1, "no piece that had arrived is sent again"
    assert phone.states() == ["accepted"]
    once(1)
    assert Attachment.objects.get().case_id is not None
    assert Upload.objects.get().received == len(photo)


def test_the_battery_dies(telephone: Make, browser: Any, tmp_path: Path) -> None:
    """The browser itself is gone in the instant after the app said it was kept."""
    def start() -> Any:
        return browser.browser_type.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=chromium() or None, viewport=SIZE, locale="zh-CN", timezone_id="Asia/Shanghai",
            args=["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"])

    phone = telephone(context=start())
    phone.offline()
    phone.add("report", {"words": WORDS}, ("report", noise(40_000)))
    with suppress(Error):
        phone.context.browser.new_browser_cdp_session().send("Browser.crash")
    context = start()
    phone.context, phone.page = context, context.pages[0]
    phone.page.set_default_timeout(15_000)
    phone.page.goto(f"{phone.url}/field/")
    phone.unlock()
    phone.sync()
    assert phone.states() == ["accepted"]
    once(1)
    assert Attachment.objects.get().case_id is not None


def test_a_clock_that_is_a_day_wrong(telephone: Make) -> None:
    phone = telephone(enrolled=False)
    phone.page.add_init_script("""
      const real = Date, shift = -86400000;
      globalThis.Date = class extends real {
        constructor(...given) { if (given.length) super(...given); else super(real.now() + shift); }
        static now() { return real.now() + shift; }
      };
    """)
    phone.page.reload()
    phone.enrol()
    phone.offline()
    phone.add("report", {"words": WORDS})
    phone.offline(False)
    phone.sync()
    once(1)
    receipt = Receipt.objects.get()
    assert abs(now() - receipt.at) < timedelta(minutes=1), "the difference of clocks is taken off"
    assert timedelta(hours=23) < now() - receipt.made_at < timedelta(hours=25)
    assert abs(now() - Case.objects.get().registered_at) < timedelta(minutes=1)


def test_no_room_left(telephone: Make) -> None:
    """Warned while there is still room for what is in hand; refused in words when there is none; nothing half kept."""
    phone = telephone(enrolled=False)
    phone.kept()
    cdp = phone.context.new_cdp_session(phone.page)
    used = cdp.send("Storage.getUsageAndQuota", {"origin": phone.url})["usage"]
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": phone.url, "quotaSize": used + 3_300_000})
    phone.enrol()
    phone.sync()
    phone.offline()
    expect(phone.page.locator("[data-bar=space]")).to_have_count(0)
    phone.add("report", {"words": WORDS}, ("report", noise(900_000)))
    expect(phone.page.locator("[data-bar=space]")).to_contain_text("快满了")
    before = phone.raw()["rows"]
    with pytest.raises(Fault, match="space_full") as told:
        phone.add("report", {"words": WORDS}, ("before", noise(30_000)), ("after", noise(3_000_000)))
    assert "还没有保存" in told.value.message
    with pytest.raises(Fault, match="space_full"):
        phone.call("data", "drafts.put", "half", {"words": "写到一半的话" * 300_000})
    assert phone.raw()["rows"] == before, "nothing is half kept"
    assert phone.states() == ["unsent"]
    phone.offline(False)
    phone.sync()
    assert phone.states() == ["accepted"], "the answer could be written down"
    cdp.send("Storage.overrideQuotaForOrigin", {"origin": phone.url})
    # A browser that counts rightly refuses before anything is written.
    phone.page.evaluate("() => { globalThis.real = navigator.storage.estimate; "
                        "navigator.storage.estimate = async () => ({ quota: 1e6, usage: 9e5 }); }")
    with pytest.raises(Fault, match="space_full"):
        phone.add("report", {"words": WORDS}, ("report", noise(300_000)))
    phone.page.evaluate("() => { navigator.storage.estimate = globalThis.real; }")
    phone.sync()
    expect(phone.page.locator("[data-bar=space]")).to_have_count(0)
    once(1)


def deployed(phone: Phone) -> None:
    """Another version is on the server, and the browser has looked."""
    bundle.forget()
    phone.page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => null)")
    expect(phone.page.get_by_text("有新版本")).to_be_visible()


@contextmanager
def fetched() -> Iterator[list[str]]:
    """Names of the app's files that the server is asked for meanwhile."""
    names: list[str] = []

    def note(environ: dict[str, Any], **_more: Any) -> None:
        if environ["PATH_INFO"].startswith("/field/app/"):
            names.append(environ["PATH_INFO"].split("/", 4)[4])

    request_started.connect(note)
    yield names
    request_started.disconnect(note)


def newer(files: dict[str, bytes]) -> dict[str, bytes]:
    """The next version: another step of the store."""
    step = b"""  (db, transaction) => {
    db.createObjectStore("later");
    transaction.objectStore("items").createIndex("state", "state");
  },
];
let opened"""
    steps = files["db.js"].replace(b"];\nlet opened", step)
    assert steps != files["db.js"]
    return {**files, "db.js": steps}


def test_a_new_version_while_a_queue_waits(telephone: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = telephone()
    phone.offline()
    phone.add("report", {"words": WORDS}, ("report", noise(40_000)))
    phone.call("data", "drafts.put", "half", {"words": "写到一半的话"})
    old, files = bundle.current().version, bundle.own_files
    monkeypatch.setattr(bundle, "own_files", lambda: newer(files()))
    try:
        phone.context.route("**/api/v1/field/**", lambda route: route.abort())
        phone.offline(False)
        with fetched() as names:
            deployed(phone)
        assert names == ["db.js"], "what has not changed is not fetched again"
        assert phone.page.evaluate("document.documentElement.dataset.version") == old, "the old one goes on until the worker says so"
        phone.add("report", {"words": WORDS + "又一处。"})
        phone.page.get_by_role("button", name="更新").click()
        expect(phone.page.get_by_label("解锁码")).to_be_visible()
        phone.unlock()
        assert phone.page.evaluate("document.documentElement.dataset.version") != old
        raw = phone.raw()
        assert (raw["version"], raw["rows"]["items"]) == (2, 2)
        assert "later" in raw["rows"]
        assert phone.call("data", "drafts.get", "half") == {"words": "写到一半的话"}
        assert phone.states() == ["unsent", "unsent"]
        # The next one comes by opening the application again.
        monkeypatch.setattr(bundle, "own_files", lambda: {**newer(files()), "later.js": b"export {};"})
        deployed(phone)
        phone.reopen(unlocked=False)
        assert phone.page.evaluate("document.documentElement.dataset.version") == bundle.current().version
        phone.unlock()
        assert phone.states() == ["unsent", "unsent"]
        phone.context.unroute("**/api/v1/field/**")
        phone.sync()
        once(2)
        assert Attachment.objects.get().case_id is not None
    finally:
        monkeypatch.undo()
        bundle.forget()


def test_two_windows_send_once(telephone: Make) -> None:
    phone = telephone()
    phone.offline()
    for word in "一二三":
        phone.add("report", {"words": f"{WORDS}第{word}处。"})
    other = Phone(phone.url, phone.context, phone.context.new_page())
    other.page.goto(f"{phone.url}/field/")
    other.unlock()
    assert other.states() == ["unsent"] * 3
    posts: list[str] = []
    phone.context.on("request", lambda request: posts.append(request.url) if request.url.endswith("/items") else None)
    phone.offline(False)
    for one in (phone, other):
        one.page.evaluate("() => { dispatchEvent(new Event('online')); }")
    expect(other.page.locator("[data-tab=unsent]")).to_have_text("未发送")
    phone.sync()
    assert phone.states() == other.states() == ["accepted"] * 3
    once(3)
    assert len(posts) == 1


def handed_over(served: Any) -> Case:
    """A case of the street's, signed and with the reporter spoken to, given to the grid worker by name."""
    world = served.world
    case_id = world.accepted()
    a.dispatch(world.on(case_id, "dispatcher"), lead_unit="bridge")
    a.sign(world.on(case_id, "bridge"))
    a.record_contact(world.on(case_id, "bridge"), means="phone", reached=True)
    Assignment.objects.filter(case=case_id).update(officer=world.staff["grid"])
    return Case.objects.get(pk=case_id)


def test_two_telephones_on_one_case(served: Any, telephone: Make) -> None:
    case = handed_over(served)
    one, other = telephone(), telephone()
    for phone, answer in ((one, "已换新井盖。"), (other, "井盖明天换。")):
        phone.offline()
        phone.add("reply", {"case": str(case.pk), "version": case.version, "public_answer": answer, "solved": True},
                  ("after", noise(20_000)))
    one.offline(False)
    one.sync()
    assert one.states() == ["accepted"]
    other.offline(False)
    other.sync()
    (item,) = other.items().values()
    assert item["state"] == "conflict"
    assert item["body"]["public_answer"] == "井盖明天换。", "what the worker wrote is still there"
    assert item["problem"]["current"]
    other.reopen()
    assert other.states() == ["conflict"]
    assert other.raw()["rows"]["blobs"] == 1
    other.call("queue", "queue.abandon", item["id"], "同事已经答复了")
    other.sync()
    assert other.states() == []
    assert other.raw()["rows"]["blobs"] == 0
    assert EventText.objects.filter(case=case, field="public_answer").count() == 1
    assert sorted(Receipt.objects.values_list("kind", "status")) == [("abandon", "accepted"), ("reply", "accepted"), ("reply", "conflict")]
    assert not Receipt.objects.filter(body__isnull=False).exists()


def test_a_lost_telephone(served: Any, telephone: Make) -> None:
    """Shut out, it keeps what waits, sealed; given back, it sends it. A closed account is told apart."""
    phone = telephone()
    worker, device = served.world.staff["grid"], Device.objects.get()
    phone.offline()
    phone.add("report", {"words": WORDS})
    devices.shut_out(device_id=device.pk, by=actor_for(worker), why="丢了")
    phone.offline(False)
    assert phone.sync() == "shut_out"
    expect(phone.page.locator("[data-bar=device]")).to_contain_text("已被停用")
    assert phone.states() == ["unsent"]
    assert WORDS not in phone.raw()["text"]
    Device.objects.update(shut_out_at=None, shut_out_by=None, why="")
    worker.is_active = False
    worker.save()
    assert phone.sync() == "closed"
    worker.is_active = True
    worker.save()
    assert phone.sync() == "idle"
    expect(phone.page.locator("[data-bar=device]")).to_have_count(0)
    once(1)


def test_a_telephone_the_server_has_forgotten(served: Any, telephone: Make) -> None:
    """A database that was set back: enrolled again by the same worker, it keeps what waits and sends it."""
    phone = telephone()
    phone.offline()
    phone.add("report", {"words": WORDS}, ("report", noise(20_000)))
    Device.objects.all().delete()
    phone.offline(False)
    assert phone.sync() == "unknown"
    phone.sign_in(served, "bridge")
    phone.page.get_by_role("button", name="重新登记").click()
    expect(phone.page.get_by_text("请用grid甲的账号登录")).to_be_visible()
    phone.sign_in(served, "grid")
    phone.page.get_by_role("button", name="重新登记").click()
    expect(phone.page.locator("[data-bar=device]")).to_have_count(0)
    phone.sync()
    assert phone.states() == ["accepted"]
    phone.reopen()
    assert phone.sync() == "idle"
    once(1)


def test_locked_when_nobody_touches_it(telephone: Make) -> None:
    phone = telephone()
    phone.page.evaluate("() => { const real = Date.now; Date.now = () => real() + 301e3; "
                        "document.dispatchEvent(new Event('visibilitychange')); }")
    expect(phone.page.get_by_label("解锁码")).to_be_visible()
    expect(phone.page.locator("#app")).to_be_hidden()
    assert phone.page.locator("#app").inner_html() == ""
    phone.call("sync", "rest")  # what is under way is sent to its end; then the key goes
    with pytest.raises(Fault, match="locked"):
        phone.add("duty", {"on": True})
    phone.unlock()
    phone.add("duty", {"on": True})
    phone.sync()
    assert phone.states() == ["accepted"]
    phone.call("vault", "change", PIN, "739105")
    phone.reopen(pin="739105")
    assert phone.states() == ["accepted"]
    phone.page.evaluate("() => dispatchEvent(Object.assign(new Event('beforeinstallprompt'), "
                        "{ prompt: () => { globalThis.asked = true; } }))")
    phone.page.get_by_role("button", name="装到桌面").click()
    assert phone.page.evaluate("globalThis.asked") is True
    expect(phone.page.locator("[data-bar=install]")).to_have_count(0)
    with pytest.raises(Fault, match="wrong"):
        phone.call("vault", "unlock", PIN)


def test_a_finger_in_place_of_the_pin(telephone: Make) -> None:
    phone = telephone()
    cdp = phone.context.new_cdp_session(phone.page)
    cdp.send("WebAuthn.enable")
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "hasPrf": True, "automaticPresenceSimulation": True}})
    phone.page.evaluate("() => { location.hash = '#/more'; }")
    phone.page.get_by_role("button", name="用指纹或面容解锁").click()
    phone.page.get_by_label("现在的解锁码").fill(PIN)
    phone.page.get_by_role("button", name="用指纹或面容解锁").click()
    expect(phone.page.get_by_text("下次可以用指纹或面容打开")).to_be_visible()
    phone.offline()
    phone.add("report", {"words": WORDS})
    phone.page.reload()
    phone.page.get_by_role("button", name="用指纹或面容打开").click()
    expect(phone.page.locator("#app nav")).to_be_visible()
    assert phone.states() == ["unsent"]
    phone.call("vault", "change", PIN, "739105")
    phone.page.reload()
    phone.page.get_by_role("button", name="用指纹或面容打开").click()
    expect(phone.page.locator("#app nav")).to_be_visible()
    phone.call("vault", "dropFinger")
    phone.page.reload()
    expect(phone.page.get_by_label("解锁码")).to_be_visible()
    expect(phone.page.get_by_role("button", name="用指纹或面容打开")).to_have_count(0)
    phone.unlock("739105")
    phone.offline(False)
    phone.sync()
    once(1)


def test_what_cannot_be_taken_holds_nothing_back(telephone: Make) -> None:
    """A file that is none, an item the server cannot read: shown to the worker, made anew or given up; the others go on."""
    phone = telephone()
    phone.offline()
    bad = phone.add("report", {"words": WORDS}, ("report", b"not a photo"))
    worse = phone.add("no_such_kind", {"words": WORDS})
    phone.add("report", {"words": WORDS + "又一处。"})
    phone.offline(False)
    phone.sync()
    assert phone.states() == ["refused", "refused", "accepted"]
    assert phone.items()[bad]["problem"]["detail"]
    phone.offline()
    phone.call("queue", "queue.settle", bad, "report", {"words": WORDS}, [])
    phone.call("queue", "queue.abandon", worse, "点错了")
    assert len(phone.items()) == 5, "both stay until the server has answered"
    phone.offline(False)
    phone.sync()
    assert phone.states() == ["accepted", "accepted"]
    assert Case.objects.count() == 2
    assert not Receipt.objects.filter(body__isnull=False).exists()


def test_the_browser_wakes_the_application(telephone: Make) -> None:
    """Background sync: the worker hears that the network is back and tells the window, which sends."""
    phone = telephone()
    phone.context.route("**/api/v1/field/items", lambda route: route.abort())
    phone.add("duty", {"on": True})
    phone.call("sync", "rest")
    assert phone.states() == ["unsent"]
    phone.context.unroute("**/api/v1/field/items")
    phone.page.evaluate("() => { globalThis.setTimeout = () => 0; }")  # no trying again by itself
    cdp = phone.context.new_cdp_session(phone.page)
    found: list[str] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(one["registrationId"] for one in told["registrations"]))
    cdp.send("ServiceWorker.enable")
    for _each in range(100):
        if found:
            break
        phone.page.wait_for_timeout(50)
    cdp.send("ServiceWorker.dispatchSyncEvent", {"origin": phone.url, "registrationId": found[0], "tag": "queue", "lastChance": False})
    expect(phone.page.locator("[data-tab=unsent]")).to_have_text("未发送")
    assert phone.states() == ["accepted"]
    assert Receipt.objects.count() == 1


PINS = {"12345": "short", "12345a": "digits", "000000": "trivial", "123456": "trivial", "987654": "trivial", "135791": "trivial",
        "121212": "trivial", "123123": "trivial", "112233": "trivial", "11112222": "trivial", "520131": "trivial", "890123": "trivial",
        "482915": "", "739105": "", "40718263": ""}


def test_a_wrong_pin_is_slowed_down(telephone: Make) -> None:
    phone = telephone()
    assert {pin: phone.call("vault", "weakness", pin) for pin in PINS} == PINS
    phone.reopen(unlocked=False)
    assert axe(phone.page) == []
    for _each in range(5):
        phone.page.get_by_label("解锁码").fill("111222")
        phone.page.get_by_role("button", name="打开").click()
        expect(phone.page.get_by_text("解锁码不对")).to_be_visible()
        phone.page.evaluate("() => document.querySelector('.f-error').textContent = ''")
    expect(phone.page.get_by_label("解锁码")).to_be_disabled()
    expect(phone.page.get_by_text("请等")).to_be_visible()
    phone.reopen(unlocked=False)
    expect(phone.page.get_by_label("解锁码")).to_be_disabled()
    with pytest.raises(Fault, match="wait"):
        phone.call("vault", "unlock", PIN)
    # A clock that is set back does not help; time does.
    phone.page.evaluate("() => { const real = Date.now; Date.now = () => real() - 3600e3; }")
    with pytest.raises(Fault, match="wait"):
        phone.call("vault", "unlock", PIN)
    phone.page.evaluate("() => { Date.now = () => new Date().getTime() + 60e3; }")
    phone.call("vault", "unlock", PIN)
    assert phone.call("vault", "waiting") == 0


def test_signing_out_is_refused_while_something_waits(served: Any, telephone: Make) -> None:
    phone = telephone()
    phone.offline()
    phone.add("report", {"words": WORDS})
    page = phone.page
    page.evaluate("() => { location.hash = '#/more'; }")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_text("还有 1 件没有办完发送，现在不能退出")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="不退出").click()
    assert phone.states() == ["unsent"]
    page.get_by_role("button", name="退出").click()
    page.get_by_role("button", name="仍要退出").click()
    page.get_by_role("button", name="不退出").click()
    assert phone.states() == ["unsent"]
    phone.offline(False)
    assert phone.sync() == "idle"
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_text("所有的都已发送")).to_be_visible()
    page.get_by_role("button", name="退出并清空").last.click()
    expect(page.get_by_text("第一次用要联网登录一次")).to_be_visible()
    assert set(phone.raw()["rows"].values()) == {0}
    once(1)
    assert Device.objects.get().why, "the telephone's secret opens nothing any more"
