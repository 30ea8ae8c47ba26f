"""A real browser for what can only be seen there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lianxin.kernel.browsers import chromium


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium without a window; None where Playwright or Chromium is not installed (`./run test` installs both)."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        yield None
        return
    # Playwright keeps a loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=chromium() or None, args=["--no-sandbox", "--disable-dev-shm-usage"])
        except Error:
            running = None
        yield running
        if running is not None:
            running.close()
