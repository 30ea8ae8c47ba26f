"""Service discovery: where the endpoint is, what it speaks, whom to ask for a key."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from lianxin.kernel.language import named
from lianxin.places.models import City

from .formats import Format

ROOT: Final = "/open311/v2"
SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"


def base_of(request: HttpRequest) -> str:
    """The endpoint's own address, without a slash at its end."""
    public = getattr(settings, "LIANXIN_PUBLIC_URL", "").rstrip("/")
    return f"{public}{ROOT}" if public else request.build_absolute_uri(ROOT)


def discovery(request: HttpRequest) -> dict[str, Any]:
    """The document. `changeset` is when the services were last loaded."""
    city = City.objects.order_by("id").first()
    changeset = localtime(city.loaded_at).isoformat(timespec="seconds") if city else "1970-01-01T00:00:00+00:00"
    name = named(city.name, city.name_en) if city else ""
    hotline = city.settings.get("hotline", "12345") if city else "12345"
    contact = settings.LIANXIN_OPEN311_CONTACT or _("%(city)s政务服务热线 %(hotline)s") % {"city": name, "hotline": hotline}
    return {
        "changeset": changeset,
        "contact": contact,
        "key_service": _("要用 api_key 的，请联系：%s") % contact,
        "endpoints": [{
            "specification": SPECIFICATION, "url": base_of(request), "changeset": changeset, "type": settings.LIANXIN_OPEN311_TYPE,
            "formats": [form.content_type.partition(";")[0] for form in Format],
        }],
    }
