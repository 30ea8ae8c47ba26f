"""Every action there is, found by its decorator in the contexts that have actions: the reference forgets none."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType

from lianxin.cases import actions as cases
from lianxin.quality import actions as quality
from lianxin.supervision import actions as supervision


@lru_cache(maxsize=1)
def modules() -> tuple[ModuleType, ...]:
    """The modules that define actions, by name."""
    found: list[ModuleType] = []
    for package in (cases, quality, supervision):
        found.append(package)
        for one in pkgutil.iter_modules(getattr(package, "__path__", ())):
            found.append(importlib.import_module(f"{package.__name__}.{one.name}"))
    return tuple(sorted(found, key=lambda module: module.__name__))


@lru_cache(maxsize=1)
def functions() -> dict[str, Callable[..., object]]:
    """Action → the function that takes it, those of the system too."""
    found: dict[str, Callable[..., object]] = {}
    for module in modules():
        for _name, one in inspect.getmembers(module, inspect.isfunction):
            name = getattr(one, "action", "")
            if name:
                found[name] = one
    return found
