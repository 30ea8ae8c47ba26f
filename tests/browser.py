"""A real browser for journeys: Debian's Chromium through Playwright, axe-core, a live server. Marker: `browser`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from lianxin.kernel.browsers import chromium

WAIT = 15_000  # milliseconds, on a busy machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for the run; the test is skipped where there is none."""
    from playwright.sync_api import Error, expect, sync_playwright

    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(
                executable_path=chromium() or None,
                args=["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"],
            )
        except Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
        yield running
        running.close()


def new_page(browser: Any, *, width: int = 1440, height: int = 900, dark: bool = False, locale: str = "zh-CN",
             javascript: bool = True, **more: Any) -> Any:
    """A page in a context of its own. A script error fails the test that looks at `page.faults`."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", locale=locale,
        java_script_enabled=javascript, timezone_id="Asia/Shanghai", **more,
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text else None)
    return page


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A page of 360 × 740 with touch."""
    page = new_page(browser, width=360, height=740, has_touch=True, is_mobile=True, device_scale_factor=2)
    yield page
    page.context.close()


@pytest.fixture
def desktop(browser: Any) -> Iterator[Any]:
    """A page of 1440 × 900."""
    page = new_page(browser)
    yield page
    page.context.close()


@cache
def axe_source() -> str:
    """axe-core as npm brought it, or as the Python package carries it."""
    own = Path(settings.LIANXIN_NODE_MODULES) / "axe-core" / "axe.min.js"
    if own.exists():
        return own.read_text(encoding="utf-8")
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
COLOURS = ("color-contrast", "link-in-text-block")  # the rules of TAGS that see another page in another theme


def axe_ready(page: Any) -> None:
    """The script is run through the debugger, so the page's content security policy stays as it is."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe_source())


def axe(page: Any, *, within: str = "html", rules: tuple[str, ...] = TAGS) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, or by `rules` of those (their names): one line a fault, with where it is.
    Empty when all is well."""
    axe_ready(page)
    found: list[str] = page.evaluate(
        """async ([within, rules]) => {
          const { violations } = await axe.run(within, { runOnly: rules, resultTypes: ["violations"], preload: false });
          return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
            `${id}: ${JSON.stringify(target)} ${(failureSummary || "").slice(0, 200)}`));
        }""", [within, list(rules)])
    return found


def lit(page: Any, *, dark: bool) -> None:
    """The page as it stands in the light or the dark theme, when all colours have come to rest."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.evaluate("Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 1e4)"
                  ".map((one) => one.finished)).then(() => null)")


def readable(page: Any, *widths: int) -> list[str]:
    """Faults of the page as it stands, each with the width: empty when everybody can read it at each of these, in both themes.

    Everywhere it has to fit. At the outermost widths axe tries all rules, in the light theme at the narrowest and in the dark at the
    widest, and those on colours in the other. Nothing is loaded again; the window stays at the end it came to, so that of pages
    visited one after another each second is loaded there.
    """
    order = sorted(widths, reverse=page.viewport_size["width"] == max(widths))
    found: list[str] = []
    for width in order:
        page.set_viewport_size({"width": width, "height": page.viewport_size["height"]})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{width}: needs {needed}")
        if width in (order[0], order[-1]):
            dark = width == max(widths)
            lit(page, dark=dark)
            found += [f"{width}: {line}" for line in axe(page)]
            lit(page, dark=not dark)
            found += [f"{width}: {line}" for line in axe(page, rules=COLOURS)]
    return found


@pytest.fixture
def served(live_server: Any, transactional_db: None) -> Any:
    """A live server and the small city; rows stay until the test ends."""
    from tests.world import World

    world = World.make()
    live_server.world = world
    return live_server
