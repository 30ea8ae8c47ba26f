"""One case: everything about it, and what this person may do now."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.analysis.reports.paper import printed
from lianxin.cases import families, files, policy, queries
from lianxin.cases.actions import attach
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.catalogue.rights import PROPOSERS
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Attachment, Case, Return, State
from lianxin.cases.queries import access_case
from lianxin.cases.queries_clocks import lines_in_file, waiting_in
from lianxin.cases.reference import reference
from lianxin.cases.returns import last_ruled
from lianxin.cases.sayings.clocks import length
from lianxin.cases.states import BY_ACTION, Transition
from lianxin.exchange import queries as queries_exchange
from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, DomainError
from lianxin.kernel.ids import uuid7
from lianxin.kernel.language import named
from lianxin.kernel.text import small_number
from lianxin.linkage import queries as queries_linkage
from lianxin.telephony.policy import hears
from lianxin.telephony.popping import of_case as calls_of
from lianxin.triage import assistant

from ..access import StaffRequest, staff
from ..clock_table import table_of
from ..forms import FORMS, ActionForm, take_faults
from ..queries import last_of, newest_event, newest_event_since, uploads_of
from ..reading import choices_for, clocks_shown, family_of, focus_of, likely_first
from ..typed import path_of
from .assist import ANSWERS
from .boards import EVERY_ACTION, context_for

# Where a ruling still stands before the eyes: the case waits for dispatch, or is with the next unit.
LEARNING = frozenset({State.ACCEPTED, State.DISPATCHED, State.IN_HAND})
WITH_PHOTOS = frozenset({"reply", "settle_on_the_spot", "answer_check"})


def _context(request: StaffRequest, case: Case) -> dict[str, Any]:
    file = queries.case_file(case)
    promises = lines_in_file(file, at=now())
    waiting = waiting_in(promises)
    open_ones = list(families.acting(case, [a for a in file.assignments if a.ended_at is None]))
    identity = policy.can_read_identity(request.actor, case, open_ones)
    return context_for(
        request, file=file, case=case, choices=choices_for(request.actor, case, open_ones,
                                                             likely=likely_first(case, file), waiting=waiting is not None),
        identity=identity, calls=calls_of(case) if identity and hears(request.actor) else [],
        running=clocks_shown(file), clock_table=table_of(case, promises), waiting=waiting,
        asked=last_of(file.timeline, "ask_extension") if waiting else None,
        asked_length=length(waiting.minutes, waiting.clock.calendar) if waiting else "",
        area_path=_area_path(case), submission=str(uuid7()), next=_came_from(request),
        learnt=_learnt(request, case), assisted=len(case.words) >= assistant.LONG and assistant.available(),
        can_attach=policy.can(request.actor, "attach", case,
                              assignment=policy.own_assignment(request.actor, open_ones, "attach")),
        outside=queries_exchange.of_case(request.actor, case) if last_of(file.timeline, "note_outside") else [],
        threads=queries_linkage.of_case(case) if case.linked or case.master_id else [],
        seen=file.timeline[0].event.pk if file.timeline else "", **focus_of(case, file), **family_of(request.actor, case, open_ones),
    )


def _learnt(request: StaffRequest, case: Case) -> Return | None:
    """The ruling from which a change of the catalogue may be proposed, for those who may propose one."""
    return last_ruled(case) if case.returns and case.state in LEARNING and request.actor.has(*PROPOSERS) else None


def _came_from(request: StaffRequest) -> str:
    """The desk page a preview is shown on, so that an action leads back to it."""
    page = request.headers.get("HX-Current-URL", "").partition(request.get_host())[2]
    return page if page.startswith("/desk/") else ""


def draft_name(request: StaffRequest, *parts: str) -> str:
    """Under which name the browser keeps what is typed: by person and form."""
    return ":".join((str(request.user.pk), *parts))


def _area_path(case: Case) -> str:
    held = reference()
    return path_of(held, held.places[case.area_id]) if case.area_id in held.places else ""


@staff()
@require_GET
def detail(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The whole case on one page."""
    return render(request, "desk/case.html", _context(request, access_case(request.actor, case_id, *queries.SHOWN)) | {"full": True})


@staff()
@require_GET
def pane(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The case as the preview beside a list."""
    return render(request, "desk/_case.html", _context(request, access_case(request.actor, case_id, *queries.SHOWN)))


@staff()
@require_GET
def watch(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """What somebody else did to an open case since it was shown: 204 when nothing. Asked every few seconds."""
    try:
        since = uuid.UUID(request.GET.get("since", ""))
    except ValueError:
        return HttpResponse(status=204)
    case = access_case(request.actor, case_id)
    event = newest_event_since(case, since=since, but_not_by=request.actor.staff_id)
    if event is None:
        return HttpResponse(status=204)
    who = named(event.actor.name) if event.actor else event.unit.said if event.unit else event.get_actor_kind_display()
    row = BY_ACTION.get(event.action)
    text = _("%(who)s刚刚做了：%(what)s（现在是“%(state)s”）。") % {
        "who": who, "what": row.label if row else event.action, "state": case.get_state_display()}
    return JsonResponse({"event": str(event.pk), "text": text})


def _changes_since(case: Case, seen: int) -> list[queries.TimelineEntry]:
    return [entry for entry in queries.timeline(case) if entry.event.version > seen]


@staff()
@require_http_methods(["GET", "POST"])
def act(request: StaffRequest, case_id: uuid.UUID, action: str) -> HttpResponse:
    """One action's form, and the action itself. A fault or a conflict shows the form again with what was typed."""
    row = BY_ACTION.get(action)
    if row is None or action not in FORMS or action not in EVERY_ACTION:
        raise Http404(_("没有这个操作。"))
    case = access_case(request.actor, case_id)
    if request.method == "GET":
        form = FORMS[action](case=case, actor=request.actor)
        return _form_page(request, case, row, form, status=200)
    form = FORMS[action](request.POST, case=case, actor=request.actor)
    seen = small_number(request.POST.get("version", ""))
    if not form.is_valid():
        if action in WITH_PHOTOS:
            _store_early(request, form)
        return _form_page(request, case, row, form, status=422, message=_("还差几项，补上再提交。已填的内容都在。"))
    key = submission_key("desk", str(request.user.pk), str(case_id), action, request.POST.get("submission", ""))
    try:
        fields = form.cleaned()
        if action in WITH_PHOTOS:
            fields["attachments"] = [*_kept(request), *_uploads(request)]
        EVERY_ACTION[action](On(case_id, request.actor, version=seen, key=key), **fields)
    except Conflict as error:
        case = access_case(request.actor, case_id)
        changed = _changes_since(case, seen) if seen is not None else []
        return _form_page(request, case, row, form, status=409, message="" if changed else error.message, changed=changed)
    except DomainError as error:
        take_faults(form, error)
        return _form_page(request, case, row, form, status=error.status, message=error.message)
    messages.success(request, _("%(number)s：%(action)s，已办。") % {"number": case.number, "action": row.label},
                     extra_tags=draft_name(request, str(case_id), action))
    after = request.POST.get("next", "")
    target = after if after.startswith("/desk/") else reverse("desk:case", args=[case_id])
    if action == "uphold_return":  # the next thing to do, with the suggested unit filled in
        target = f"{reverse('desk:act', args=[case_id, 'dispatch'])}?{urlencode({'next': after})}"
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": iri_to_uri(target)})
    return redirect(target)


def _uploads(request: StaffRequest) -> list[uuid.UUID]:
    """Store what was sent along. The ids are kept on the request, so that a form shown again carries them on."""
    stored = [
        files.store(file=cast(BinaryIO, upload), name=upload.name or "", size=upload.size or 0, by=request.actor)[0].pk
        for upload in request.FILES.getlist("photos")[: files.FILES_PER_CASE]
    ]
    request.stored = stored
    return stored


def _store_early(request: StaffRequest, form: ActionForm) -> None:
    """A form with faults cannot carry its files back to the browser: they are stored now and stay with it."""
    try:
        _uploads(request)
    except DomainError as error:
        form.add_error(None, str(error))


def _kept(request: StaffRequest) -> list[uuid.UUID]:
    """Files stored with an earlier try of the same form, by the same person, that belong to no case yet."""
    wanted = []
    for value in request.POST.getlist("kept")[: files.FILES_PER_CASE]:
        with contextlib.suppress(ValueError):
            wanted.append(uuid.UUID(value))
    return [one.pk for one in uploads_of(request.user.pk, wanted)] if wanted else []


def _form_page(request: StaffRequest, case: Case, row: Transition, form: ActionForm, *, status: int,
               message: str | Promise = "", changed: list[queries.TimelineEntry] | None = None) -> HttpResponse:
    kept = [*_kept(request), *getattr(request, "stored", [])]
    context = context_for(
        request, case=case, row=row, form=form, message=message, changed=changed or [],
        submission=request.POST.get("submission") if status != 409 and request.method == "POST" else str(uuid7()),
        next=request.POST.get("next") or request.GET.get("next") or _came_from(request),
        draft=draft_name(request, str(case.pk), row.action),
        with_photos=row.action in WITH_PHOTOS, kept=uploads_of(request.user.pk, kept) if kept else [],
        learnt=_learnt(request, case) if row.action == "dispatch" else None,
        field_matter=bool(case.category and case.category.field_matter),
        latest=newest_event(case), assisted=row.action in ANSWERS and assistant.available(),
    )
    name = "desk/_act.html" if request.htmx else "desk/act.html"
    return render(request, name, context, status=status)


@staff()
@require_POST
def identity(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """Show who raised the case, once, after the reason is written down."""
    case = access_case(request.actor, case_id)
    try:
        person = read_identity(On(case_id, request.actor), why=request.POST.get("why", ""))
    except DomainError as error:
        return render(request, "desk/_identity.html", {"message": error.message, "case": case}, status=error.status)
    name = "desk/_identity.html" if request.htmx else "desk/identity.html"
    return render(request, name, context_for(request, person=person, case=case))


@staff()
@require_POST
def attach_files(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """Add files to a case."""
    case = access_case(request.actor, case_id)
    try:
        ids = _uploads(request)
        attach(On(case_id, request.actor), attachments=ids, purpose="proof")
        messages.success(request, _("文件已添加。"))
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(reverse("desk:case", args=[case.pk]))


def _attachment(request: StaffRequest, pk: uuid.UUID) -> Attachment:
    found = get_object_or_404(Attachment, pk=pk, removed_at__isnull=True)
    if found.case_id is not None:
        access_case(request.actor, found.case_id)
    elif found.uploaded_by_id != request.user.pk:
        raise Http404
    return found


@staff()
@require_GET
def attachment(request: StaffRequest, pk: uuid.UUID) -> FileResponse:
    """The file, as a download unless it is a photo."""
    found = _attachment(request, pk)
    response = FileResponse(files.open_file(found), content_type=found.content_type, filename=found.name,
                            as_attachment=found.kind != Attachment.MediaKind.PHOTO)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@staff()
@require_GET
def thumbnail(request: StaffRequest, pk: uuid.UUID) -> FileResponse:
    """A photo's small picture."""
    found = _attachment(request, pk)
    if not found.thumbnail_sha256:
        raise Http404
    return FileResponse(files.open_file(found, thumbnail=True), content_type="image/jpeg")


def _file_html(request: StaffRequest, case_id: uuid.UUID) -> str:
    case = access_case(request.actor, case_id)
    context = _context(request, case)
    context["file"].timeline.reverse()
    context["today"] = now()
    return render_to_string("desk/print.html", context, request=request)


@staff()
@require_GET
def print_file(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The case file for the printer: no identity on it."""
    return HttpResponse(_file_html(request, case_id))


@staff()
@require_GET
def pdf(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The case file as PDF."""
    from django.contrib.staticfiles import finders

    case = access_case(request.actor, case_id)
    style = finders.find("faces/print.css")
    body = printed(_file_html(request, case_id), styles=[str(style)] if style else [])
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.number}.pdf"'
    return response
