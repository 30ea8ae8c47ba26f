"""A resident without JavaScript: every step is a form as the page gave it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

KEY = "k" * 32


def said(response: Any) -> str:
    """The page as read: tags gone."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def form_of(response: Any, *, action: str = "") -> dict[str, Any]:
    """The fields of the page's form with their values, as a browser would send them."""
    page = response.content.decode()
    forms = re.findall(r"<form\b([^>]*)>(.*?)</form>", page, re.DOTALL)
    body = next(inner for head, inner in forms if "multipart" in head and action in head)
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input\b[^>]*>", body):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        kind, name = found.get("type", "text"), found.get("name", "")
        if not name or kind == "file" or (kind in ("checkbox", "radio") and " checked" not in tag):
            continue
        value = unescape(found.get("value", "on" if kind == "checkbox" else ""))
        if name in ("upload", "use_time"):
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    for name, text in re.findall(r'<textarea\b[^>]*name="(\w+)"[^>]*>\n?(.*?)</textarea>', body, re.DOTALL):
        values[name] = unescape(text)
    for name, options in re.findall(r'<select\b[^>]*name="(\w+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen.group(1) if chosen else ""
    values.pop("csrfmiddlewaretoken", None)
    return values


def step(client: Client, response: Any, go: str, **more: Any) -> Any:
    """Press one of the page's buttons, with what was typed."""
    return client.post("/say/", form_of(response, action="/say/") | more | {"go": go})


def send(client: Client, **values: Any) -> Any:
    """One POST with everything in it."""
    return client.post("/say/", {"submission": KEY, "words": "花园社区路灯坏了三天。", "step": "send", "go": "submit"} | values)


def code_of(client: Client) -> str:
    page = client.get("/answer/").content.decode()
    return re.search(r'id="code">([0-9A-Z-]{11})<', page).group(1)  # type: ignore[union-attr]
