"""Which case a resident's browser may open: a signed cookie that ends with the browser, at the latest after two hours.

The tracking code itself is in no address, no session table and no cookie.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from lianxin.cases.families import as_promised
from lianxin.cases.models import Case
from lianxin.kernel.crypto import tracking_digest
from lianxin.kernel.ids import normalise_tracking_code
from lianxin.organisations.actors import Actor, Kind

SALT = "lianxin.portal.case"
SECONDS = 2 * 3600
RESIDENT = Actor(kind=Kind.REPORTER, via="web")


def cookie_name() -> str:
    return f"{settings.LIANXIN_COOKIE_PREFIX}_case"


def remember(response: HttpResponse, case_id: uuid.UUID) -> None:
    """Let this browser open one case until it is closed."""
    response.set_cookie(
        cookie_name(), signing.dumps(case_id.hex, salt=SALT), httponly=True, samesite="Lax",
        secure=settings.LIANXIN_HTTPS,
    )


def forget(response: HttpResponse) -> None:
    response.delete_cookie(cookie_name(), samesite="Lax")


def opened_id(request: HttpRequest) -> uuid.UUID | None:
    """The case this browser has opened, None when there is none or it was too long ago."""
    kept = request.COOKIES.get(cookie_name(), "")
    if not kept:
        return None
    try:
        return uuid.UUID(hex=signing.loads(kept, salt=SALT, max_age=SECONDS))
    except (signing.BadSignature, ValueError, TypeError):
        return None


def opened(request: HttpRequest) -> Case | None:
    case_id = opened_id(request)
    if case_id is None:
        return None
    found = (
        Case.objects.filter(pk=case_id)
        .select_related("category", "area", "county", "lead_unit", "reporter", "public_version", "master")
        .first()
    )
    return as_promised(found) if found is not None else None


def find_by_code(typed: str) -> uuid.UUID | None:
    """The case a tracking code opens; None for a wrong one."""
    code = normalise_tracking_code(typed)
    if not code:
        return None
    return Case.objects.filter(tracking_digest=tracking_digest(code)).values_list("pk", flat=True).first()
