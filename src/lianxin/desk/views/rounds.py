"""巡查: what falls due by place, what was found there, the forms, and the codes on the walls. Never by worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import segno
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from lianxin.cases import files
from lianxin.kernel.clock import now
from lianxin.kernel.text import small_number
from lianxin.patrols import engine, forms, queries
from lianxin.patrols.codes import letters_of, qr_of
from lianxin.patrols.models import FormVersion, Round
from lianxin.patrols.policy import ROLES, reads
from lianxin.places.models import Site

from ..access import StaffRequest, staff
from ..tables import table_file
from .boards import context_for
from .office import day_said

STANDINGS: dict[str, str | Promise] = {
    queries.OVERDUE: gettext_lazy("已过期"), queries.COMING: gettext_lazy("三天内到期"), queries.LATER: gettext_lazy("以后")}
MOODS = {queries.OVERDUE: "vermilion", queries.COMING: "amber", queries.LATER: ""}
KINDS: dict[str, str | Promise] = {
    "one": gettext_lazy("单选"), "many": gettext_lazy("多选"), "number": gettext_lazy("数字"), "text": gettext_lazy("文字"),
    "photo": gettext_lazy("照片"), "note": gettext_lazy("说明"), "group": gettext_lazy("分组")}
SITE_KINDS: dict[str, str | Promise] = {
    "road": gettext_lazy("道路"), "school": gettext_lazy("学校"), "hospital": gettext_lazy("医院"), "market": gettext_lazy("市场"),
    "park": gettext_lazy("公园广场"), "estate": gettext_lazy("小区"), "station": gettext_lazy("车站"), "office": gettext_lazy("机关"),
    "other": gettext_lazy("其他")}
EXPORT_DAYS = 90
MOST_CODES = 400


def _refused(request: StaffRequest) -> HttpResponse:
    return render(request, "desk/refused.html", {
        "reason": _("巡查由乡镇街道、县市区的网格长和负责人，以及热线的督办员查看。")}, status=403)


def _known(value: str, choices: Iterable[str]) -> str:
    return value if value in choices else ""


@staff(*ROLES)
@require_GET
def rounds(request: StaffRequest) -> HttpResponse:
    """Places of the rounds, soonest due first."""
    if not reads(request.actor):
        return _refused(request)
    named = {one.code: one.said for one in Round.objects.filter(active=True)}
    standing, code = _known(request.GET.get("standing", ""), STANDINGS), _known(request.GET.get("round", ""), named)
    board = queries.due_board(request.actor, standing=standing, code=code)
    at = now()
    rows = [{"due": one, "standing": STANDINGS[key], "mood": MOODS[key]}
            for one in board.rows for key in [queries.standing_of(one, at)]]
    kept = {"round": code} if code else {}
    tabs = [("", _("全部"), sum(board.counts.values()), urlencode(kept))] + [
        (key, label, board.counts.get(key, 0), urlencode(kept | {"standing": key})) for key, label in STANDINGS.items()]
    return render(request, "desk/rounds.html", context_for(
        request, tab="rounds", rows=rows, tabs=tabs, standing=standing, round=code, named=sorted(named.items()), left_out=board.left_out))


@staff(*ROLES)
@require_GET
def inspections(request: StaffRequest) -> HttpResponse:
    """What was found, the newest first."""
    if not reads(request.actor):
        return _refused(request)
    named = {one.form.code: one.said for one in forms.current()}
    form, place = _known(request.GET.get("form", ""), named), request.GET.get("place", "")[:60]
    page = queries.inspections(request.actor, form=form, place=place, after=request.GET.get("after", "")[:200])
    asked = {key: value for key, value in (("form", form), ("place", place)) if value}
    today = localdate(now())
    return render(request, "desk/inspections.html", context_for(
        request, tab="inspections", rows=[(one, queries.failed(one)) for one in page.rows], after=page.after, query=urlencode(asked),
        form=form, place=place, named=sorted(named.items()),
        check_ins=queries.check_ins_at(request.actor, place) if place else [], since=today - timedelta(days=EXPORT_DAYS), until=today))


@staff(*ROLES)
@require_GET
def inspection(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One inspection: what was asked then, and answered."""
    if not reads(request.actor):
        return _refused(request)
    row = queries.access_inspection(request.actor, pk)
    photos = queries.photos_of(row)
    return render(request, "desk/inspection.html", context_for(
        request, tab="inspections", row=row, failed=queries.failed(row),
        answers=[(one, photos.get(one.name)) for one in forms.read(row.version, row.answers)]))


@staff(*ROLES)
@require_GET
def inspection_photo(request: StaffRequest, pk: uuid.UUID, question: str, small: bool = False) -> FileResponse:
    """One photo of an inspection."""
    if not reads(request.actor):
        raise Http404
    photo = queries.access_photo(request.actor, pk, question).attachment
    thumbnail = small and bool(photo.thumbnail_sha256)
    response = FileResponse(files.open_file(photo, thumbnail=thumbnail), content_type="image/jpeg" if thumbnail else photo.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@staff(*ROLES)
@require_GET
def answers_file(request: StaffRequest) -> HttpResponse:
    """The answers to one form as CSV or, with `as=xlsx`, as a workbook: no worker, no words somebody wrote, no photo."""
    if not reads(request.actor):
        return _refused(request)
    today = localdate(now())
    form = request.GET.get("form", "")[:40]
    since = day_said(request.GET.get("since", "")) or today - timedelta(days=EXPORT_DAYS)
    until = day_said(request.GET.get("until", "")) or today
    return table_file(queries.answers_table(request.actor, form, since=since, until=until), name=f"{form}-{since}-{until}",
                      form=request.GET.get("as", ""))


@dataclass(frozen=True, slots=True)
class Shown:
    """One question of the preview."""

    label: str
    hint: str
    kind: str | Promise
    required: bool
    sometimes: bool
    choices: list[str]
    heading: bool
    message: str


def _preview(version: FormVersion) -> list[Shown]:
    return [Shown(forms.words(one), forms.words(one, "hint"), KINDS[one["kind"]], bool(one.get("required")), "shown" in one,
                  [forms.words(choice) for choice in one.get("choices", ())], one["kind"] == "group",
                  forms.words(one, "constraint_message")) for one in version.definition["questions"]]


@staff(*ROLES)
@require_GET
def form_list(request: StaffRequest) -> HttpResponse:
    """Every form that is asked."""
    if not reads(request.actor):
        return _refused(request)
    rows = [(one, sum(question["kind"] not in engine.NOTHING_TO_ANSWER for question in one.definition["questions"]))
            for one in forms.current()]
    return render(request, "desk/forms.html", context_for(request, tab="forms", rows=rows))


@staff(*ROLES)
@require_GET
def form_page(request: StaffRequest, code: str) -> HttpResponse:
    """A form as workers see it, of the version asked for or the newest. It is changed in the city's files."""
    if not reads(request.actor):
        return _refused(request)
    versions = list(FormVersion.objects.filter(form__code=code).select_related("form").order_by("-number"))
    number = small_number(request.GET.get("version", ""))
    shown = next((one for one in versions if one.number == number), versions[0] if versions and number is None else None)
    if shown is None:
        raise Http404
    return render(request, "desk/form.html", context_for(
        request, tab="forms", version=shown, versions=versions, questions=_preview(shown), newest=versions[0],
        rules=[(forms.words(rule), forms.words(rule, "words")) for rule in shown.definition["rules"]]))


@dataclass(frozen=True, slots=True)
class Plate:
    """One code to cut out: `picture` is an SVG, `letters` what is typed where nothing can scan."""

    site: Site
    picture: str
    letters: str


def _plate(site: Site) -> Plate:
    code = segno.make(qr_of(site.code), error="q", micro=False)
    return Plate(site, code.svg_inline(scale=5, border=4, omitsize=True, svgclass=None, lineclass=None), letters_of(site.code))


@staff(*ROLES)
@require_GET
def site_codes(request: StaffRequest) -> HttpResponse:
    """The codes of sites: chosen here, and with `print` on sheets of A4, eight on each."""
    if not reads(request.actor):
        return _refused(request)
    kind, every = _known(request.GET.get("kind", ""), SITE_KINDS), request.GET.get("every") == "1"
    found = queries.sites_with_codes(request.actor, kind=kind, code=request.GET.get("site", "")[:40], on_rounds=not every)
    shown = found[:MOST_CODES]
    if request.GET.get("print") == "1" and shown:
        return render(request, "desk/codes_print.html", {"plates": [_plate(site) for site in shown], "today": now()})
    asked = {key: value for key, value in (("kind", kind), ("every", "1" if every else "")) if value}
    context: dict[str, Any] = {"sites": shown, "left_out": len(found) - len(shown), "kind": kind, "every": every,
                               "kinds": SITE_KINDS.items(), "query": urlencode(asked | {"print": "1"})}
    return render(request, "desk/codes.html", context_for(request, tab="codes", **context))
