"""Where each face lives."""

from __future__ import annotations

from importlib.util import find_spec

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import TemplateView
from django.views.i18n import set_language

from lianxin.api import metrics
from lianxin.faces.accounts import start_single_sign_on
from lianxin.operations import standing


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process is alive."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(_request: HttpRequest) -> HttpResponse:
    """The process can work: its database answers and has the tables of this program, and its keyring is the one the database was
    sealed with."""
    why = standing.unready()
    return HttpResponse(why or "ok", status=503 if why else 200, content_type="text/plain")


urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics.view),
    path("accounts/oidc/<str:provider_id>/login/", start_single_sign_on),  # before allauth's, which fails when the provider is down
    # Nothing is mailed: who may look after the account gives a link.
    path("accounts/password/reset/", TemplateView.as_view(template_name="account/password_reset.html")),
    path("accounts/", include("allauth.urls")),
    path("places/", include("lianxin.places.urls")),
    path("language/", set_language, name="set_language"),
]
handler400 = "lianxin.faces.errors.bad_request"
handler403 = "lianxin.faces.errors.permission_denied"
handler404 = "lianxin.faces.errors.not_found"
handler500 = "lianxin.faces.errors.server_error"
FACES = (("ogc/", "lianxin.ogc.urls"), ("tiles/", "lianxin.ogc.tile_urls"), ("api/v1/", "lianxin.api.urls"),
         ("scim/v2/", "lianxin.api.scim.urls"), ("desk/", "lianxin.desk.urls"), ("field/", "lianxin.field.urls"),
         ("", "lianxin.portal.urls"))
for prefix, module in FACES:
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found:
        urlpatterns.append(path(prefix, include(module)))
