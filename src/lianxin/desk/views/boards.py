"""Lists: boards by role, bulk actions, saved filters, the live line, the supervisor's overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from lianxin.cases import policy, queries
from lianxin.cases.actions import ACTIONS
from lianxin.cases.engine import On, submission_key
from lianxin.cases.models import Case, Channel, Kind, Outcome, State, Urgency
from lianxin.cases.queries import Page
from lianxin.cases.reference import reference, today_of
from lianxin.cases.states import BY_ACTION
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError
from lianxin.kernel.ids import normalise_case_number, uuid7_floor
from lianxin.linkage.policy import works as works_linkage
from lianxin.organisations.models import Role
from lianxin.quality.actions import ACTIONS as QUALITY_ACTIONS
from lianxin.quality.queries import resting
from lianxin.supervision.actions import ACTIONS as SUPERVISION_ACTIONS

from .. import menu
from ..access import StaffRequest, staff
from ..boards import ALL, BY_CODE, Board, boards_for, chips_of, filters_from, page_of, units_of
from ..calls import with_tries
from ..models import SavedFilter
from ..queries import clerk_day
from ..rows import Line, lines

BULK_LIMIT = 100
# Filters without a field of their own in the form: they stay when another is changed.
KEPT_KEYS = ("officer", "unit", "came", "task", "open", "tried", "outcome", "closed")
EVERY_ACTION: dict[str, Callable[..., object]] = {**ACTIONS, **QUALITY_ACTIONS, **SUPERVISION_ACTIONS}
_FIRST = (
    (Role.OPERATOR, "desk:call", ""), (Role.DISPATCHER, "desk:board", "queue"), (Role.CLERK, "desk:board", "mine"),
    (Role.REVIEWER, "desk:board", "review"), (Role.CALLBACK, "desk:board", "callback"),
    (Role.SUPERVISOR, "desk:overview", ""), (Role.LEADER, "desk:overview", ""), (Role.HEAD, "desk:overview", ""),
    (Role.TEAM_LEAD, "desk:grids", ""), (Role.GRID_WORKER, "desk:call", ""), (Role.CARE_KEEPER, "desk:care", ""),
    (Role.ADMINISTRATOR, "desk:office", ""),
)


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """One filter of a list: its name in the address, its label, its options."""

    name: str
    label: str
    options: list[tuple[str, str]]
    main: bool = False


@staff()
def home(request: StaffRequest) -> HttpResponse:
    """To the screen a person starts their day with."""
    for role, name, code in _FIRST:
        if request.actor.has(role):
            return redirect(reverse(name, args=[code] if code else []))
    reason = _("这个账号没有工作台上的岗位。要在这里办件，请找本单位的系统管理员加岗位。")
    return render(request, "desk/refused.html", {"reason": reason, "nowhere": True}, status=403)


def asked_board(request: StaffRequest, code: str) -> Board:
    """The list of an address, if it is one of this person's. Raises Http404."""
    board = BY_CODE.get(code)
    if board is None or not request.actor.has(*board.roles):
        raise Http404(_("没有这个列表。"))
    return board


def names_of() -> dict[str, dict[str, str]]:
    """What the values of filters are called, by filter."""
    held = reference()
    return {
        "state": {value: str(label) for value, label in State.choices},
        "channel": {value: str(label) for value, label in Channel.choices},
        "urgency": {value: str(label) for value, label in Urgency.choices},
        "kind": {value: str(label) for value, label in Kind.choices},
        "category": {node.code: node.said for node in held.nodes.values()},
        "county": {place.code: place.said for place in held.places.values() if place.level == "county"},
        "unit": {unit.code: unit.said for unit in held.units.values()},
        "due": {"overdue": _("已超时"), "today": _("今天到期和已超时"), "soon": _("一天内到期")},
        "open": {"1": _("在办的")},
        "returned": {"1": _("退过单")},
        "reopened": {"1": pgettext("figure", "重办")},
        "mark": {"redone": _("审核退回过"), "paused": _("挂起中"), "supervised": _("督办中"), "for_supervisor": _("交督办决定"),
                 "offered": _("移交中")},
        "outcome": {value: str(label) for value, label in Outcome.choices},
        "closed": {"30d": _("近一个月归档")},
        "came": {"back": _("退回来的")},
        "officer": {"me": _("只看我的")},
        "task": {"assigned": _("待签收")},
        "tried": {"1": _("连刚打过的也显示")},
    }


def filter_choices(board: Board, names: dict[str, dict[str, str]]) -> list[FilterChoice]:
    """What a list can be narrowed by; `main` ones stand in the open, the others behind one button."""
    held = reference()
    tops = [(node.code, node.said) for node in sorted(held.nodes.values(), key=lambda n: n.code)
            if len(node.lineage) == 1]
    states = [(value, names["state"][value]) for value in board.filter_states]
    found = [
        FilterChoice("state", _("状态"), states, main=True),
        FilterChoice("category", _("事项"), tops, main=True),
        FilterChoice("county", _("县市区"), sorted(names["county"].items()), main=True),
        FilterChoice("due", _("期限"), list(names["due"].items()), main=True),
        FilterChoice("urgency", _("紧急程度"), list(names["urgency"].items())),
        FilterChoice("channel", _("渠道"), list(names["channel"].items())),
        FilterChoice("kind", _("类型"), list(names["kind"].items())),
        FilterChoice("returned", _("退单"), [("1", _("退过单"))]),
        FilterChoice("reopened", pgettext("figure", "重办"), [("1", pgettext("figure", "重办"))]),
        FilterChoice("mark", _("标记"), list(names["mark"].items())),
    ]
    return [choice for choice in found if choice.options]


def context_for(request: StaffRequest, **more: Any) -> dict[str, Any]:
    """What every desk page has: the menu and the boards of this person."""
    return {"boards": boards_for(request.actor), "actor": request.actor, "can_call": menu.FIRST[0].shown(request.actor),
            "is_agent": menu.is_agent(request.actor), "works_linkage": works_linkage(request.actor),
            "menu_first": menu.entries(request.actor, menu.FIRST), "menu_rest": menu.entries(request.actor, menu.REST), **more}


def reader(request: StaffRequest, shown: Board) -> Callable[..., Page]:
    """The pages of a list as the address narrows it, by `after` and `limit`."""
    task = request.GET.get("task", "")
    return partial(page_of, shown, request.actor, filters=filters_from(request.GET), officer=request.GET.get("officer") == "me",
                   states=(task,) if task in ("assigned", "in_hand", "objected") else (),
                   everybody=request.GET.get("tried") == "1")


@staff()
@require_GET
def board(request: StaffRequest, code: str) -> HttpResponse:
    """One list with a preview beside it."""
    shown = asked_board(request, code)
    names = names_of()
    filters = filters_from(request.GET)
    mine = request.GET.get("officer") == "me"
    page = reader(request, shown)(after=request.GET.get("after", ""))
    rest = request.GET.copy()
    rest.pop("after", None)
    saved = SavedFilter.objects.filter(board=code, staff=request.user)
    if request.actor.unit_id is not None:
        saved |= SavedFilter.objects.filter(board=code, shared=True, unit_id=request.actor.unit_id)
    choices = filter_choices(shown, names)
    return render(request, "desk/board.html", context_for(
        request, board=shown, page=page, lines=_lines(shown, page.rows, filters.text), chips=chips_of(request.GET, names),
        query=rest.urlencode(), choices=choices,
        more_on=any(request.GET.get(choice.name) for choice in choices if not choice.main),
        hidden=[(key, request.GET[key]) for key in KEPT_KEYS if request.GET.get(key)],
        values=request.GET, mine=mine, saved=saved.select_related("staff").order_by("name"),
        since=str(uuid7_floor(now())),
        bulk=[(name, label_of(name)) for name in shown.bulk],
        urgent_total=sum(case.urgency == Urgency.URGENT for case in page.rows),
        day=clerk_day(units_of(request.actor), at=now(), officer_id=request.actor.staff_id if mine else None)
        if shown.by_unit else None,
        resting=resting(request.actor, filters=filters, at=now()) if shown.code == "callback" and not request.GET.get("tried") else 0,
    ))


def _lines(shown: Board, cases: list[Case], searched: str) -> list[Line]:
    made = lines(cases, searched)
    return with_tries(made, cases) if shown.code in ("callback", "decide") else made


def label_of(action: str) -> str:
    return str(BY_ACTION[action].label)


@staff()
@require_GET
def live(request: StaffRequest, code: str) -> JsonResponse:
    """How many cases of this board changed since the page was made. Cheap: it reads new events only."""
    shown = asked_board(request, code)
    try:
        since = UUID(request.GET.get("since", ""))
    except ValueError:
        return JsonResponse({"count": 0})
    count = queries.changed_for(request.actor, since=since, states=shown.states if not shown.by_unit else (),
                                unit_ids=[g.unit_id for g in request.actor.grants] if shown.by_unit else None)
    text = ngettext("%d 件有新变化，点这里刷新", "%d 件有新变化，点这里刷新", count) % count
    return JsonResponse({"count": count, "text": text})


def _bulk_fields(action: str, case: Case) -> dict[str, Any] | None:
    """Arguments of an action done to many: what the catalogue says for each; None when it says nothing."""
    if action == "accept":
        return {"category": case.category.code} if case.category else None
    if action == "dispatch":
        answer = reference().responsible(category_id=case.category_id, area_id=case.area_id, on=today_of(now()))
        if answer is None:
            return None
        return {"lead_unit": answer.lead.code, "assisting_units": [unit.code for unit in answer.assisting]}
    return {}


@staff()
@require_POST
def bulk(request: StaffRequest, code: str) -> HttpResponse:
    """One action on many cases, each in its own transaction: what cannot be done is said, the rest is done.

    Undo is the browser's: it holds the submission for ten seconds with 撤销 in view, and sends it at once when the
    page is closed. Once here it is done; the remedy is then the table's (redispatch, send back), as for one case.
    """
    shown = asked_board(request, code)
    name = request.POST.get("action", "")
    if name not in shown.bulk:
        raise Http404(_("这个列表没有这个批量操作。"))
    run = EVERY_ACTION[name]
    chosen: list[UUID] = []
    for value in request.POST.getlist("case")[:BULK_LIMIT]:
        try:
            chosen.append(UUID(value))
        except ValueError:
            continue
    done = 0
    refused: list[str] = []
    found = {case.pk: case for case in queries.rows(Case.objects.filter(policy.visible_to(request.actor), pk__in=chosen))}
    for pk in chosen:
        case = found.get(pk)
        if case is None:
            continue
        fields = _bulk_fields(name, case)
        if fields is None:
            refused.append(_("%(where)s：%(reason)s") % {
                "where": case.number, "reason": _("缺事项或派单目录没有这一项，请单独办理。")})
            continue
        key = submission_key("bulk", str(request.user.pk), request.POST.get("submission", ""), name, str(pk))
        try:
            run(On(pk, request.actor, key=key), **fields)
            done += 1
        except DomainError as error:
            refused.append(_("%(where)s：%(reason)s") % {"where": case.number, "reason": error})
    if done:
        messages.success(request, ngettext("%d 件已办。", "%d 件已办。", done) % done)
    for line in refused[:10]:
        messages.warning(request, line)
    if len(refused) > 10:
        messages.warning(request, _("另有 %d 件没有办成。") % (len(refused) - 10))
    query = request.POST.get("query", "")
    return redirect(f"{reverse('desk:board', args=[code])}{'?' + query if query else ''}")


@staff()
@require_POST
def save_filter(request: StaffRequest, code: str) -> HttpResponse:
    """Keep the filter that is on under a name."""
    shown = asked_board(request, code)
    name, query = request.POST.get("name", "").strip()[:40], request.POST.get("query", "")[:500]
    if not name:
        messages.warning(request, _("请给筛选起个名字。"))
    else:
        try:
            with transaction.atomic():
                SavedFilter.objects.create(staff=request.user, unit_id=request.actor.unit_id, board=shown.code,
                                           name=name, query=query, shared=request.POST.get("shared") == "1")
            messages.success(request, _("筛选已保存。"))
        except IntegrityError:
            messages.warning(request, _("已有同名的筛选，请换个名字。"))
    return redirect(f"{reverse('desk:board', args=[code])}?{query}")


@staff()
@require_POST
def delete_filter(request: StaffRequest, pk: int) -> HttpResponse:
    kept = get_object_or_404(SavedFilter, pk=pk, staff=request.user)
    kept.delete()
    return redirect(reverse("desk:board", args=[kept.board]))


@staff()
@require_GET
def find(request: StaffRequest) -> HttpResponse:
    """A number goes to its case; words go to the list of everything."""
    text = request.GET.get("q", "").strip()
    number = normalise_case_number(text)
    if number:
        case = Case.objects.filter(policy.visible_to(request.actor), number=number).only("pk").first()
        if case is not None:
            return redirect(reverse("desk:case", args=[case.pk]))
    return redirect(f"{reverse('desk:board', args=[ALL.code])}?{urlencode({'q': text})}")
