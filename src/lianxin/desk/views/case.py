"""One case: everything about it, and what this person may do now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases import files, policy, queries
from lianxin.cases.actions import attach
from lianxin.cases.actions.identity import read_identity
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Assignment, AssignmentRole, Attachment, Case
from lianxin.cases.states import BY_ACTION, Transition, transitions_from
from lianxin.kernel.errors import Conflict, DomainError
from lianxin.kernel.ids import uuid7
from lianxin.organisations.actors import Actor

from ..access import StaffRequest, access_case, staff
from ..forms import FORMS, ActionForm, Nothing
from .boards import EVERY_ACTION, context_for


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: the action, whether it is open to this person now, and why not."""

    action: str
    label: str | Promise
    key: str
    allowed: bool
    reason: str | Promise
    at_once: bool = False


def assignment_for(actor: Actor, case: Case, assignments: list[Assignment], action: str) -> Assignment | None:
    """The open assignment an actor would act with."""
    unit_ids = {grant.unit_id for grant in actor.grants}
    own = [a for a in assignments if a.ended_at is None and a.unit_id in unit_ids]
    wanted = AssignmentRole.ASSIST if action.startswith("assist_") else AssignmentRole.LEAD
    return next((a for a in own if a.role == wanted), own[0] if own else None)


def _worth_showing(row: Transition, actor: Actor) -> bool:
    return row.action in FORMS and bool(row.roles & actor.roles)


def choices_for(actor: Actor, case: Case, assignments: list[Assignment]) -> list[Choice]:
    """The buttons of a case page, from the table: open ones first, in the table's order."""
    found = []
    for row in transitions_from(case.state):
        if not _worth_showing(row, actor):
            continue
        mine = assignment_for(actor, case, assignments, row.action)
        decision = policy.can(actor, row.action, case, assignment=mine)
        if row.action in ("assist_sign", "assist_reply") and mine is not None and decision.allowed and (
            (mine.signed_at is None) != (row.action == "assist_sign")
        ):
            continue
        if row.action in ("clear_publication", "refuse_publication") and case.publication not in ("requested", "public"):
            continue
        if row.action == "request_publication" and case.publication == "public":
            continue
        found.append(Choice(row.action, row.label, row.key, decision.allowed, decision.reason,
                            FORMS[row.action] is Nothing))
    return sorted(found, key=lambda choice: not choice.allowed)


def _context(request: StaffRequest, case: Case) -> dict[str, Any]:
    file = queries.case_file(case)
    open_ones = [a for a in file.assignments if a.ended_at is None]
    return context_for(
        request, file=file, case=case, choices=choices_for(request.actor, case, open_ones),
        identity=policy.can_read_identity(request.actor, case, open_ones),
        running=[c for c in file.clocks if c.met_at is None and c.stopped_at is None] or file.clocks[-2:],
        area_path=_area_path(case), submission=str(uuid7()), next=_came_from(request),
        can_attach=policy.can(request.actor, "attach", case,
                              assignment=assignment_for(request.actor, case, open_ones, "attach")),
    )


def _came_from(request: StaffRequest) -> str:
    """The desk page a preview is shown on, so that an action leads back to it."""
    page = request.headers.get("HX-Current-URL", "").partition(request.get_host())[2]
    return page if page.startswith("/desk/") else ""


def draft_name(request: StaffRequest, *parts: str) -> str:
    """Under which name the browser keeps what is typed: by person and form."""
    return ":".join((str(request.user.pk), *parts))


def _area_path(case: Case) -> str:
    from lianxin.cases.reference import reference

    held = reference()
    if case.area_id is None or case.area_id not in held.places:
        return ""
    names = [held.places[pk].said for pk in reversed(held.places[case.area_id].lineage)]
    return " › ".join(names[1:] or names)


@staff()
@require_GET
def detail(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The whole case on one page."""
    return render(request, "desk/case.html", _context(request, access_case(request.actor, case_id)) | {"full": True})


@staff()
@require_GET
def pane(request: StaffRequest, case_id: uuid.UUID) -> HttpResponse:
    """The case as the preview beside a list."""
    return render(request, "desk/_case.html", _context(request, access_case(request.actor, case_id)))


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
        form = FORMS[action](case=case)
        return _form_page(request, case, row, form, status=200)
    form = FORMS[action](request.POST, case=case)
    seen = int(request.POST.get("version", "") or case.version) if request.POST.get("version", "").isdigit() else None
    if not form.is_valid():
        return _form_page(request, case, row, form, status=422, message=_("还差几项，补上再提交。已填的内容都在。"))
    key = submission_key("desk", str(request.user.pk), str(case_id), action, request.POST.get("submission", ""))
    try:
        fields = form.cleaned()
        if action == "reply":
            fields["attachments"] = _uploads(request)
        EVERY_ACTION[action](On(case_id, request.actor, version=seen, key=key), **fields)
    except Conflict as error:
        case = access_case(request.actor, case_id)
        return _form_page(request, case, row, form, status=409, message=error.message,
                          changed=_changes_since(case, seen) if seen is not None else [])
    except DomainError as error:
        for name, fault in error.fields.items():
            form.add_error(name if name in form.fields else None, fault)
        return _form_page(request, case, row, form, status=error.status, message=error.message)
    messages.success(request, _("%(number)s：%(action)s，已办。") % {"number": case.number, "action": row.label},
                     extra_tags=draft_name(request, str(case_id), action))
    after = request.POST.get("next", "")
    target = after if after.startswith("/desk/") else reverse("desk:case", args=[case_id])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _uploads(request: StaffRequest) -> list[uuid.UUID]:
    return [
        files.store(file=cast(BinaryIO, upload), name=upload.name or "", size=upload.size or 0, by=request.actor)[0].pk
        for upload in request.FILES.getlist("photos")[: files.FILES_PER_CASE]
    ]


def _form_page(request: StaffRequest, case: Case, row: Transition, form: ActionForm, *, status: int,
               message: str | Promise = "", changed: list[queries.TimelineEntry] | None = None) -> HttpResponse:
    for name in form.errors:
        if name in form.fields:
            form.fields[name].widget.attrs.update({"aria-invalid": "true", "aria-describedby": f"id_{name}-error"})
    context = context_for(
        request, case=case, row=row, form=form, message=message, changed=changed or [],
        submission=request.POST.get("submission") if status != 409 and request.method == "POST" else str(uuid7()),
        next=request.POST.get("next") or _came_from(request), draft=draft_name(request, str(case.pk), row.action),
        with_photos=row.action == "reply",
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
    from weasyprint import CSS, HTML

    case = access_case(request.actor, case_id)
    style = finders.find("faces/print.css")
    html = HTML(string=_file_html(request, case_id), url_fetcher=_no_fetch)
    body = html.write_pdf(stylesheets=[CSS(filename=style)] if style else [])
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{case.number}.pdf"'
    return response


def _no_fetch(url: str) -> dict[str, Any]:
    """A case file is made of its own words only: nothing is fetched while it is printed."""
    return {"string": "", "mime_type": "text/plain"}
