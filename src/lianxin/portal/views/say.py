"""Saying it: words, place, photo and contact. One form in three screens; with or without JavaScript the same form."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from lianxin.cases.actions import Registered, register
from lianxin.cases.actions.intake import WORDS_LIMIT
from lianxin.cases.engine import submission_key
from lianxin.faces.errors import wants_json
from lianxin.faces.limits import allow, client_address
from lianxin.kernel.coordinates import to_wgs84
from lianxin.kernel.errors import Conflict, DomainError, Invalid
from lianxin.kernel.language import listed, named
from lianxin.kernel.text import clean_text
from lianxin.places import gazetteer
from lianxin.places.locate import AreaHit, locate
from lianxin.triage.danger import SERVICES, Alarm, alarms
from lianxin.triage.personal import redacted
from lianxin.triage.reading import heard

from .. import access
from ..queries import areas_under, counties, plain_names, sent_with
from ..saying import BODY_LIMIT, STEPS, Draft, first_words, new_submission
from ..uploads import LOST, receive_all
from . import danger
from .answers import offered

REGISTER_PER_MINUTE = 20
ASK_PER_MINUTE = 120
PLACES = 12  # places to choose from at once
# Which screen a fault belongs to; the rest belong to the last.
_SCREEN = {"words": "words", "category": "words", "lon": "place", "area": "place", "place_text": "place"}


def question(places: gazetteer.Reading) -> str:
    """What is asked above the places found: which of several of one name, and what a slip of the pen was read as."""
    if not places.hits:
        return ""
    first, count = places.hits[0], len(places.choices)
    said = {"said": first.said, "name": named(first.form), "count": count}
    if count > PLACES:
        return _("叫“%(name)s”的有 %(count)d 处，这里只列了几处。是其中哪一处？不在里面的，请写上县市区和乡镇再找。") % said
    if count:
        return _("叫“%(name)s”的有 %(count)d 处，您说的是哪一处？") % said
    if first.slip:
        return _("您写的是“%(said)s”，是“%(name)s”吗？") % said
    return _("是这里吗？")


def services(found: list[Alarm]) -> list[tuple[str, str]]:
    """The emergency numbers with the words that call for each; no words, no call."""
    called = {alarm.service: listed(alarm.words) for alarm in found}
    return [(service, called.get(service, "")) for service in SERVICES]


def _show(request: HttpRequest, draft: Draft, step: str, *, message: Any = "", fields: dict[str, str] | None = None,
          status: int = 200, found: gazetteer.Reading | None = None, **more: Any) -> HttpResponse:
    if found is None and step == "place" and not draft.has_position and not draft.county:
        found = gazetteer.read(f"{draft.place_text}\n{draft.words}", limit=4)
    warned = alarms(draft.words)
    context = {
        "draft": draft, "step": step, "steps": STEPS, "message": message, "fields": fields or {},
        "found": found.hits[:PLACES] if found else (), "found_question": question(found) if found else "",
        "services": services(warned), "warned": bool(warned), "danger": danger.address(), "limit": WORDS_LIMIT,
        "counties": counties(), "towns": areas_under(draft.county), "villages": areas_under(draft.town),
        "offered": offered(draft.words, heard(draft.words).found) if draft.words.strip() and step != "send" else [],
        "topic_name": plain_names([draft.category]).get(draft.category, ""), **more,
    }
    return render(request, "portal/say.html", context, status=status)


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def say(request: HttpRequest) -> HttpResponse:
    """GET a fresh form; POST takes the step `go` names: a screen, a look-up, or sending it."""
    if request.method != "POST":
        return _show(request, Draft.fresh(topic=request.GET.get("topic", "")), "words")
    draft = Draft.read(request.POST)
    received = receive_all(request.FILES.getlist("files"), submission=draft.submission)
    known = {one.id for one in draft.uploads}
    draft.uploads += [one for one in received.stored if one.id not in known]
    step = request.POST.get("step", "words")
    step = step if step in STEPS else "words"
    go = request.POST.get("go", "enter")
    if "drop" in request.POST:  # that button has no step of its own
        go = step
    if go == "enter":
        go = STEPS[STEPS.index(step) + 1] if step != "send" else "submit"
    if go == "submit":
        return _submit(request, draft, fresh_places=any(one.offers_place for one in received.stored),
                       faults=received.faults)
    if received.faults:
        return _answer_fault(request, draft, "send", Invalid(" ".join(received.faults)))
    if go == "again":
        draft.submission, draft.uploads = new_submission(), []  # files went with the earlier one
        return _show(request, draft, "send")
    if go == "find":
        return _show(request, draft, "place", found=gazetteer.read(draft.place_text or draft.words, limit=8),
                     looked=True)
    if go == "preview":
        draft.publish = True
        draft.prepare_publication()
        return _show(request, draft, "send")
    if go not in STEPS or "drop" in request.POST:
        return _show(request, draft, step)
    if go != "words":
        fault = _fault_in_words(draft)
        if fault is not None:
            return _answer_fault(request, draft, "words", fault)
    return _show(request, draft, go)


def _fault_in_words(draft: Draft) -> Invalid | None:
    if not draft.length:
        return Invalid(_("请先写下您要说的事，一两句话就行。"), fields={"words": _("请写下您要说的事。")})
    if draft.too_long:
        said = {"length": draft.length, "limit": WORDS_LIMIT}
        return Invalid(_("写得太长了：现在 %(length)d 字，最多 %(limit)d 字。请删短一些，写好的都在。") % said,
                       fields={"words": _("请删短一些。")})
    return None


def _answer_fault(request: HttpRequest, draft: Draft, step: str, error: DomainError, **more: Any) -> HttpResponse:
    """The same screen with what is wrong and all that was typed; the page's script gets problem details."""
    if wants_json(request):
        return JsonResponse(
            {"status": error.status, "detail": str(error), "step": step, "fields": error.fields, "code": error.code,
             "files": [one.key for one in draft.uploads]},
            status=error.status, content_type="application/problem+json",
        )
    return _show(request, draft, step, message=str(error), fields=error.fields, status=error.status, **more)


def _submit(request: HttpRequest, draft: Draft, *, fresh_places: bool, faults: tuple[str, ...]) -> HttpResponse:
    fault = _fault_in_words(draft)
    if fault is not None:
        return _answer_fault(request, draft, "words", fault)
    if faults:
        return _answer_fault(request, draft, "send", Invalid(" ".join(faults)))
    if draft.lost:
        return _answer_fault(request, draft, "send", Invalid(LOST, code="files", fields={"files": _("请重新添加文件。")}))
    if draft.publish and draft.confidential:
        return _answer_fault(request, draft, "send", Invalid(
            _("“要求保密”和“同意公开”只能选一样。"), fields={"publish": _("要求保密的事不公开。")}))
    if draft.prepare_publication():
        return _answer_fault(request, draft, "send", Invalid(
            _("公开之前，请先看一遍下面要公开的文字，改好再提交。"), code="preview", fields={"body": _("请看一遍。")}))
    if fresh_places and not (draft.has_position or draft.county or draft.picked or draft.use_place):
        return _show(request, draft, "send", message=_("照片里带有位置。要用它作地点就勾上；不用的话直接提交。"))
    try:
        allow("register", client_address(request), per_minute=REGISTER_PER_MINUTE)
        registered = register(intake=draft.intake(), by=access.RESIDENT, key=submission_key("portal", draft.submission))
    except Conflict as error:
        return _sent_already(request, draft, error)
    except DomainError as error:
        step = next((_SCREEN[name] for name in error.fields if name in _SCREEN), "send")
        if "lon" in error.fields:
            draft.lon = draft.lat = draft.use_place = ""
        return _answer_fault(request, draft, step, error)
    return _welcome(request, registered)


def _welcome(request: HttpRequest, registered: Registered) -> HttpResponse:
    url = reverse("portal:answer")
    response: HttpResponse = JsonResponse({"next": url}) if wants_json(request) else redirect(url)
    access.remember(response, registered.case_id)
    return response


def _sent_already(request: HttpRequest, draft: Draft, error: Conflict) -> HttpResponse:
    """This form was sent before. The same words: the same answer. Other words: the person says what they want."""
    case = sent_with(submission_key("portal", draft.submission))
    if case is None:
        return _answer_fault(request, draft, "send", error)
    if case.words == clean_text(draft.said(), max_length=WORDS_LIMIT, multiline=True):
        url = reverse("portal:answer")
        response: HttpResponse = JsonResponse({"next": url}) if wants_json(request) else redirect(url)
    else:
        fault = Conflict(
            _("刚才那次提交其实已经收到了，编号 %s。您现在改动过内容：要补充，请打开那一件；要另外登记一件，请点“另登记一件”。")
            % case.number, code="sent_already",
        )
        response = _answer_fault(request, draft, "send", fault, sent=case)
    access.remember(response, case.pk)
    return response


@require_POST
def listen(request: HttpRequest) -> JsonResponse:
    """What the words seem to be about, and the places they name. JSON for the page's script."""
    allow("ask", client_address(request), per_minute=ASK_PER_MINUTE)
    words = request.POST.get("words", "")[:WORDS_LIMIT]
    place = request.POST.get("place_text", "")[:300]
    suggestions = heard(words).found
    names = plain_names([one.code for one in suggestions])
    found = offered(words, suggestions) if words.strip() and not place.strip() else []
    places = gazetteer.read(place if place.strip() else words, limit=4)
    return JsonResponse({
        "answers": render_to_string("portal/_offered.html", {"offered": found}) if found else "",
        "topics": [{"code": one.code, "name": names.get(one.code, one.name)} for one in suggestions if one.score > 0.15],
        "places": [
            {"code": hit.code, "name": named(hit.name), "path": named(hit.path)}
            for hit in places.hits[:PLACES]
        ],
        "question": question(places),
    })


def where_of(hit: AreaHit) -> str:
    """`岳阳楼区 › 金鹗山街道 › 花板桥社区（村界为推算）`."""
    path = " › ".join(named(spot.name) for spot in (hit.county, hit.town, hit.village) if spot is not None)
    return f"{path}{_('（村社区边界为推算，可能有出入）')}" if hit.synthetic and path else path


@require_POST
def where(request: HttpRequest) -> JsonResponse:
    """The area a position lies in, in words; outside the city it says so."""
    allow("ask", client_address(request), per_minute=ASK_PER_MINUTE)
    try:
        lon, lat = to_wgs84(float(request.POST.get("lon", "")), float(request.POST.get("lat", "")),
                            request.POST.get("system", "") or "wgs84")
    except ValueError:
        raise Invalid(_("位置的坐标不对，请重新选择地点。")) from None
    hit = locate(lon, lat)
    if hit.inside is False:
        text = _("这个位置不在本市，离%(county)s约 %(far)d 公里。您写的都在；请在地图上重新点，或者选乡镇和村社区。") % {
            "county": named(hit.nearest_county), "far": max(round(hit.distance / 1000), 1)}
        return JsonResponse({"inside": False, "text": text})
    return JsonResponse({"inside": True, "text": where_of(hit), "lon": lon, "lat": lat})


@require_POST
def redact(request: HttpRequest) -> JsonResponse:
    """A first pass over the words that are to be public."""
    allow("ask", client_address(request), per_minute=ASK_PER_MINUTE)
    name = request.POST.get("name", "")[:60]
    body = redacted(request.POST.get("words", "")[:WORDS_LIMIT], names=(name,) if name else ())[:BODY_LIMIT]
    return JsonResponse({"title": first_words(body), "body": body})
