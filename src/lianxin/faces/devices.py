"""A browser in words, from what it says of itself."""

from __future__ import annotations

from typing import Final

# The first that is found: later ones are named by earlier ones too.
BROWSERS: Final = (("MicroMessenger/", "WeChat"), ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
                   ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS: Final = (("HarmonyOS", "HarmonyOS"), ("OpenHarmony", "HarmonyOS"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
                  ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"))


def browser_said(agent: str) -> str:
    """`Chrome · Windows`; what is not known stays as it is, shortened."""
    found = [next((said for mark, said in known if mark in agent), "") for known in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, found)) or agent[:60]
