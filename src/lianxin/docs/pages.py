"""The generated pages: which there are, writing them, and finding those that no longer say what the code does."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import override

from . import (
    api,
    commands,
    events,
    export,
    figures,
    limits,
    linkage,
    model,
    open_data,
    permissions,
    settings,
    states,
    webhooks,
)
from .markdown import Page

PAGES: dict[str, Page] = {
    "docs/reference/settings.md": settings.render,
    "docs/reference/states.md": states.render,
    "docs/reference/permissions.md": permissions.render,
    "docs/reference/commands.md": commands.render,
    "docs/reference/time-limits.md": limits.render,
    "docs/reference/figures.md": figures.render,
    "docs/reference/data-model.md": model.render,
    "docs/reference/city-export.md": export.render,
    "docs/reference/events.md": events.render,
    "docs/reference/webhooks.md": webhooks.render,
    "docs/reference/open-data.md": open_data.render,
    "docs/reference/api.md": api.render,
    "docs/reference/linkage/openapi.json": linkage.openapi,
    "docs/reference/linkage/schema.json": linkage.schema,
}


def rendered(name: str) -> str:
    """One page as the code would have it now, with the Chinese labels that the screens show."""
    with override("zh-hans"):
        return PAGES[name]()


def stale(root: Path) -> list[str]:
    """Names of the pages under `root` that are missing or say something else than the code."""
    return [
        name for name in PAGES
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != rendered(name)
    ]


def write(root: Path) -> list[str]:
    """Write what is stale. Returns the names of the pages written."""
    changed = stale(root)
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(rendered(name), encoding="utf-8")
    return changed
