"""导出表格: each list of the desk as a workbook, for whom its page is for, narrowed as its page is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.http import Http404, HttpResponseBase
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from lianxin.analysis.reports import access
from lianxin.analysis.reports.access import READERS
from lianxin.analysis.reports.cases import MEASURES, behind
from lianxin.cases import checks as check_list
from lianxin.cases import ledger, missed_calls
from lianxin.cases.queries import Page
from lianxin.cases.readings import readings
from lianxin.cases.reference import today_of
from lianxin.cases.standings import standings, standings_by
from lianxin.exchange import policy as exchange_policy
from lianxin.exchange import queries as systems
from lianxin.fieldwork import leads
from lianxin.fieldwork.coverage import coverage
from lianxin.kernel.clock import now
from lianxin.kernel.errors import DomainError, NotAllowed
from lianxin.linkage import policy as linkage_policy
from lianxin.linkage import review
from lianxin.organisations.models import Role
from lianxin.patrols import policy as rounds_policy
from lianxin.patrols import queries as round_list
from lianxin.quality.campaigns import may_order
from lianxin.quality.queries import campaign_figures
from lianxin.supervision import queries as supervision
from lianxin.telephony import staffing as staffing_plan
from lianxin.triage import offers
from lianxin.triage.hot import policy as hot_policy
from lianxin.triage.hot import queries as hot_list

from .. import field_work, menu, sheets
from ..access import StaffRequest, refused, staff
from ..boards import chips_of
from ..sheets import MOST, STEP, Part, Taken, every, ledgers
from ..sheets.cases import cases_of, cases_part
from . import heard, hot, knowledge, linkage_review, office, reports, returns, rounds, staffing
from . import supervision as overview
from .boards import asked_board, names_of, reader
from .field_work import unit_of


@staff()
@require_GET
def board_sheet(request: StaffRequest, code: str) -> HttpResponseBase:
    """One list of cases, with the filters of its address."""
    shown = asked_board(request, code)
    page = reader(request, shown)
    title = str(shown.title)
    narrowed = [chip.label for chip in chips_of(request.GET, names_of()) if chip.label != request.GET.get("q")]
    if request.GET.get("q"):
        narrowed.append(_("有查找的词"))
    part = cases_part(title, cases_of(lambda after: page(after=after, limit=STEP)), tries=code in ("callback", "decide"))
    return sheets.answered(Taken(f"board-{code}", title, [part], narrowed), request.actor)


def _orders(request: StaffRequest) -> Taken:
    at = now()
    page = partial(supervision.orders_for, request.actor, state=request.GET.get("state", ""), level=request.GET.get("level", ""),
                   limit=STEP)
    return _one("orders", ledgers.orders(every(lambda after: page(after=after)), at))


def _one(name: str, part: Part) -> Taken:
    return Taken(name, part.title, [part])


def _listings(request: StaffRequest) -> Taken:
    return _one("listings", ledgers.listings(supervision.listings(), localdate(now())))


def _overview(request: StaffRequest) -> Taken:
    at, unit_id = now(), overview.own_unit(request)
    parts = [ledgers.states(overview.by_state(standings(request.actor, at=at, unit_id=unit_id)))]
    if unit_id is None:
        parts += [ledgers.standings(_("按主办单位"), "lead_unit", standings_by(request.actor, "lead_unit", at=at)),
                  ledgers.standings(_("按县市区"), "county", standings_by(request.actor, "county", at=at))]
    return Taken("overview", _("总览"), parts)


def _report_cases(request: StaffRequest) -> Taken:
    reach = access.reach_of(request.actor)
    wanted = reports.wanted_of(request.GET)
    asked = reports.reach_cases(reach, wanted)
    title = str(MEASURES.get(wanted.measure, "")) or _("报告")
    found = behind(request.actor, asked, limit=MOST + 1)
    return Taken("report-cases", title, [cases_part(title, found.rows)], [wanted.period, *reports.narrowed_said(wanted)])


def _hot(request: StaffRequest) -> Taken:
    _need(hot_policy.reads(request.actor))
    shown, _county, county_id = hot.asked_of(request)
    page = partial(hot_list.issues_for, request.actor, trends=hot.SHOWN[shown][0], county=county_id, limit=STEP)
    return Taken("hot", _("热点"), [ledgers.hot(every(lambda after: page(after=after))),
                                  ledgers.surges(hot_list.surges_for(request.actor, county=county_id))], [str(hot.SHOWN[shown][1])])


def _hot_issue(request: StaffRequest) -> Taken:
    _need(hot_policy.reads(request.actor))
    try:
        issue = hot_list.access_issue(request.actor, UUID(request.GET.get("issue", "")))
    except ValueError:
        raise Http404 from None
    return Taken("hot-issue", issue.name, [cases_part(_("工单"), cases_of(
        lambda after: Page(*hot_list.cases_of(request.actor, issue, after=after, limit=STEP))))])


def _returns(request: StaffRequest) -> Taken:
    asked, by = returns.asked_of(request), request.GET.get("by", "unit")
    by = by if by in ledger.GROUPS else "unit"
    rows = ledger.tallies(request.actor, asked.narrow, by)
    labels = returns.labels_of([one.key for one in rows], by)
    whole = (_("合计"), ledger.total(request.actor, asked.narrow))
    return Taken("returns", _("退单台账"), [ledgers.tallies(
        str(returns.BY[by]), [*((labels.get(one.key, one.key), one) for one in rows), whole])], _since(asked.values))


def _since(values: dict[str, str]) -> list[str]:
    return [f"{values['since']} – {values['until']}"]


def _return_entries(request: StaffRequest) -> Taken:
    asked = returns.asked_of(request)

    page = partial(ledger.page, request.actor, asked.narrow, limit=STEP)
    return Taken("return-entries", _("退单明细"), [ledgers.return_entries(
        every(lambda after: page(after=after)), returns.labels_of((), "reason"), returns.rule_said_of)], _since(asked.values))


def _missed(request: StaffRequest) -> Taken:
    return _one("missed-calls", ledgers.missed(missed_calls.waiting(request.actor, limit=MOST + 1), now()))


def _checks(request: StaffRequest) -> Taken:
    return Taken("checks", _("现场核查"), ledgers.checks(check_list.listed(request.actor), now()))


def _rounds(request: StaffRequest) -> Taken:
    _need(rounds_policy.reads(request.actor))
    standing = request.GET.get("standing", "")
    standing = standing if standing in rounds.STANDINGS else ""
    found = round_list.due_board(request.actor, standing=standing, code=request.GET.get("round", "")[:40], most=MOST + 1)
    return _one("rounds", ledgers.rounds(found.rows, rounds.STANDINGS, now()))


def _grids(request: StaffRequest) -> Taken:
    unit = unit_of(request)
    part = ledgers.grids(coverage(unit, leads.need(request.actor), at=now()))
    return Taken("grids", part.title, [part], [unit.said])


def _grid_tasks(request: StaffRequest) -> Taken:
    unit = unit_of(request)
    page = partial(field_work.open_tasks, request.actor, unit, area=request.GET.get("area", "")[:24])
    part = ledgers.grid_tasks(every(lambda after: page(after=after), key=lambda one: one))
    return Taken("grid-tasks", part.title, [part], [unit.said])


def _campaigns(request: StaffRequest) -> Taken:
    _need(may_order(request.actor))
    return _one("campaigns", ledgers.campaigns(campaign_figures()))


def _review_entries(request: StaffRequest) -> Taken:
    _need(linkage_policy.reviews(request.actor))
    week, partner = linkage_review.asked_of(request)
    which = request.GET.get("which", "")
    if which not in review.WHICH:
        raise Http404
    found = review.behind(week, which, partner=partner, category=request.GET.get("category", "")[:210])
    part = ledgers.handovers(str(linkage_review.SAID[which]), found)
    return Taken("review-entries", part.title, [part], [f"{week.first} – {week.last}"])


def _staffing(request: StaffRequest) -> Taken:
    asked = staffing.asked_in(request.GET)
    return _one("staffing", ledgers.staffing(staffing_plan.plan(request.actor, asked, today=localdate(now()))))


def _readings(request: StaffRequest) -> Taken:
    found = list(readings(request.actor, **office.readings_asked(request).narrow))
    found.reverse()
    return _one("readings", ledgers.readings(found, office.IDENTITY_FIELDS))


def _exchange(request: StaffRequest) -> Taken:
    _need(exchange_policy.reads(request.actor))
    return _one("exchange", ledgers.exchange(systems.standings(request.actor)))


def _knowledge(request: StaffRequest) -> Taken:
    asked = knowledge.asked_of(request)
    part = ledgers.knowledge(knowledge.lines(asked, today_of(now())))
    return Taken("knowledge", part.title, [part], [_("有查找的词")] if asked else [])


def _heard(request: StaffRequest) -> Taken:
    days = heard.days_of(request)
    return Taken("heard", _("听得准不准"), [ledgers.heard(heard.lines(days)), ledgers.models(heard.models())],
                 [ngettext("%(n)s 天", "%(n)s 天", days) % {"n": days}])


def _need(may: bool) -> None:
    if not may:
        raise NotAllowed()


@dataclass(frozen=True, slots=True)
class List:
    """A page that offers its list: the roles of the page, none for one that says itself who may, and how the list is made."""

    roles: Iterable[Role]
    made: Callable[[StaffRequest], Taken]


LISTS: dict[str, List] = {
    "orders": List(menu.SUPERVISION_ROLES, _orders), "listings": List(menu.SUPERVISION_ROLES, _listings),
    "overview": List(menu.OVERVIEW_ROLES, _overview), "report-cases": List(READERS, _report_cases),
    "hot": List((), _hot), "hot-issue": List((), _hot_issue),
    "returns": List(ledger.ROLES, _returns), "return-entries": List(ledger.ROLES, _return_entries),
    "missed-calls": List((Role.OPERATOR,), _missed), "checks": List((), _checks), "rounds": List(rounds_policy.ROLES, _rounds),
    "grids": List((), _grids), "grid-tasks": List((), _grid_tasks), "campaigns": List((), _campaigns),
    "review-entries": List((), _review_entries), "staffing": List(staffing_plan.PLANNERS, _staffing),
    "exchange": List((), _exchange), "knowledge": List((), _knowledge), "heard": List(offers.READERS, _heard),
    "readings": List((Role.ADMINISTRATOR, Role.SUPERVISOR), _readings),
}


@staff()
@require_GET
def list_sheet(request: StaffRequest, name: str) -> HttpResponseBase:
    """The list of a page by its name, narrowed by the same query. Whoever may not see the page does not get its list."""
    found = LISTS.get(name)
    if found is None:
        raise Http404(_("没有这个列表。"))
    roles = tuple(found.roles)
    try:
        _need(not roles or request.actor.has(*roles))
        return sheets.answered(found.made(request), request.actor)
    except DomainError as error:
        return refused(request, error)
