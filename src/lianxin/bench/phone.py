"""Public pages on a poor telephone: a real Chromium on a slow line with a slow processor, nothing kept from before.

The line is the browser's own emulation (Chrome DevTools Protocol, Network.emulateNetworkConditions): 1.6 Mbit/s down, 750 kbit/s up and
150 ms to every answer, what Lighthouse calls slow 4G and older tools called 3G. The processor is slowed four times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

from lianxin.publishing.models import Record
from lianxin.publishing.records import refresh

from .create import served
from .parts import Run
from .results import Row
from .screens import browser

PART: Final = "phone"
FIRST_CONTENT, WEIGHT, SHIFT = 1.5, 100_000, 0.01  # seconds, bytes on the line, units of layout shift
DOWN, UP, AWAY, SLOWED = 1_600_000 / 8, 750_000 / 8, 150, 4  # bytes a second, bytes a second, milliseconds, times
TIMES: Final = 7
_SEEN: Final = """() => new Promise((done) => {
  let shift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => { shift += one.value; }))
    .observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    const first = list.getEntriesByName("first-contentful-paint")[0];
    if (first) setTimeout(() => done([first.startTime / 1000, shift]), 300);
  }).observe({ type: "paint", buffered: true });
})"""


@dataclass(slots=True)
class Seen:
    """What one page did, load by load: seconds to the first content, bytes on the line by address, units of layout shift."""

    seconds: list[float] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    shifts: list[float] = field(default_factory=list)


def _pages() -> dict[str, str]:
    """What residents open first, by what the table calls it."""
    fine = Record.objects.filter(precision="cell").select_related("area").order_by("number").first()
    found = fine or Record.objects.select_related("area").order_by("number").first()
    if found is None:
        raise RuntimeError("there is no public record: nothing to look at")
    pages = {"the front page": "/", "the list": "/public/", "one record": f"/public/{found.number}/", "the map": "/public/map/",
             "areas": "/area/", "performance": "/performance/"}
    if found.area is not None:
        pages["a village"] = f"/area/{found.area.code}/"
    return pages


def _load(running: Any, base: str, path: str, seen: Seen) -> None:
    """One load, in a browser that was never here."""
    context = running.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
    try:
        page = context.new_page()
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions",
                  {"offline": False, "latency": AWAY, "downloadThroughput": DOWN, "uploadThroughput": UP})
        line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        ours = urlsplit(base).netloc
        addresses: dict[str, str] = {}
        weighed: list[float] = []
        line.on("Network.requestWillBeSent", lambda told: addresses.setdefault(told["requestId"], told["request"]["url"]))
        line.on("Network.loadingFinished", lambda told: weighed.append(
            told["encodedDataLength"] if urlsplit(addresses.get(told["requestId"], "")).netloc == ours else 0))
        answer = page.goto(f"{base}{path}", wait_until="load", timeout=60_000)
        if answer is None or answer.status != 200:
            raise RuntimeError(f"{path}: {answer and answer.status}")
        seconds, shift = page.evaluate(_SEEN)
        seen.seconds.append(seconds)
        seen.shifts.append(shift)
        seen.weights.append(int(sum(weighed)))
    finally:
        context.close()


def _row(what: str, seen: Seen) -> Row:
    first, weight, shift = median(seen.seconds), max(seen.weights), max(seen.shifts)
    # The map's library is its own weight: it comes after the page can be read, and only where somebody opens the map.
    light = weight <= WEIGHT or what == "the map"
    return Row(PART, what, f"first content {first:.2f} s · {weight / 1000:.0f} kB · shift {shift:.3f}",
               f"slowest of {len(seen.seconds)}: {max(seen.seconds):.2f} s",
               bar=f"≤ {FIRST_CONTENT} s, shift ≤ {SHIFT}" + ("" if what == "the map" else f", ≤ {WEIGHT // 1000} kB"),
               met=first <= FIRST_CONTENT and light and shift <= SHIFT)


def bench(run: Run) -> list[Row]:
    """At the largest size. Without a browser one line says that nothing was seen."""
    run.grow(run.sizes[-1])
    if not Record.objects.exists():
        refresh(whole=True)
    with browser() as running:
        if running is None:
            return [Row(PART, "public pages in a browser", "not measured", "no Chromium on this machine")]
        run.tell("public pages on a slow telephone")
        rows = []
        with served(workers=run.workers) as port:
            base = f"http://127.0.0.1:{port}"
            for what, path in list(_pages().items())[:2 if run.quick else None]:
                if not run.quick:
                    _load(running, base, path, Seen())  # what the server itself makes once
                seen = Seen()
                for _turn in range(1 if run.quick else TIMES):
                    _load(running, base, path, seen)
                rows.append(_row(what, seen))
        return rows
