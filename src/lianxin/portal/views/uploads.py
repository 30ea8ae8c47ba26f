"""Files one by one while the form is being filled in."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lianxin.cases import files
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.errors import Invalid

from ..queries import upload_of
from ..uploads import read_token, receive

PER_MINUTE = 60


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """One file in, the piece of form that carries it out. Faults are problem details, said by the page."""
    allow("upload", client_address(request), per_minute=PER_MINUTE)
    submission = request.POST.get("submission", "")
    sent = request.FILES.getlist("files")
    if len(sent) != 1 or not 16 <= len(submission) <= 80:
        raise Invalid(_("没有收到文件，请再选一次。"))
    one = receive(sent[0], submission=submission)
    with_offers = request.POST.get("offers", "") == "1"
    html = render_to_string("portal/_upload.html", {"upload": one, "with_offers": with_offers}, request)
    return JsonResponse({"html": html, "name": one.name})


@require_safe
def thumbnail(_request: HttpRequest, token: str) -> HttpResponseBase:
    """A small picture of one's own upload: the address is a signed token that ends after a day."""
    one = read_token(token)
    attachment = upload_of(one.id) if one else None
    if attachment is None:
        raise Http404
    try:
        body = files.open_file(attachment, thumbnail=True)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(body, content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response
