"""Who calls: a bearer token acting as one member of staff in one unit (`faces.machines`)."""

from __future__ import annotations

from django.http import HttpRequest

from lianxin.faces.machines import READ, Caller, bearer, caller_with, forget

from .problems import Unauthenticated

__all__ = ["READ", "Caller", "bearer", "caller_of", "forget"]


def caller_of(request: HttpRequest) -> Caller:
    """Raises Unauthenticated. Two queries at most every few seconds for one token."""
    caller = caller_with(bearer(request))
    if caller is None:
        raise Unauthenticated()
    return caller
