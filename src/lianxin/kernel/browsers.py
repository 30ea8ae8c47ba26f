"""Where this machine has a Chromium, for what is tried, measured and drawn in one."""

from __future__ import annotations

import os
import shutil
from typing import Final

# The first draws the same pages without the parts that make windows: a third less work for each.
NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The path that `LIANXIN_CHROMIUM` names, else of the first of NAMES; empty where there is none and Playwright's own is tried."""
    return os.environ.get("LIANXIN_CHROMIUM", "") or next((found for name in NAMES if (found := shutil.which(name))), "")
