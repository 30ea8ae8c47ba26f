"""导入工单: a file of another system at the desk – its columns matched, every row tried, then imported as a job."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

import yaml
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lianxin.cases.previewing import FieldSeen
from lianxin.kernel.errors import DomainError, Invalid
from lianxin.organisations.models import Role
from lianxin.transfer import casefiles
from lianxin.transfer.casefiles import Look
from lianxin.transfer.guessing import CODED, SAID, spec_of, values_for
from lianxin.transfer.models import CaseImport

from ..access import StaffRequest, refused, staff
from .boards import context_for

AS_IT_IS: Final = "="  # what the mapping says of a field stays, where the page has no words for it
LONGEST: Final = 200_000  # characters of a mapping file
VALUES_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of ours on the page: which column it comes from, what becomes of it, and the words that still have no place."""

    name: str
    said: str | Promise
    chosen: str
    as_it_is: str
    seen: FieldSeen | None
    values: str | None
    open_values: int


def _list(request: StaffRequest, *, message: str = "", status: int = 200) -> HttpResponse:
    try:
        found = casefiles.listed(request.actor)
    except DomainError as error:
        return refused(request, error)
    return render(request, "desk/imports.html", context_for(
        request, found=found, message=message, system=request.POST.get("system", ""), largest=casefiles.LARGEST // 1024 // 1024),
        status=status)


@staff(Role.ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def imports(request: StaffRequest) -> HttpResponse:
    """Earlier imports, and where a file is brought."""
    if request.method == "GET":
        return _list(request)
    upload = request.FILES.get("file")
    if upload is None:
        return _list(request, message=_("请选一个文件。"), status=422)
    try:
        mapping = _mapping_file(request)
        one = casefiles.store(request.actor, file=upload, name=upload.name or "", size=upload.size or 0,  # type: ignore[arg-type]
                              system=request.POST.get("system", ""), mapping=mapping)
    except DomainError as error:
        return _list(request, message=str(error), status=error.status)
    return redirect("desk:import_one", one.pk)


def _mapping_file(request: StaffRequest) -> Any:
    """A mapping that was brought along, or None. Raises Invalid."""
    upload = request.FILES.get("mapping")
    if upload is None:
        return None
    try:
        return yaml.safe_load(upload.read(LONGEST).decode("utf-8-sig"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid(_("映射文件读不出来：%s") % str(error)[:200]) from error


def _columns_of(spec: Any) -> list[str]:
    if isinstance(spec, str):
        return [spec]
    if not isinstance(spec, dict):
        return []
    return [str(one) for one in spec.get("columns") or [spec.get("column")] if one]


def _rows(one: CaseImport, look: Look) -> list[FieldRow]:
    seen = {field.name: field for field in look.seen.fields} if look.seen else {}
    made = []
    for name, said in SAID.items():
        spec = one.mapping.get("fields", {}).get(name)
        columns = _columns_of(spec)
        several = len(columns) > 1
        values: str | None = None
        waiting = 0
        if name in CODED and columns:
            given = dict(spec.get("values") or {}) if isinstance(spec, dict) else {}
            missing = {word: code for word, code in (values_for(seen[name]) if name in seen else {}).items() if word not in given}
            values = "\n".join(f"{word}={code}" for word, code in [*given.items(), *list(missing.items())[:VALUES_SHOWN]])
            waiting = len(missing)
        made.append(FieldRow(
            name, said, AS_IT_IS if several else columns[0] if columns else "", " + ".join(columns) if several else "", seen.get(name),
            values, waiting))
    return made


def _page(request: StaffRequest, one: CaseImport, *, message: str = "", status: int = 200) -> HttpResponse:
    look = None
    if one.forgotten_at is None and not one.running:
        try:
            look = Look(one)
        except DomainError as error:
            message, status = message or str(error), max(status, error.status)
    return render(request, "desk/import.html", context_for(
        request, one=one, look=look, rows=_rows(one, look) if look else [], message=message, silent=casefiles.silent(one),
        looked_at=casefiles.LOOKED_AT, counts=one.counts), status=status)


@staff(Role.ADMINISTRATOR)
@require_GET
def import_one(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One import: what it looks like, how far it is, what came of it."""
    try:
        return _page(request, casefiles.access(request.actor, pk))
    except DomainError as error:
        return refused(request, error)


@staff(Role.ADMINISTRATOR)
@require_GET
def import_state(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """How far it is, asked for every other second; at its end the whole page is."""
    try:
        one = casefiles.access(request.actor, pk)
    except DomainError as error:
        return refused(request, error)
    if not one.running:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "desk/_import_state.html", {"one": one, "counts": one.counts, "silent": casefiles.silent(one)})


def _mapped(one: CaseImport, query: QueryDict) -> dict[str, Any]:
    """The mapping as the form says it. What the form has no words for stays as it was."""
    before: dict[str, Any] = one.mapping.get("fields", {})
    fields: dict[str, Any] = {}
    for name in SAID:
        chosen = query.get(f"column-{name}", "")
        if not chosen:
            continue
        spec = before.get(name)
        if chosen != AS_IT_IS and _columns_of(spec) != [chosen]:
            spec = spec_of(name, [chosen])
        if spec is None:
            continue
        if name in CODED:
            spec = _with_values(spec, query.get(f"values-{name}", ""))
        fields[name] = spec
    made = {**one.mapping, "fields": fields, "accept": query.get("accept") == "1", "outside": query.get("outside") == "1"}
    if query.get("encoding") in ("auto", "utf-8-sig", "gb18030"):
        made["encoding"] = query["encoding"]
    return made


def _with_values(spec: Any, said: str) -> Any:
    """A field with the words that are looked up: a line for each, `word=code`. A word without a code keeps having no place. Raises
    Invalid for a line without `=`."""
    values: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in said[:LONGEST].splitlines())):
        word, equals, code = line.rpartition("=")
        if not equals:
            raise Invalid(_("“%s”：每行写“原来的词=代码”。") % line[:60])
        if code.strip():
            values[word.strip()] = code.strip()
    plain = {"columns": _columns_of(spec)} if isinstance(spec, str) else {key: value for key, value in spec.items() if key != "values"}
    if values:
        return {**plain, "values": values}
    return spec if isinstance(spec, str) else plain


@staff(Role.ADMINISTRATOR)
@require_POST
def import_step(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Match the columns anew, try, import, stop, delete the file."""
    if step not in ("map", "try", "run", "stop", "forget"):
        raise Http404
    try:
        one = casefiles.access(request.actor, pk)
    except DomainError as error:
        return refused(request, error)
    try:
        if step == "map":
            casefiles.remap(request.actor, pk, _mapped(one, request.POST))
            messages.success(request, _("对应关系已保存，下面是照它读出来的。"))
        elif step in ("try", "run"):
            casefiles.start(request.actor, pk, dry=step == "try")
        elif step == "stop":
            casefiles.stop(request.actor, pk)
        else:
            casefiles.forget(request.actor, pk)
            messages.success(request, _("文件已删除，导入的工单不受影响。"))
    except DomainError as error:
        return _page(request, casefiles.access(request.actor, pk), message=str(error), status=error.status)
    return redirect("desk:import_one", pk)


@staff(Role.ADMINISTRATOR)
@require_GET
def import_rejects(request: StaffRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The refused rows as they came, each with its line and the reason."""
    try:
        file = casefiles.open_rejects(request.actor, pk)
    except DomainError as error:
        return refused(request, error)
    name = _("退回的行")
    return FileResponse(file, as_attachment=True, content_type="text/csv; charset=utf-8", filename=f"{name}-{str(pk)[:8]}.csv")


@staff(Role.ADMINISTRATOR)
@require_GET
def import_mapping(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The mapping as a file: for the next import, and for the command."""
    try:
        one = casefiles.access(request.actor, pk)
    except DomainError as error:
        return refused(request, error)
    response = HttpResponse(yaml.safe_dump(one.mapping, allow_unicode=True, sort_keys=False), content_type="text/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="mapping-{str(pk)[:8]}.yaml"'
    return response
