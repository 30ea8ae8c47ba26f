"""What an API token may be narrowed to.

Each part of the product names its scopes beside its rights; the page on which tokens are made and the reference list what was named. A
scope that nobody named is refused when a token is made with it, and is a fault of the program where it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.utils.functional import Promise

ALL: Final = "*"  # all that the person may do, but what says that it must be named
_NAMED: dict[str, str | Promise] = {}


def named(scope: str, label: str | Promise) -> str:
    """Name a scope, with what it opens in the words of who makes tokens; without words, for a step that no person takes, it is not offered.
    Returns it, to be kept as a constant."""
    _NAMED[scope] = label
    return scope


def known() -> dict[str, str]:
    """Every scope that a token may be given, with what it opens, by name. Complete when the addresses have been read."""
    return {scope: str(label) for scope, label in sorted(_NAMED.items()) if label}


def opened(given: frozenset[str] | None, *asked: str) -> bool:
    """Whether scopes that were given open one of those asked for; None, as a person at a screen has, opens all.

    Raises KeyError for one that nobody named.
    """
    for scope in asked:
        _NAMED[scope]
    return given is None or ALL in given or not given.isdisjoint(asked)
